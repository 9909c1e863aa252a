import { describe, expect, test } from 'vitest'
import { ProgressLines } from './progress-lines.ts'

function reportOf(text: string, cutEvery = text.length) {
  const lines = new ProgressLines('/ckpt')
  const bytes = Buffer.from(text)
  for (let from = 0; from < bytes.length; from += cutEvery)
    lines.feed(bytes.subarray(from, from + cutEvery), 7)
  return lines.report
}

function ranksOf(text: string) {
  const lines = new ProgressLines(undefined)
  lines.feed(Buffer.from(text), 7)
  return lines.ranks
}

describe('lines of a progress file', () => {
  test.each([1, 2, 3, 7, 1000])('read the same when they come in pieces of %d bytes', (cutEvery) => {
    const text =
      '{"step":1,"loss":2.5,"note":"ñ"}\n{"step":2,"totalSteps":9,"tokens":64,"checkpoint":"/a/2"}\n'
    expect(reportOf(text, cutEvery)).toEqual({
      progress: { at: 7, step: 2, totalSteps: 9, tokens: 64 },
      checkpoint: { at: 7, step: 2, path: '/a/2' },
      firstLoss: 2.5,
    })
  })

  test.each([
    ['a line without an end', '{"step":1}'],
    ['no JSON', 'step 1\n'],
    ['another value', '[1]\n7\nnull\n"x"\n'],
    ['no step', '{"loss":1}\n'],
    ['a step that is no count', '{"step":-1}\n{"step":"1"}\n{"step":1e300}\n{"step":NaN}\n'],
    ['a line without bounds', `{"step":1,"x":"${'x'.repeat(70_000)}"}\n`],
  ])('%s is no progress', (_, text) => {
    expect(reportOf(text, 1_000)).toBeUndefined()
  })

  test('after a line without bounds are read again', () => {
    expect(reportOf(`${'x'.repeat(200_000)}\n{"step":4}\n`, 50_000)?.progress.step).toBe(4)
  })

  test('tell the median of how long each rank computed, over the newest reports', () => {
    const line = (step: number, computeMs: unknown, stepMs?: unknown) =>
      `${JSON.stringify({ step, computeMs, stepMs })}\n`
    const old = Array.from({ length: 30 }, (_, step) => line(step, [900, 900], 1000))
    const newest = Array.from({ length: 16 }, (_, i) => line(30 + i, [10, i === 3 ? 500 : 20 + (i % 2)], 40))
    expect(ranksOf([...old, ...newest].join(''))).toEqual({
      at: 7,
      step: 45,
      reports: 16,
      computeMs: [10, 20.5],
      stepMs: 40,
    })
    expect(ranksOf(line(1, [1, 2]) + line(2, [3, 4]) + line(3, [5]))).toMatchObject({
      reports: 1,
      computeMs: [5],
    })
    expect(ranksOf(line(5, [1, 2]) + line(6, [3, 4]) + line(2, [8, 9]))).toMatchObject({
      reports: 1,
      step: 2,
    })
  })

  test.each(['[]', '7', '[1,"2"]', '[1,null]', '[-1]', '{"0":1}'])(
    'do not tell ranks of computeMs %s',
    (computeMs) => {
      const text = `{"step":1,"computeMs":${computeMs}}\n`
      expect(ranksOf(text)).toBeUndefined()
      expect(reportOf(text)?.progress.step).toBe(1)
    },
  )

  test('keep the newest checkpoint, resolved against the folder of checkpoints', () => {
    expect(reportOf('{"step":1,"checkpoint":"one"}\n{"step":2}\n')?.checkpoint).toEqual({
      at: 7,
      step: 1,
      path: '/ckpt/one',
    })
  })
})
