import { describe, expect, test } from 'vitest'
import { ProgressLines } from './progress-lines.ts'

function reportOf(text: string, cutEvery = text.length) {
  const lines = new ProgressLines('/ckpt')
  const bytes = Buffer.from(text)
  for (let from = 0; from < bytes.length; from += cutEvery)
    lines.feed(bytes.subarray(from, from + cutEvery), 7)
  return lines.report
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

  test('keep the newest checkpoint, resolved against the folder of checkpoints', () => {
    expect(reportOf('{"step":1,"checkpoint":"one"}\n{"step":2}\n')?.checkpoint).toEqual({
      at: 7,
      step: 1,
      path: '/ckpt/one',
    })
  })
})
