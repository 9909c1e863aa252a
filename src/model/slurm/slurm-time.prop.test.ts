import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatSlurmDuration, parseSlurmDuration } from './slurm-time.ts'

test.each([
  ['30', 30 * 60_000],
  ['90:30', 5_430_000],
  ['2:30:00', 9_000_000],
  ['1-12', 129_600_000],
  ['1-12:30', 131_400_000],
  ['2-00:00:05', 172_805_000],
  ['UNLIMITED', undefined],
])('%s is read as sbatch(1) says', (text, spanMs) => {
  expect(parseSlurmDuration(text)).toEqual({ ok: true, value: spanMs })
})

test.each(['', '1h', '1:2:3:4', '-5', '1-'])('"%s" is refused', (text) => {
  expect(parseSlurmDuration(text).ok).toBe(false)
})

test('what is printed reads back, to the second', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000_000 }), (seconds) => {
      const text = formatSlurmDuration(seconds * 1000)
      expect(parseSlurmDuration(text)).toEqual({ ok: true, value: seconds * 1000 })
    }),
  )
})
