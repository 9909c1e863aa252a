import { describe, expect, it } from 'vitest'
import { id, type NodeId } from '../base/index.ts'
import { explain } from './explain.ts'
import { planPass } from './pass.ts'
import { aGang, aMachine, drawn } from './picture.ts'

const now = 1_000_000
const nodes = (...names: string[]) => names.map((name) => id<NodeId>(name))

describe('[P11] a gang that asked for nodes', () => {
  it.each([
    ['only on these', { only: nodes('a.3', 'b.1') }, 'a .. .. gg\nb gg ..'],
    ['not on these', { except: nodes('a.1', 'b.2') }, 'a .. gg gg\nb .. ..'],
    [
      'on some, and not on one of them',
      { only: nodes('a.1', 'a.2', 'b.2'), except: nodes('a.1') },
      'a .. gg ..\nb .. gg',
    ],
  ])('%s', (_, asked, after) => {
    const machine = aMachine('a .. .. ..\nb .. ..', { queued: [aGang('g', '2 nodes', asked)] })
    expect(drawn(machine, planPass(machine, now))).toBe(after)
  })

  it('waits for them, says so, and lets others have the rest', () => {
    const machine = aMachine('a xx .. ..', {
      queued: [aGang('g', '1 node', { only: nodes('a.1') }), aGang('h', '1 node', { submittedAt: 1 })],
    })
    expect(drawn(machine, planPass(machine, now))).toBe('a xx hh ..')
    const { blockers } = explain(machine, now, id('g'), 0)
    expect(blockers.map(({ message }) => message)).toContain(
      'There is room, but it is to run only on a.1; without that it would start now.',
    )
  })

  it('is held for on them', () => {
    const machine = aMachine('a xx .. ..', {
      queued: [
        aGang('g', '2 nodes', { only: nodes('a.1', 'a.2') }),
        aGang('h', '1 node', { submittedAt: 1 }),
      ],
      live: { x: { limitMs: 2_000_000 } },
    })
    expect(drawn(machine, planPass(machine, now))).toBe('a xx .. hh')
  })

  it('has others ended only there', () => {
    const machine = aMachine('a xx yy', {
      queued: [aGang('g', '1 node', { priority: 2, only: nodes('a.2') })],
      live: { x: { checkpointAt: now }, y: { checkpointAt: now - 3_600_000 } },
    })
    expect(planPass(machine, now).evictions.map(({ attempt }) => attempt)).toEqual(['y.1'])
  })
})
