import { ensureServices } from '../../scripts/debian-service.ts'
import { benchOptions } from './options.ts'
import { compareDecisions } from './slurm/decisions.ts'
import { compareRuns, type RunFigures } from './slurm/runs.ts'
import { benchTable } from './table.ts'

const HELP = `npm run bench:slurm -- [--decisions-only] [--jobs 1000] [--gangs 200] [--nodes 1024] [--queued 10000] [--json]

The same jobs through Slurm alone and through Banyan on the same Slurm; and the same queue placed by each, decisions only.
Needs root; on Debian it installs the Slurm packages that are missing.`

const RUN_ROWS: readonly (readonly [string, (figures: RunFigures) => string])[] = [
  ['jobs', ({ jobs }) => String(jobs)],
  ['makespan', ({ seconds }) => `${seconds.toFixed(1)} s`],
  ['started per second', ({ startedPerSecond }) => startedPerSecond.toFixed(2)],
  ['submission to start, p50', ({ startP50Ms }) => `${(startP50Ms / 1000).toFixed(2)} s`],
  ['submission to start, p99', ({ startP99Ms }) => `${(startP99Ms / 1000).toFixed(2)} s`],
  ['CPU of Slurm’s controller', ({ controllerCpuSeconds }) => `${controllerCpuSeconds.toFixed(1)} s`],
]

const options = benchOptions(HELP, {
  'decisions-only': false,
  jobs: 1_000,
  gangs: 200,
  nodes: 1_024,
  queued: 10_000,
})

const say = (line: string) => {
  if (!options.json) console.error(line)
}
const [absent] = (await ensureServices(['slurm'], say)).values()
if (absent !== undefined) {
  console.error(absent)
  process.exit(1)
}
const decisions = await compareDecisions(options.nodes, options.queued, say)
const runs = options['decisions-only'] ? undefined : await compareRuns(options.jobs, options.gangs, say)

if (options.json) {
  const { ratio, slurm, banyan, nodes, queued } = decisions
  console.log(
    JSON.stringify({
      decisionRatio: ratio,
      nodes,
      queued,
      slurm: { decisions: slurm, ...(runs ? { runs: runs.slurm } : {}) },
      banyan: { decisions: banyan, ...(runs ? { runs: runs.banyan } : {}) },
    }),
  )
} else {
  const { slurm, banyan } = decisions
  const placed = [
    [
      'until all that fits is placed',
      `${slurm.seconds.toFixed(2)} s`,
      `${banyan.medianOfPasses.toFixed(4)} s`,
    ],
    ['jobs placed', slurm.jobs, banyan.jobs],
    ['GPUs in use', slurm.gpus, banyan.gpus],
    ['gangs under one leaf', share(slurm.gangsUnderOneLeaf), share(banyan.gangsUnderOneLeaf)],
  ]
  console.log(benchTable(['decisions', 'Slurm', 'Banyan'], placed))
  console.log(`Slurm's time over Banyan's: ${decisions.ratio.toFixed(0)}`)
  if (runs) {
    const ran = RUN_ROWS.map(([what, of]) => [what, of(runs.slurm), of(runs.banyan)])
    console.log(benchTable(['jobs run', 'Slurm', 'Banyan'], ran))
  }
}

function share(of: number): string {
  return `${(100 * of).toFixed(1)} %`
}
