import type { DurationMs, RandomStream } from '../../base/index.ts'
import { DAY_MS, HOUR_MS, present, randomStream } from '../../base/index.ts'
import type {
  Owner,
  PriorityClass,
  ResourceRequest,
  ServeSpec,
  TrainSpec,
  WorkloadSpec,
} from '../../model/index.ts'
import { DEFAULT_RETRY } from '../../model/index.ts'
import names from '../data/live-names.json' with { type: 'json' }
import shapes from '../data/workload-shapes.json' with { type: 'json' }
import { logNormal, weighted } from '../kernel/distributions.ts'
import { generateTrace } from '../traces/generate.ts'
import type { TraceJob } from '../traces/job-trace.ts'
import { foundedInWeek, type LivePlan } from './live-plan.ts'
import { type LiveTeam, liveTeams, ownerIn } from './population.ts'
import { EXIT_CODE, RUN_FOR } from './program.ts'

/** One submission of somebody in the twin, `atMs` after it was founded. */
export interface Arrival {
  readonly atMs: DurationMs
  /** Names it for good, so that it is made once. */
  readonly key: string
  readonly owner: Owner
  readonly spec: WorkloadSpec
}

/** Work that was under way when the twin was founded was submitted at most so long before. */
const DAYS_BEFORE = 7
/** Of all GPUs, those that serve models. */
const SERVING_SHARE = 0.06
const MOST_REPLICAS = 48
/** The largest gang is at most this part of the machine, so that one does not decide everything. */
const LARGEST_SHARE = 0.125

/**
 * Everything that the people of the twin ever submit, in order and without end, a day at a time. At its founding there
 * is already what would be running if it had always been in use, with what is left of its run time.
 */
export class Arrivals {
  readonly teams: readonly LiveTeam[]
  readonly #plan: LivePlan
  readonly #trainLoad: number
  #day = -1
  #queue: Arrival[] = []
  #next = 0

  constructor(plan: LivePlan) {
    this.#plan = plan
    this.teams = liveTeams(shapes[plan.shape].tenants, plan.gpuCount)
    const models = this.#models()
    const serving = models.reduce((gpus, { spec }) => gpus + gpusOfServe(spec as ServeSpec), 0)
    this.#trainLoad = Math.max(0, plan.load - serving / plan.gpuCount)
    this.#queue = [...models, ...this.#underWay()]
  }

  /** When the next comes, after the founding. */
  nextAt(): DurationMs {
    return this.#peek().atMs
  }

  take(): Arrival {
    const arrival = this.#peek()
    this.#next++
    return arrival
  }

  /** Leaves out all that came before. */
  skipTo(atMs: DurationMs): void {
    const day = Math.floor(atMs / DAY_MS)
    if (day > this.#day + 1) this.#startDay(day)
    while (this.#peek().atMs < atMs) this.#next++
  }

  #peek(): Arrival {
    while (this.#next >= this.#queue.length) this.#startDay(this.#day + 1)
    return present(this.#queue[this.#next], 'next arrival')
  }

  #startDay(day: number): void {
    this.#day = day
    this.#next = 0
    this.#queue = this.#arrivalsOf(day, this.#jobsOf(day))
  }

  #jobsOf(day: number): readonly TraceJob[] {
    const { seed, shape, gpuCount, gpusPerNode } = this.#plan
    const founded = foundedInWeek(this.#plan)
    const { jobs } = generateTrace(
      {
        shape,
        gpus: gpuCount,
        load: this.#trainLoad,
        spanMs: DAY_MS,
        fromMs: founded + day * DAY_MS,
        largestGpus: Math.max(gpusPerNode, Math.floor(gpuCount * LARGEST_SHARE)),
      },
      randomStream(seed, `live/day/${day}`),
    )
    return jobs.map((job) => ({ ...job, submitMs: job.submitMs - founded }))
  }

  /** Of the days before, what would not have ended yet. */
  #underWay(): Arrival[] {
    const arrivals: Arrival[] = []
    for (let day = -DAYS_BEFORE; day < 0; day++) {
      const left = this.#jobsOf(day).flatMap((job) => {
        const leftMs = job.submitMs + job.durationMs
        return leftMs > 0 ? [{ ...job, submitMs: 0, durationMs: leftMs }] : []
      })
      arrivals.push(...this.#arrivalsOf(day, left))
    }
    return arrivals
  }

  #arrivalsOf(day: number, jobs: readonly TraceJob[]): Arrival[] {
    const random = randomStream(this.#plan.seed, `live/people/${day}`)
    return jobs.map((job, i) => {
      const team = present(this.teams[Number(/\d+/.exec(job.tenant)?.[0] ?? 1) - 1], `team of ${job.tenant}`)
      const key = `${day < 0 ? `before-${-day}` : `day-${day + 1}`}-${i + 1}`
      return {
        atMs: job.submitMs,
        key: `twin/${key}`,
        owner: ownerIn(team, random.below(team.users.length)),
        spec: trainSpec(job, key, this.#plan, random),
      }
    })
  }

  /** Models that are served from the first day on. */
  #models(): Arrival[] {
    const { gpuCount, gpusPerNode } = this.#plan
    return names.models.flatMap(({ model, gpus, share }, i) => {
      const replicas = Math.min(MOST_REPLICAS, Math.floor((gpuCount * SERVING_SHARE * share) / gpus))
      const team = this.teams[(i * 3 + 1) % this.teams.length]
      if (replicas === 0 || gpus > gpusPerNode || !team) return []
      return [
        {
          atMs: 0,
          key: `twin/model-${model}`,
          owner: ownerIn(team, 0),
          spec: serveSpec(model, gpus, replicas),
        },
      ]
    })
  }
}

function gpusOfServe({ resources, replicas }: ServeSpec): number {
  return resources.shape.kind === 'gpus' ? resources.shape.gpus * replicas : 0
}

/** People ask for more time than they need: their estimate is so many times the run time (log-normal). */
const OVERESTIMATE = { median: 1.5, sigma: 0.5 }
const DECLARE_SHARE = 0.6
const FAIL_SHARE = 0.08

function trainSpec(job: TraceJob, key: string, plan: LivePlan, random: RandomStream): TrainSpec {
  const kind = weighted(random, KINDS, ({ from, to, weight }) =>
    job.gpus >= from && job.gpus <= to ? weight : 0,
  )
  const fails = random.next() < FAIL_SHARE
  const runMs = fails ? Math.ceil(job.durationMs * random.next() ** 2) + 1000 : job.durationMs
  const expectedMs = Math.ceil(
    job.durationMs * Math.max(1, logNormal(random, OVERESTIMATE.median, OVERESTIMATE.sigma)),
  )
  const priority = weighted(random, PRIORITIES, ({ weight }) => weight).priority
  const declares = random.next() < DECLARE_SHARE
  const saves = kind.saves || job.durationMs > 2 * HOUR_MS
  return {
    type: 'train',
    name: `${kind.name}-${key}`,
    priority,
    resources: resourcesOf(job.gpus, plan),
    program: {
      run: [kind.run],
      env: { [RUN_FOR]: `${Math.ceil(runMs / 1000)}s`, ...(fails ? { [EXIT_CODE]: '1' } : {}) },
      workdir: '/srv/work',
      tasksPer: 'gpu',
    },
    retry: DEFAULT_RETRY,
    preemptible: priority !== 'critical',
    dependsOn: [],
    ...(saves ? { checkpoint: { path: '/srv/checkpoints', graceMs: 60_000 } } : {}),
    ...(declares ? { expectedMs } : {}),
  }
}

function resourcesOf(gpus: number, { gpusPerNode, levels }: LivePlan): ResourceRequest {
  if (gpus <= gpusPerNode || gpus % gpusPerNode !== 0) return { shape: { kind: 'gpus', gpus } }
  const nodes = gpus / gpusPerNode
  const level = levels.at(-2)
  const shape = { kind: 'nodes', nodes } as const
  return nodes >= 4 && level !== undefined ? { shape, within: { level, mode: 'preferred' } } : { shape }
}

interface Kind {
  readonly name: string
  readonly run: string
  readonly from: number
  readonly to: number
  readonly weight: number
  readonly saves: boolean
}

/** What people call their work, by how many GPUs it asks for. */
const KINDS: readonly Kind[] = [
  { name: 'evaluate', run: 'python evaluate.py', from: 0, to: 8, weight: 4, saves: false },
  { name: 'notebook', run: 'python -m jupyter', from: 0, to: 1, weight: 2, saves: false },
  { name: 'sweep', run: 'python sweep.py', from: 0, to: 16, weight: 3, saves: false },
  { name: 'distil', run: 'python distil.py', from: 4, to: 64, weight: 2, saves: true },
  { name: 'finetune', run: 'torchrun finetune.py', from: 4, to: 128, weight: 4, saves: true },
  { name: 'align', run: 'torchrun align.py', from: 16, to: 512, weight: 3, saves: true },
  {
    name: 'pretrain',
    run: 'torchrun pretrain.py',
    from: 64,
    to: Number.POSITIVE_INFINITY,
    weight: 5,
    saves: true,
  },
]

const PRIORITIES: readonly { readonly priority: PriorityClass; readonly weight: number }[] = [
  { priority: 'low', weight: 0.2 },
  { priority: 'normal', weight: 0.66 },
  { priority: 'high', weight: 0.12 },
  { priority: 'critical', weight: 0.02 },
]

function serveSpec(model: string, gpus: number, replicas: number): ServeSpec {
  return {
    type: 'serve',
    name: `serve-${model}`,
    model,
    replicas,
    priority: 'high',
    resources: { shape: { kind: 'gpus', gpus } },
    program: {
      run: [`serve --model ${model} --port $PORT`],
      env: {},
      workdir: '/srv/work',
      tasksPer: 'node',
    },
    retry: { user: 1000, platform: 1_000_000 },
    preemptible: false,
    readiness: { path: '/health', timeoutMs: 2_000, everyMs: 10_000 },
  }
}
