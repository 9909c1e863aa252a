/**
 * The same jobs through Slurm alone and through Banyan on the same Slurm; and the same queue placed by each, decisions only.
 *
 *   npm run bench:slurm -- [--decisions-only] [--jobs 1000] [--gangs 200] [--nodes 1024] [--queued 10000] [--json]
 *
 * Needs root and Debian's Slurm packages (`tsx scripts/debian-service.ts slurm`).
 */
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
import { compareDecisions } from './slurm/decisions.ts'
import { compareRuns, type RunFigures } from './slurm/runs.ts'

const RUN_ROWS: readonly (readonly [string, (figures: RunFigures) => string])[] = [
  ['jobs', ({ jobs }) => String(jobs)],
  ['makespan', ({ seconds }) => `${seconds.toFixed(1)} s`],
  ['started per second', ({ startedPerSecond }) => startedPerSecond.toFixed(2)],
  ['submission to start, p50', ({ startP50Ms }) => `${(startP50Ms / 1000).toFixed(2)} s`],
  ['submission to start, p99', ({ startP99Ms }) => `${(startP99Ms / 1000).toFixed(2)} s`],
  ['CPU of Slurm’s controller', ({ controllerCpuSeconds }) => `${controllerCpuSeconds.toFixed(1)} s`],
]

const { values: args } = parseArgs({
  options: {
    'decisions-only': { type: 'boolean', default: false },
    jobs: { type: 'string', default: '1000' },
    gangs: { type: 'string', default: '200' },
    nodes: { type: 'string', default: '1024' },
    queued: { type: 'string', default: '10000' },
    json: { type: 'boolean', default: false },
  },
})

const say = (line: string) => {
  if (!args.json) console.error(line)
}
const decisions = await compareDecisions(Number(args.nodes), Number(args.queued), say)
const runs = args['decisions-only']
  ? undefined
  : await compareRuns(Number(args.jobs), Number(args.gangs), say)

if (args.json) {
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
  const table = new Table({ head: ['decisions', 'Slurm', 'Banyan'] })
  table.push(
    [
      'until all that fits is placed',
      `${slurm.seconds.toFixed(2)} s`,
      `${banyan.medianOfPasses.toFixed(4)} s`,
    ],
    ['jobs placed', slurm.jobs, banyan.jobs],
    ['GPUs in use', slurm.gpus, banyan.gpus],
    ['gangs under one leaf', share(slurm.gangsUnderOneLeaf), share(banyan.gangsUnderOneLeaf)],
  )
  console.log(table.toString())
  console.log(`Slurm's time over Banyan's: ${decisions.ratio.toFixed(0)}`)
  if (runs) {
    const other = new Table({ head: ['jobs run', 'Slurm', 'Banyan'] })
    for (const [what, of] of RUN_ROWS) other.push([what, of(runs.slurm), of(runs.banyan)])
    console.log(other.toString())
  }
}

function share(of: number): string {
  return `${(100 * of).toFixed(1)} %`
}
