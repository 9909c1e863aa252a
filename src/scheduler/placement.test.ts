import { describe, expect, it } from 'vitest'
import { id } from '../base/index.ts'
import type { ResourceRequest } from '../model/index.ts'
import type { QueuedGang } from './gang.ts'
import { Machine } from './machine.ts'
import { planPass } from './pass.ts'
import { aGang, aMachine, aNode, aRequest, drawn, type MachineOptions, picture } from './picture.ts'

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

  it('one block of the fuller pod rather than two of the pod that fits best', () => {
    const machine = new Machine(['pod', 'block', 'node'])
    const blocks = { a: ['p', 1], b: ['p', 1], c: ['q', 2], d: ['q', 1] } as const
    for (const [block, [pod, nodes]] of Object.entries(blocks))
      for (let n = 1; n <= nodes; n++) machine.setNode(aNode(`${block}.${n}`, [pod, block], 2), 'ready')
    machine.enqueue(aGang('g', '2 nodes'))
    expect(drawn(machine, planPass(machine, 0))).toBe('a ..\nb ..\nc gg gg\nd ..')
    machine.setNode(aNode('c.2', ['q', 'c'], 2), 'down')
    expect(drawn(machine, planPass(machine, 0))).toBe('a gg\nb gg\nc .. ..\nd ..')
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

describe('[P5] parts of a GPU, CPU and memory: where least is stranded for what usually comes', () => {
  /** As `placed`, on a machine on which this has been asked for again and again. */
  function placedAmong(
    usual: ResourceRequest,
    drawing: string,
    want: QueuedGang[],
    options: MachineOptions = {},
  ) {
    const machine = aMachine(drawing, options)
    for (let n = 0; n < 100; n++) {
      machine.fleet.mix.enter(usual)
      machine.fleet.mix.leave(usual)
    }
    for (const gang of want) machine.enqueue(gang)
    const copy = machine.clone()
    // What forecasts and what-ifs are played on knows as well what usually comes.
    expect(planPass(copy, 0)).toEqual(planPass(machine, 0))
    return drawn(machine, planPass(machine, 0))
  }

  it.each([
    ['a pair of GPUs stays whole where pairs are asked for', '2 gpus', 'a .. x.', 'a .. xg'],
    ['also where the odd one stands on the emptier node', '2 gpus', 'a xx.. x...', 'a xx.. xg..'],
    [
      'single ones are as good as pairs where single ones are asked for',
      '1 gpu',
      'a xx.. x...',
      'a xxg. x...',
    ],
    ['four stay together where four are asked for', '4 gpus', 'a .... xx..', 'a .... xxg.'],
  ])('%s', (_, usual, drawing, result) => {
    expect(placedAmong(aRequest(usual), drawing, [aGang('g', '0.5 gpu')])).toBe(result)
  })

  it('goes by what is in the line on a copy too, when nothing has ended yet', () => {
    const queued = [
      aGang('g', '0.5 gpu'),
      ...['p', 'q', 'r'].map((name) => aGang(name, '2 gpus', { submittedAt: 1 })),
    ]
    const machine = aMachine('a xx.. x...', { queued })
    const plan = planPass(machine, 0)
    expect(drawn(machine, plan)).toBe('a xxpp xgqq')
    expect(planPass(machine.clone(), 0)).toEqual(plan)
  })

  it.each([
    ['halves share a GPU', ['0.5 gpu', '0.5 gpu'], 'a h. ..'],
    ['to the last thousandth', ['0.25 gpu', '0.75 gpu'], 'a h. ..'],
    ['not more than one GPU', ['0.5 gpu', '0.75 gpu'], 'a gh ..'],
  ])('%s', (_, [first, second], result) => {
    const want = [aGang('g', first!), aGang('h', second!, { submittedAt: 1 })]
    expect(placedAmong(aRequest('1 gpu'), 'a .. ..', want)).toBe(result)
  })

  it('goes where CPU or memory is too short for what usually comes', () => {
    const full = {
      x: { request: aRequest('1 gpu') },
      y: { request: aRequest('2 gpus', { cpuMilli: 90_000 }) },
    }
    const small = [aGang('g', '1 gpu', { request: aRequest('1 gpu', { cpuMilli: 1_000 }) })]
    const onMachine = (usual: ResourceRequest) => placedAmong(usual, 'a x... yy..', small, { live: full })
    expect(onMachine(aRequest('1 gpu', { cpuMilli: 8_000 }))).toBe('a x... yyg.')
    expect(onMachine(aRequest('3 gpus', { cpuMilli: 1_000 }))).toBe('a x... yyg.')
    expect(onMachine(aRequest('2 gpus', { cpuMilli: 1_000 }))).toBe('a xg.. yy..')
  })

  it('work without GPUs takes a node without, and one with GPUs only where it must', () => {
    const machine = aMachine('a ..')
    machine.setNode(aNode('a.2', ['a'], 0), 'ready')
    const request = aRequest('0 gpus', { cpuMilli: 60_000 })
    for (const name of ['g', 'h']) machine.enqueue(aGang(name, '0 gpus', { request }))
    const taken = planPass(machine, 0).starts.map(({ workload, allocation }) => [
      workload,
      allocation.parts[0]!.node,
    ])
    expect(taken).toEqual([
      ['g', 'a.2'],
      ['h', 'a.1'],
    ])
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
