import { describe, expect, test } from 'vitest'
import { bytes, clockTime, counted, fromNow, gpuCount, gpuHours, gpusText } from './values.ts'

test.each([
  [0, '0'],
  [100, '<0.0001'],
  [9_360, '0.0026'],
  [1_800_000, '0.500'],
  [3_600_000, '1.00'],
  [45_000_000, '12.5'],
  [3.6e9, '1000'],
])('%d GPU-milliseconds are %s GPU-hours', (gpuMs, text) => {
  expect(gpuHours(gpuMs)).toBe(text)
})

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1536, '1.50 KiB'],
  [85_899_345_920, '80.0 GiB'],
  [250 * 2 ** 30, '250 GiB'],
])('%d bytes are %s', (count, text) => {
  expect(bytes(count)).toBe(text)
})

test('counts have their noun', () => {
  expect([counted(1, 'node'), counted(0, 'node'), gpusText(1), gpusText(0.25), gpuCount(8)]).toEqual([
    '1 node',
    '0 nodes',
    '1 GPU',
    '0.25 GPUs',
    '8',
  ])
})

describe('times', () => {
  const now = new Date(2026, 10, 24, 14, 5).getTime()

  test.each([
    [0, 'now'],
    [65_000, 'in 1m 5s'],
    [-7_200_000, '2h ago'],
  ])('%d ms from now is %s', (span, text) => {
    expect(fromNow(now + span, now)).toBe(text)
  })

  test('the date is told when it is another day, the year when it is far', () => {
    expect(clockTime(now, now)).toBe('14:05')
    expect(clockTime(new Date(2026, 10, 25, 9, 7).getTime(), now)).toBe('Nov 25 09:07')
    expect(clockTime(new Date(2025, 0, 2, 9, 7).getTime(), now)).toBe('Jan 2 2025 09:07')
  })
})
