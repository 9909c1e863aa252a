import { mkdtempSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { loadNewestCheckpoint, saveCheckpoint } from './checkpoint.js'

const aFolder = () => join(mkdtempSync(join(tmpdir(), 'tiny-gpt-')), 'checkpoints')
const save = (folder, step) =>
  saveCheckpoint(
    folder,
    { step },
    { parameters: Float32Array.of(step, 0.1), momentum: Float32Array.of(-step) },
  )

it('gives back what was saved', () => {
  const folder = aFolder()
  const path = save(folder, 7)
  expect(loadNewestCheckpoint(folder)).toMatchObject({
    path,
    header: { step: 7 },
    arrays: { parameters: Float32Array.of(7, 0.1), momentum: Float32Array.of(-7) },
  })
})

it('has none in a folder that is not there', () => {
  expect(loadNewestCheckpoint(aFolder())).toBeUndefined()
})

it('keeps the last two, and no unfinished files', () => {
  const folder = aFolder()
  for (const step of [9, 10, 11]) save(folder, step)
  expect(readdirSync(folder)).toEqual(['step-00000010.ckpt', 'step-00000011.ckpt'])
})

it.each([
  ['cut off', (path) => truncateSync(path, 100)],
  ['empty', (path) => truncateSync(path, 0)],
  [
    'changed in one bit',
    (path) =>
      writeFileSync(
        path,
        readFileSync(path).map((byte, i, all) => (i === all.length - 1 ? byte ^ 1 : byte)),
      ),
  ],
])('passes over one that is %s, and says so', (_, damage) => {
  const folder = aFolder()
  save(folder, 1)
  const newest = save(folder, 2)
  damage(newest)
  const said = vi.spyOn(console, 'error').mockImplementation(() => {})
  expect(loadNewestCheckpoint(folder)?.header.step).toBe(1)
  expect(said.mock.calls.join()).toContain(newest)
  said.mockRestore()
})
