import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { randomStream } from '../../../src/base/index.ts'
import { SlurmSite } from '../../scenarios/slurm/slurm-server.ts'

export interface RunFigures {
  readonly jobs: number
  readonly seconds: number
  readonly startedPerSecond: number
  /** From the submission's answer to the first task's first instruction. */
  readonly startP50Ms: number
  readonly startP99Ms: number
  readonly controllerCpuSeconds: number
}

interface Job {
  readonly name: string
  readonly nodes: number
  readonly gpus: number
}

const NODES = 8
const GPUS = 8
const CONNECTIONS = 8
const LONGEST_MS = 900_000

/** Short jobs of one GPU and gangs of whole nodes, through Slurm alone and then through Banyan on the same Slurm. */
export async function compareRuns(
  jobs: number,
  gangs: number,
  say: (line: string) => void,
): Promise<{ readonly slurm: RunFigures; readonly banyan: RunFigures }> {
  const site = await SlurmSite.open({ nodes: NODES, gpusPerNode: GPUS, nodesPerLeaf: 4, cpusPerNode: 64 })
  try {
    const list = jobList(jobs, gangs)
    const slurm = await throughSlurm(site, list)
    say(`Slurm alone: ${slurm.seconds.toFixed(1)} s for ${list.length} jobs`)
    const banyan = await throughBanyan(site, list)
    say(`through Banyan: ${banyan.seconds.toFixed(1)} s`)
    return { slurm, banyan }
  } finally {
    await site.close()
  }
}

function jobList(jobs: number, gangs: number): Job[] {
  const random = randomStream(3, 'bench/slurm/runs')
  const list: (Job & { readonly at: number })[] = []
  for (let n = 0; n < jobs; n++) list.push({ name: `job-${n}`, nodes: 1, gpus: 1, at: random.next() })
  for (let n = 0; n < gangs; n++) {
    list.push({ name: `gang-${n}`, nodes: 1 + random.below(NODES), gpus: GPUS, at: random.next() })
  }
  return list.sort((a, b) => a.at - b.at)
}

/** What every task does: says when it began and ended, a moment apart. */
function work(folder: string, name: string): string {
  return `date +%s%3N >> ${folder}/${name}.begin; sleep 0.2; date +%s%3N >> ${folder}/${name}.end`
}

async function throughSlurm(site: SlurmSite, list: readonly Job[]): Promise<RunFigures> {
  const folder = join(site.folder, 'slurm')
  await mkdir(folder)
  return measured(site, list, folder, async ({ name, nodes, gpus }) => {
    const task = work(folder, name)
    const command = nodes === 1 ? task : `srun --ntasks-per-node=1 sh -c '${task}'`
    const size = [`-N${nodes}`, '--ntasks-per-node=1', `--gres=gpu:${gpus}`, `--cpus-per-task=${8 * gpus}`]
    await site.cluster.command(
      'sbatch',
      '--parsable',
      ...size,
      `--mem=${12_000 * gpus}`,
      '-o',
      '/dev/null',
      `--wrap=${command}`,
    )
  })
}

async function throughBanyan(site: SlurmSite, list: readonly Job[]): Promise<RunFigures> {
  const folder = join(site.folder, 'banyan')
  await mkdir(folder)
  const server = site.server('data')
  const client = await server.client()
  return measured(site, list, folder, async ({ name, nodes, gpus }) => {
    const size = gpus < GPUS ? { gpus } : { nodes, gpusPerNode: gpus }
    const spec = { type: 'train', name, ...size, tasksPer: 'node', run: work(folder, name) }
    await client.submitWorkload({ spec, file: name, folder, set: {}, dryRun: false })
  })
}

async function measured(
  site: SlurmSite,
  list: readonly Job[],
  folder: string,
  submit: (job: Job) => Promise<void>,
): Promise<RunFigures> {
  const cpuBefore = await site.cluster.cpuSeconds('slurmctld')
  const begin = Date.now()
  const submittedAt = new Map<string, number>()
  let next = 0
  const worker = async () => {
    for (let at = next++; at < list.length; at = next++) {
      const job = list[at]!
      await submit(job)
      submittedAt.set(job.name, Date.now())
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, worker))
  const over = async () => (await readdir(folder)).filter((name) => name.endsWith('.end')).length
  while ((await over()) < list.length) {
    if (Date.now() - begin > LONGEST_MS) throw new Error(`only ${await over()} of ${list.length} jobs ended`)
    await pause(250)
  }
  let last = 0
  const waits: number[] = []
  for (const { name } of list) {
    const [began, ended] = await Promise.all(
      ['begin', 'end'].map((what) => times(join(folder, `${name}.${what}`))),
    )
    waits.push(Math.max(0, began![0]! - submittedAt.get(name)!))
    last = Math.max(last, ...ended!)
  }
  waits.sort((a, b) => a - b)
  const seconds = (last - begin) / 1000
  return {
    jobs: list.length,
    seconds,
    startedPerSecond: list.length / seconds,
    startP50Ms: waits[Math.floor(waits.length * 0.5)]!,
    startP99Ms: waits[Math.floor(waits.length * 0.99)]!,
    controllerCpuSeconds: (await site.cluster.cpuSeconds('slurmctld')) - cpuBefore,
  }
}

async function times(path: string): Promise<number[]> {
  return (await readFile(path, 'utf8'))
    .trim()
    .split('\n')
    .map(Number)
    .sort((a, b) => a - b)
}
