/** What users of other schedulers complain of, each played on a small machine. */
import { describe, expect, it } from 'vitest'
import type { QueueId, UserId } from '../../src/base/index.ts'
import { HOUR_MS, id, MINUTE_MS } from '../../src/base/index.ts'
import { explain, planPass } from '../../src/scheduler/index.ts'
import {
  aGang,
  aMachine,
  apply,
  aQueue,
  aRequest,
  drawn,
  endAttempt,
  picture,
} from '../../src/scheduler/picture.ts'

const now = 10 * HOUR_MS
const checkpointed = { checkpointAt: now - 10_000, limitMs: 20 * HOUR_MS }
const queue = (name: string) => id<QueueId>(name)
const user = (name: string) => id<UserId>(name)

describe('16 GPUs are free but scattered', () => {
  const scattered = `a xxxx.... yyyy....
                     b zzzz.... wwww....`
  const gang = aGang('g', '2 nodes', { limitMs: HOUR_MS, submittedAt: now })

  it('is said with the numbers: so much is free, in so many places, and so much of it is together', () => {
    const machine = aMachine(scattered, { queued: [gang], policy: { consolidate: false } })
    const [blocker] = explain(machine, now, gang.workload, 0).blockers
    expect(blocker).toMatchObject({ kind: 'shape', needed: 2, available: 0, unit: 'nodes' })
    expect(blocker!.message).toContain('16 GPUs of the right kind are free, but scattered over 4 nodes')
    expect(blocker!.holders.map((holder) => holder.workload)).toEqual(['w', 'x', 'y', 'z'])
  })

  it('is cured by moving others when that is allowed, each to a place that is held for it', () => {
    const live = { x: checkpointed, y: checkpointed, z: checkpointed, w: checkpointed }
    const machine = aMachine(scattered, { queued: [gang], live })
    const plan = planPass(machine, now)
    expect(plan.evictions.map((eviction) => [eviction.kind, eviction.for])).toEqual([
      ['consolidate', 'g'],
      ['consolidate', 'g'],
    ])
    apply(machine, plan, now)
    for (const eviction of plan.evictions) endAttempt(machine, eviction.attempt, now + MINUTE_MS)
    apply(machine, planPass(machine, now + MINUTE_MS), now + MINUTE_MS)
    expect(machine.waiting.entries.size).toBe(0)
    expect(machine.live.size).toBe(5)
  })

  it('moves nobody when more work would be lost than the gang would wait', () => {
    const unsaved = { startedAt: 0, limitMs: now + MINUTE_MS }
    const machine = aMachine(scattered, {
      queued: [gang],
      live: { x: unsaved, y: unsaved, z: unsaved, w: unsaved },
    })
    expect(planPass(machine, now).evictions).toEqual([])
  })
})

describe('a production gang needs a rack in which batch jobs sit', () => {
  it('ends the batch jobs of the cheapest rack and no others', () => {
    const request = aRequest('3 nodes', { within: { level: 'block', mode: 'required' } })
    const machine = aMachine(
      `a xx yy .. ..
       b zz .. .. pp
       c ww ww ww ..`,
      {
        policy: { consolidate: false },
        queued: [aGang('g', '3 nodes', { request, priority: 3, submittedAt: now })],
        live: {
          x: { checkpointAt: now - MINUTE_MS },
          y: { checkpointAt: now - MINUTE_MS },
          z: { checkpointAt: now - 3 * MINUTE_MS },
          p: { priority: 3 },
          w: { checkpointAt: now - HOUR_MS },
        },
      },
    )
    const plan = planPass(machine, now)
    expect(plan.evictions.map((eviction) => eviction.attempt)).toEqual(['x.1'])
    expect(plan.holds).toMatchObject([{ workload: 'g', waitsFor: ['x.1'] }])
  })
})

describe('two pending 1-GPU jobs', () => {
  it('evict nothing they do not use', () => {
    const machine = aMachine('a xxyyzzww', {
      policy: { consolidate: false },
      queued: [aGang('1', '1 gpu', { priority: 2 }), aGang('2', '1 gpu', { priority: 2 })],
      live: { z: { checkpointAt: now } },
    })
    const plan = planPass(machine, now)
    expect(plan.evictions.map((eviction) => eviction.attempt)).toEqual(['z.1'])
    expect([...plan.starts, ...plan.holds].map((kept) => kept.workload).sort()).toEqual(['1', '2'])
  })
})

describe('a burst of 100 jobs by one user', () => {
  it('leaves every other user their turn', () => {
    const burst = Array.from({ length: 100 }, (_, i) => aGang(`b${i}`, '1 gpu', { user: user('burst') }))
    const others = ['u1', 'u2', 'u3'].map((name, i) =>
      aGang(`o${i}`, '1 gpu', { user: user(name), submittedAt: now }),
    )
    const machine = aMachine('a ........', { queued: [...burst, ...others] })
    const started = planPass(machine, now).starts.map((start) => start.workload)
    expect(started).toHaveLength(8)
    expect(started).toEqual(expect.arrayContaining(['o0', 'o1', 'o2']))
  })
})

describe('a 512-node job in a stream of small ones', () => {
  it('starts when its hold is due, and not later', () => {
    const blocks = Array.from({ length: 16 }, (_, b) => `r${b} ${Array(32).fill('.').join(' ')}`)
    const machine = aMachine(blocks.join('\n'))
    let submitted = 0
    const submitSmall = (at: number) =>
      machine.enqueue(aGang(`s${++submitted}`, '1 node', { limitMs: HOUR_MS, submittedAt: at }))
    const ends: { attempt: string; at: number }[] = []
    let startedAt: number | undefined
    for (let minute = 0; minute <= 180 && startedAt === undefined; minute++) {
      const at = minute * MINUTE_MS
      while (ends[0] && ends[0].at <= at) endAttempt(machine, ends.shift()!.attempt, at)
      for (let i = 0; i < 8; i++) submitSmall(at)
      if (minute === 60) machine.enqueue(aGang('big', '512 nodes', { limitMs: HOUR_MS, submittedAt: at }))
      const plan = planPass(machine, at)
      for (const attempt of apply(machine, plan, at)) ends.push({ attempt, at: at + HOUR_MS })
      if (plan.starts.some((start) => start.workload === 'big')) startedAt = at
    }
    // What ran when it came was started at minute 59 at the latest.
    expect(startedAt).toBe(119 * MINUTE_MS)
  })
})

describe('a borrower', () => {
  const queues = [aQueue('lender', { guaranteedGpus: 4 }), aQueue('borrower')]
  const lent = () =>
    aMachine('a xxyy zz..', {
      queues,
      policy: { consolidate: false, reclaimGraceMs: 5 * MINUTE_MS, evictionGraceMs: 30_000 },
      queued: [aGang('g', '1 node', { queue: queue('lender'), submittedAt: now })],
      live: {
        x: { queue: queue('borrower'), checkpointAt: now - MINUTE_MS },
        y: { queue: queue('borrower'), checkpointAt: now - 2 * MINUTE_MS },
        z: { queue: queue('borrower'), startedAt: 0 },
      },
    })

  it('keeps what it borrowed until the grace is nearly over, and then gives it back', () => {
    const machine = lent()
    const early = planPass(machine, now)
    expect(early.evictions).toEqual([])
    expect(early.nextPassAt).toBe(now + 5 * MINUTE_MS - 30_000)
    const due = planPass(machine, early.nextPassAt!)
    expect(due.evictions).toMatchObject([
      { attempt: 'x.1', for: 'g', kind: 'reclaim' },
      { attempt: 'y.1', for: 'g', kind: 'reclaim' },
    ])
    expect(due.holds).toMatchObject([{ workload: 'g', waitsFor: ['x.1', 'y.1'] }])
  })

  it('is named to the lender, with what it holds', () => {
    const machine = lent()
    const { blockers } = explain(machine, now, aGang('g', '1 node').workload, 0)
    const holders = blockers.flatMap((blocker) => blocker.holders)
    expect(holders.map(({ workload, queue: of, gpus }) => [workload, of, gpus])).toContainEqual([
      'x',
      'borrower',
      2,
    ])
  })
})

describe('a retry after a node has failed', () => {
  it('avoids that node', () => {
    const avoid = [{ node: id<never>('a.1'), until: now + HOUR_MS }]
    const machine = aMachine('a .. ..', { queued: [aGang('g', '1 node', { avoid })] })
    expect(drawn(machine, planPass(machine, now))).toBe(picture('a .. gg'))
    expect(drawn(machine, planPass(machine, now + HOUR_MS))).toBe(picture('a gg ..'))
  })
})
