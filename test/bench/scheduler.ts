import type { AttemptId, QueueId, UserId, WorkloadId } from '../../src/base/index.ts'
import { HOUR_MS, id, MINUTE_MS, type RandomStream, randomStream } from '../../src/base/index.ts'
import type { NodeDescription, ResourceRequest } from '../../src/model/index.ts'
import { openQueue } from '../../src/model/index.ts'
import {
  explain,
  explainAll,
  forecast,
  gangKey,
  Machine,
  planPass,
  type QueuedGang,
} from '../../src/scheduler/index.ts'
import { benchOptions } from './options.ts'
import { benchTable } from './table.ts'

const HELP = `npm run bench:scheduler -- [--nodes 128,1024,12544] [--queued 1000,10000] [--passes 300] [--cpu] [--json]

Cost of scheduling passes, explanations and forecasts by size of the machine and of the queue. With --cpu all times
are CPU time of the process, compiler and garbage collector included: for machines that others use.`

interface Row {
  readonly nodes: number
  readonly queued: number
  readonly steadyP50Ms: number
  readonly steadyP99Ms: number
  readonly coldPlacementsPerSecond: number
  readonly explainOneMs: number
  readonly explainAllMs: number
  readonly forecastMs: number
  readonly rssMiB: number
}

const FULL = 0.85
const REPLICATIONS = 32
const FORECAST_FIRST = 1000
const BLOCK_NODES = 32
const POD_BLOCKS = 8

const options = benchOptions(HELP, {
  nodes: [128, 1_024, 12_544],
  queued: [1_000, 10_000],
  passes: 300,
  cpu: false,
})

function measure(nodes: number, queued: number, passes: number): Row {
  const random = randomStream(7, `bench/${nodes}/${queued}`)
  const cold = coldPlacementsPerSecond(nodes, queued, random.fork('cold'))
  const world = new World(nodes, random.fork('steady'))
  world.fill(FULL)
  for (let i = 0; i < queued; i++) world.submit()
  world.pass()
  const times: number[] = []
  for (let i = 0; i < passes + 20; i++) {
    world.endOne()
    world.submit()
    const took = world.pass()
    if (i >= 20) times.push(took)
  }
  times.sort((a, b) => a - b)
  const { machine, now } = world
  const waiting = [...machine.waiting.entries.values()].map((entry) => entry.gang)
  const some = waiting.filter((_, i) => i % Math.ceil(waiting.length / 20) === 0)
  const explainOneMs =
    timed(() => {
      for (const gang of some) explain(machine, now, gang.workload, gang.replica)
    }) / some.length
  const explainAllMs = timed(() => explainAll(machine, now))
  const first = explainAll(machine, now).slice(0, FORECAST_FIRST)
  const only = new Set(first.map((gang) => gangKey(gang.workload, gang.replica)))
  const forecastMs = timed(() => forecast(machine, now, { replications: REPLICATIONS, seed: 1, only }))
  return {
    nodes,
    queued,
    steadyP50Ms: round(at(times, 0.5)),
    steadyP99Ms: round(at(times, 0.99)),
    coldPlacementsPerSecond: Math.round(cold),
    explainOneMs: round(explainOneMs),
    explainAllMs: round(explainAllMs),
    forecastMs: round(forecastMs),
    rssMiB: Math.round(process.memoryUsage().rss / 2 ** 20),
  }
}

function coldPlacementsPerSecond(nodes: number, queued: number, random: RandomStream): number {
  let best = 0
  for (let round = 0; round < 3; round++) {
    const world = new World(nodes, random)
    for (let i = 0; i < queued; i++) world.submit()
    let starts = 0
    const took = timed(() => {
      starts = planPass(world.machine, world.now).starts.length
    })
    best = Math.max(best, (starts / took) * 1000)
  }
  return best
}

/** A machine under a stream of mixed gangs of 4 organisations x 4 teams x 5 users. */
class World {
  readonly machine = new Machine(['pod', 'block', 'node'])
  now = 1_000 * HOUR_MS
  private readonly random: RandomStream
  private readonly nodes: number
  private submitted = 0
  private attempts = 0

  constructor(nodes: number, random: RandomStream) {
    this.random = random
    this.nodes = nodes
    for (let o = 0; o < 4; o++) {
      this.machine.setQueue({ ...openQueue(id<QueueId>(`org${o}`)), guaranteedGpus: nodes })
      for (let t = 0; t < 4; t++)
        this.machine.setQueue(openQueue(id<QueueId>(`org${o}/team${t}`), id<QueueId>(`org${o}`)))
    }
    for (let n = 0; n < nodes; n++) this.machine.setNode(aNode(n), 'ready')
  }

  submit(): QueuedGang {
    const gang = this.aGang()
    this.machine.enqueue(gang)
    return gang
  }

  /** Starts gangs at random ages until that share of the GPUs is taken. */
  fill(share: number): void {
    const { machine } = this
    const wanted = this.nodes * 8 * 1000 * share
    for (let held = 0; held < wanted; ) {
      const gang = this.submit()
      const [start] = planPass(machine, this.now).starts
      if (!start) {
        machine.dequeue(gang.workload, gang.replica)
        continue
      }
      const age = Math.floor(this.random.next() * gang.limitMs!)
      this.start(gang, start.allocation, this.now - age)
      held += start.allocation.parts.reduce((sum, part) => sum + part.gpus.length * 1000, 0)
    }
  }

  endOne(): void {
    const attempts = [...this.machine.live.keys()]
    this.now += MINUTE_MS
    this.machine.end(attempts[this.random.below(attempts.length)]!, this.now, { completed: true })
  }

  /** One pass, and what `control` would do with its plan; only the pass is timed. */
  pass(): number {
    const { machine, now } = this
    let plan: ReturnType<typeof planPass> | undefined
    const took = timed(() => {
      plan = planPass(machine, now)
    })
    const { starts, holds, evictions } = plan!
    const standing = new Set(holds.map((hold) => hold.id))
    for (const held of machine.held.keys()) if (!standing.has(held)) machine.releaseHold(held)
    for (const hold of holds) if (!machine.held.has(hold.id)) machine.placeHold(hold)
    for (const { attempt } of evictions) {
      const { gang } = machine.attempt(attempt)
      machine.end(attempt, now)
      machine.enqueue(gang)
    }
    for (const start of starts) {
      const { gang } = machine.waiting.get(start.workload, start.replica)!
      this.start(gang, start.allocation, now)
    }
    return took
  }

  private start(
    gang: QueuedGang,
    allocation: Parameters<Machine['start']>[1]['allocation'],
    startedAt: number,
  ): void {
    const attempt = id<AttemptId>(`${gang.workload}.${++this.attempts}`)
    this.machine.start(gang, { attempt, allocation, startedAt, stopping: false })
  }

  private aGang(): QueuedGang {
    const { random } = this
    const limitMs = Math.ceil(random.exponential(8) + 0.25) * HOUR_MS
    const queue = `org${random.below(4)}/team${random.below(4)}`
    return {
      workload: id<WorkloadId>(`w${++this.submitted}`),
      replica: 0,
      queue: id<QueueId>(queue),
      user: id<UserId>(`${queue}/user${random.below(5)}`),
      priority: random.next() < 0.1 ? 2 : 1,
      submittedAt: this.now + this.submitted,
      request: aRequest(random, this.nodes),
      limitMs,
      preemptible: random.next() < 0.5,
      notBefore: 0,
      waitsFor: [],
      avoid: [],
      attainedGpuMs: 0,
    }
  }
}

/** Half of the gangs are 1 to 8 GPUs, most of the rest a few nodes, and one in a hundred up to 512 nodes. */
function aRequest(random: RandomStream, nodes: number): ResourceRequest {
  const kind = random.next()
  if (kind < 0.5) return { shape: { kind: 'gpus', gpus: 2 ** random.below(4) } }
  const most = kind < 0.9 ? 4 : kind < 0.99 ? 7 : 10
  const wanted = 2 ** random.below(most)
  const shape = { kind: 'nodes', nodes: Math.min(wanted, Math.max(1, nodes >> 2)) } as const
  return random.next() < 0.3 && shape.nodes <= BLOCK_NODES
    ? { shape, within: { level: 'block', mode: 'required' } }
    : { shape }
}

function aNode(n: number): NodeDescription {
  const block = Math.floor(n / BLOCK_NODES)
  return {
    id: id(`n${n}`),
    domains: [`pod${Math.floor(block / POD_BLOCKS)}`, `block${block}`],
    gpuModel: 'H100-80GB',
    gpuCount: 8,
    gpuMemoryBytes: 80e9,
    cpuCount: 96,
    memoryBytes: 2e12,
    nicCount: 8,
    address: `n${n}`,
  }
}

function print(measured: readonly Row[]): void {
  const titles = [
    'nodes',
    'queued',
    'steady p50 ms',
    'p99 ms',
    'cold placements/s',
    'explain one ms',
    'all ms',
    'forecast ms',
    'RSS MiB',
  ]
  const lines = measured.map((row): number[] => Object.values(row))
  console.log(benchTable(titles, lines))
  console.log(
    `Machine ${FULL * 100} % full at first; forecast of the first ${FORECAST_FIRST} over ${REPLICATIONS} replications.`,
  )
}

/** Milliseconds. */
function timed(work: () => void): number {
  const clock = options.cpu ? cpuMs : () => performance.now()
  const before = clock()
  work()
  return clock() - before
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}

const rows: Row[] = []
for (const nodes of options.nodes)
  for (const queued of options.queued) rows.push(measure(nodes, queued, options.passes))
if (options.json) console.log(JSON.stringify({ rows }))
else print(rows)
