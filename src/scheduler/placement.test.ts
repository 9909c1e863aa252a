import { describe, expect, it } from 'vitest'
import { id } from '../base/index.ts'
import { planPass } from './pass.ts'
import { aGang, aMachine, aNode, aRequest, drawn, picture } from './picture.ts'

/** The machine with the gang `g` on it, as it was drawn, and what the pass makes of it. */
function placed(drawing: string, want: string, more: Parameters<typeof aRequest>[1] = {}): string {
  const machine = aMachine(drawing, { queued: [aGang('g', want, { request: aRequest(want, more) })] })
  return drawn(machine, planPass(machine, 0))
}

describe('[P1] the smallest domain that fits, with the fewest nodes left over', () => {
  it.each([
    ['an exact fit', 'a .. .. ..\nb .. .. xx', 'a .. .. ..\nb gg gg xx'],
    ['none over two where one fits', 'a .. xx\nb .. xx\nc .. ..', 'a .. xx\nb .. xx\nc gg gg'],
    ['the first of equals', 'a .. ..\nb .. ..', 'a gg gg\nb .. ..'],
    ['over two where no one fits', 'a .. xx\nb .. yy', 'a gg xx\nb gg yy'],
  ])('%s', (_, drawing, result) => {
    expect(placed(picture(drawing), '2 nodes')).toBe(result)
  })
})

describe('[P2] the fullest children first, the last part where it fits best', () => {
  it('fills a whole block and ends in the one with the least room', () => {
    const drawing = 'a .. .. yy\nb .. .. ..\nc .. xx xx'
    expect(placed(drawing, '4 nodes')).toBe('a .. .. yy\nb gg gg gg\nc gg xx xx')
    expect(placed(drawing, '5 nodes')).toBe('a gg gg yy\nb gg gg gg\nc .. xx xx')
  })
})

describe('[P3] nodes of one class', () => {
  const mixed = () => {
    const machine = aMachine('a .. ..')
    machine.setNode({ ...aNode('a.3', ['a'], 2), gpuModel: 'A100-40GB', gpuMemoryBytes: 40e9 }, 'ready')
    return machine
  }

  it('a gang is never split over two models', () => {
    const machine = mixed()
    machine.enqueue(aGang('g', '3 nodes'))
    expect(planPass(machine, 0).starts).toEqual([])
  })

  it('takes the least capable that serves it, and the other where it must', () => {
    const machine = mixed()
    machine.enqueue(aGang('g', '1 node'))
    machine.enqueue(aGang('h', '1 node', { request: aRequest('1 node', { gpu: { models: ['H100'] } }) }))
    expect(drawn(machine, planPass(machine, 0))).toBe('a hh .. gg')
  })
})

describe('[P4] parts of a node', () => {
  it.each([
    ['the fewest free GPUs that suffice', '2 gpus', 'a xx.. xxx. ....', 'a xxgg xxx. ....'],
    ['a whole node only where it must', '3 gpus', 'a xx.. xxx. ....', 'a xx.. xxx. ggg.'],
    ['as few nodes as can be', '5 gpus', 'a xxx. .... ....', 'a xxxg gggg ....'],
    [
      'the domain with the fewest whole nodes',
      '1 gpu',
      'a .... ....\nb .... xxxx',
      'a .... ....\nb g... xxxx',
    ],
  ])('%s', (_, want, drawing, result) => {
    expect(placed(drawing, want)).toBe(result)
  })
})

describe('[P7] segments', () => {
  it('stand each inside one domain, though another split would leave less', () => {
    const segment = { nodes: 2, level: 'block' }
    expect(placed('a .. .. ..\nb .. .. ..', '4 nodes', { segment })).toBe('a gg gg ..\nb gg gg ..')
    expect(placed('a .. .. ..\nb .. xx xx', '4 nodes', { segment })).toBe('a .. .. ..\nb .. xx xx')
    expect(placed('a .. .. ..\nb .. xx xx', '4 nodes')).toBe('a gg gg gg\nb gg xx xx')
  })
})

describe('[P9] nodes that are not ready', () => {
  it.each(['cordoned', 'draining', 'testing', 'down'] as const)('%s: take nothing new', (state) => {
    const machine = aMachine('a .. ..', { queued: [aGang('g', '2 nodes')] })
    machine.fleet.prepare()
    machine.setNode(aNode('a.2', ['a'], 2), state)
    expect(planPass(machine, 0).starts).toEqual([])
    machine.setNode(aNode('a.2', ['a'], 2), 'ready')
    expect(planPass(machine, 0).starts).toMatchObject([{ workload: id('g') }])
  })
})
