import { expect, test } from 'vitest'
import type { ExplanationView } from '../api/index.ts'
import { hangsOn } from './hangs-on.ts'

type Blocker = ExplanationView['blockers'][number]

function aBlocker(kind: Blocker['kind'], more: Partial<Blocker> = {}): Blocker {
  return { kind, message: 'why', holders: [], ...more }
}

function holding(...ends: readonly (readonly [string, number?])[]): Blocker['holders'] {
  return ends.map(([workload, endsAt]) => ({
    workload,
    queue: 'q',
    user: 'u',
    gpus: 1,
    ...(endsAt === undefined ? {} : { endsAt }),
  }))
}

test('a start hangs on what its worst blocker is, of which the reader sees what they may', () => {
  const said = (...blockers: readonly Blocker[]) => hangsOn(blockers)
  expect(said()).toBeUndefined()
  expect(said(aBlocker('capacity'), aBlocker('health'))).toBe('the end of other work')
  expect(said(aBlocker('capacity', { holders: holding(['w1', 5]) }))).toBe('the end of w1')
  expect(said(aBlocker('shape', { holders: holding(['w1', 9], ['w2', 5]) }))).toBe('the ends of w2 and w1')
  expect(said(aBlocker('quota', { holders: holding(['w1', 1], ['w2', 2], ['w3'], ['w4', 3], ['w5']) }))).toBe(
    'the ends of w1, w2, w4 and 2 more, 2 of them without a time limit',
  )
  const window = { id: 'optics', kind: 'maintenance', from: 1, to: 2, reason: 'new' } as const
  expect(said(aBlocker('reservation', { windows: [window] }))).toBe('the end of optics')
  expect(said(aBlocker('reservation', { windows: [] }))).toBe('what is kept for those ahead of it')
})
