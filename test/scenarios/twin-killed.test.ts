import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, watch, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { playOfFlags } from '../../src/cli/twin-flags.ts'
import { playScenario } from '../../src/cli/twin-play.ts'

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts')
const FLAGS = { load: '0.8', span: '30d' } as const
const folder = mkdtempSync(join(tmpdir(), 'banyan-twin-killed-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const scenario = join(folder, 'scenario.yaml')
writeFileSync(
  scenario,
  `cluster: {nodes: 20, gpus: 8}
workloads:
  - generate: {shape: rsc, load: 0.85, span: 4d}
faults: {rates: [llama3], scale: 50}
controlFaults: {crashesPerDay: 5, restart: 1m, lateFacts: 0.1, doubledFacts: 0.1}
`,
)

/** Lets the command go on, and kills it at once when the file has been touched so often. */
async function killedAfter(touches: number, watched: string, args: readonly string[]): Promise<void> {
  let left = touches
  const watcher = watch(folder, (_, name) => {
    if (name === watched && --left <= 0) child.kill('SIGKILL')
  })
  const child = spawn(process.execPath, ['--import', 'tsx', MAIN, 'twin', 'run', ...args], {
    stdio: 'ignore',
  })
  const [, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
  watcher.close()
  expect(signal).toBe('SIGKILL')
}

test('[T26] a run that is killed at any moment, in the middle of a save too, goes on from its last save', async () => {
  const whole = await playScenario(playOfFlags(scenario, FLAGS))
  const save = join(folder, 'run.json')
  await killedAfter(1, 'run.json', [scenario, '--save', save, '--save-every', '1ms'])
  // Each save first touches the file beside: when it is created, and with what is written.
  for (const touches of [1, 2, 5]) {
    await killedAfter(touches, 'run.json.new', ['--resume', save, '--save-every', '1ms'])
  }
  const resumed = await playScenario(playOfFlags(undefined, { ...FLAGS, resume: save }))
  expect(resumed.report).toEqual(whole.report)
})
