import { request } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import type { NodeId, QueueId, UserId, WorkloadId } from '../../../src/base/index.ts'
import { id, MINUTE_MS } from '../../../src/base/index.ts'
import { openQueue } from '../../../src/model/index.ts'
import { parseHostlist } from '../../../src/model/slurm/hostlist.ts'
import { Machine, planPass } from '../../../src/scheduler/index.ts'
import { SlurmCluster } from '../../slurm/slurm-cluster.ts'
import { aQueue, type QueuedJob } from './queue.ts'

export interface Placed {
  /** From when the queue may be scheduled until the last job that fits has its nodes. */
  readonly seconds: number
  readonly jobs: number
  readonly gpus: number
  /** Share of the gangs of two nodes and more that fit under one leaf switch and stand under one. */
  readonly gangsUnderOneLeaf: number
}

export interface Decisions {
  readonly nodes: number
  readonly queued: number
  readonly ratio: number
  readonly slurm: Placed & { readonly controllerCpuSeconds: number }
  readonly banyan: Placed & { readonly medianOfPasses: number }
}

const GPUS = 8
const LEAF_NODES = 16
const CONNECTIONS = 8
const QUIET_MS = 45_000
const LONGEST_MS = 300_000
const PASSES = 7
/** The whole queue is looked at in each pass, as Banyan does, and passes follow each other at once. */
const DEEP =
  'SchedulerParameters=default_queue_depth=20000,partition_job_depth=0,bf_max_job_test=20000,bf_continue,bf_interval=1,bf_max_time=600,bf_resolution=600,sched_min_interval=1000,batch_sched_delay=0,max_rpc_cnt=0'

/** The same queue on the same machine, placed once by Slurm's controller and once by Banyan's scheduler. */
export async function compareDecisions(
  nodes: number,
  queued: number,
  say: (line: string) => void,
): Promise<Decisions> {
  const queue = aQueue(queued, 1)
  const banyan = placedByBanyan(nodes, queue)
  say(`Banyan placed ${banyan.jobs} jobs on ${banyan.gpus} GPUs in ${banyan.seconds.toFixed(3)} s`)
  const slurm = await placedBySlurm(nodes, queue, say)
  say(`Slurm placed ${slurm.jobs} jobs on ${slurm.gpus} GPUs in ${slurm.seconds.toFixed(1)} s`)
  return { nodes, queued, ratio: slurm.seconds / banyan.medianOfPasses, slurm, banyan }
}

function placedByBanyan(nodes: number, queue: readonly QueuedJob[]): Decisions['banyan'] {
  const machine = new Machine(['site', 'block', 'node'])
  machine.setQueue(openQueue(id<QueueId>('q')))
  for (let n = 0; n < nodes; n++) machine.setNode(aNode(n), 'ready')
  const now = 1_000 * 3_600_000
  for (const [index, job] of queue.entries()) machine.enqueue(aGang(job, index, now))
  const times: number[] = []
  let plan = planPass(machine, now)
  for (let pass = 0; pass < PASSES; pass++) {
    // A pass from nothing: what an earlier one has worked out is not there.
    const fresh = machine.clone()
    const begin = performance.now()
    plan = planPass(fresh, now)
    times.push((performance.now() - begin) / 1000)
  }
  times.sort((a, b) => a - b)
  const placements = plan.starts.map(({ allocation }) =>
    allocation.parts.map(({ node }) => Number(node.slice(4)) - 1),
  )
  const gpus = plan.starts.reduce(
    (sum, { allocation }) => sum + allocation.parts.reduce((all, part) => all + part.gpus.length, 0),
    0,
  )
  const medianOfPasses = times[Math.floor(PASSES / 2)]!
  return {
    seconds: times.at(-1)!,
    medianOfPasses,
    jobs: placements.length,
    gpus,
    gangsUnderOneLeaf: underOneLeaf(placements),
  }
}

async function placedBySlurm(
  nodes: number,
  queue: readonly QueuedJob[],
  say: (line: string) => void,
): Promise<Decisions['slurm']> {
  const cluster = await SlurmCluster.start({
    nodes,
    gpusPerNode: GPUS,
    nodesPerLeaf: LEAF_NODES,
    cpusPerNode: 96,
    onPaper: true,
    withRest: true,
    schedulerParameters: DEEP,
  })
  try {
    await cluster.command('scontrol', 'update', 'partitionname=batch', 'state=DOWN')
    say(`submitting ${queue.length} jobs to Slurm`)
    await submitAll(cluster, queue)
    const cpuBefore = await cluster.cpuSeconds('slurmctld')
    const begin = Date.now()
    await cluster.command('scontrol', 'update', 'partitionname=batch', 'state=UP')
    let placed: readonly string[] = []
    let lastAt = begin
    while (Date.now() - lastAt < QUIET_MS && Date.now() - begin < LONGEST_MS) {
      await pause(200)
      const asked = Date.now()
      const lines = await cluster.command('squeue', '-h', '-t', 'CONFIGURING,RUNNING', '-o', '%N %D %b')
      const now = lines.split('\n').filter(Boolean)
      if (now.length > placed.length) {
        placed = now
        lastAt = asked
        say(`  ${((asked - begin) / 1000).toFixed(1)} s: ${placed.length} jobs have nodes`)
      }
    }
    const controllerCpuSeconds = (await cluster.cpuSeconds('slurmctld')) - cpuBefore
    const placements = placed.map((line) => {
      const hosts = parseHostlist(line.split(' ')[0] ?? '')
      return hosts.ok ? hosts.value.map((name) => Number(name.slice(4)) - 1) : []
    })
    const gpus = placed.reduce((sum, line) => {
      const [, count = '0', gres = ''] = line.split(' ')
      return sum + Number(count) * Number(/(\d+)$/.exec(gres)?.[1] ?? 0)
    }, 0)
    return {
      seconds: (lastAt - begin) / 1000,
      jobs: placed.length,
      gpus,
      gangsUnderOneLeaf: underOneLeaf(placements),
      controllerCpuSeconds,
    }
  } finally {
    await cluster.stop()
  }
}

async function submitAll(cluster: SlurmCluster, queue: readonly QueuedJob[]): Promise<void> {
  const headers = {
    'X-SLURM-USER-NAME': 'root',
    'X-SLURM-USER-TOKEN': await cluster.token(),
    'content-type': 'application/json',
  }
  let next = 0
  const worker = async () => {
    for (let at = next++; at < queue.length; at = next++) {
      const { nodes, gpusPerNode, minutes } = queue[at]!
      const job = {
        name: `j${at}`,
        environment: { PATH: '/usr/bin:/bin' },
        current_working_directory: '/tmp',
        standard_output: '/dev/null',
        nodes: [nodes, nodes],
        tasks: nodes,
        tasks_per_node: 1,
        cpus_per_task: 12 * gpusPerNode,
        memory_per_node: 12_000 * gpusPerNode,
        gres: `gpu:h100:${gpusPerNode}`,
        time_limit: minutes,
      }
      await post(`${cluster.restUrl}/slurm/v0.0.38/job/submit`, headers, { script: '#!/bin/sh\ntrue\n', job })
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, worker))
}

/** slurmrestd closes connections as it likes, so each call is made anew and repeated once. */
async function post(url: string, headers: Record<string, string>, body: unknown): Promise<void> {
  const text = JSON.stringify(body)
  const once = () =>
    new Promise<number>((resolve, reject) => {
      const call = request(url, {
        method: 'POST',
        headers: { ...headers, 'content-length': Buffer.byteLength(text) },
      })
      call.once('response', (response) => {
        response.resume()
        response.once('end', () => resolve(response.statusCode ?? 0))
      })
      call.once('error', reject)
      call.end(text)
    })
  const status = await once().catch(once)
  if (status !== 200) throw new Error(`slurmrestd answered ${status} to a submission`)
}

function underOneLeaf(placements: readonly (readonly number[])[]): number {
  const gangs = placements.filter(({ length }) => length > 1 && length <= LEAF_NODES)
  const whole = gangs.filter(
    (nodes) => new Set(nodes.map((node) => Math.floor(node / LEAF_NODES))).size === 1,
  )
  return gangs.length === 0 ? 1 : whole.length / gangs.length
}

function aNode(n: number) {
  return {
    id: id<NodeId>(`gpu-${String(n + 1).padStart(3, '0')}`),
    domains: ['spine', `leaf${Math.floor(n / LEAF_NODES) + 1}`],
    gpuModel: 'H100',
    gpuCount: GPUS,
    gpuMemoryBytes: 80 * 2 ** 30,
    cpuCount: 96,
    memoryBytes: 100_000 * 2 ** 20,
    nicCount: 8,
    address: `n${n}`,
  }
}

function aGang({ nodes, gpusPerNode, minutes }: QueuedJob, index: number, now: number) {
  return {
    workload: id<WorkloadId>(`w${index + 1}`),
    replica: 0,
    queue: id<QueueId>('q'),
    user: id<UserId>('u'),
    priority: 1,
    submittedAt: now - 1_000_000 + index,
    request: {
      shape:
        gpusPerNode < GPUS
          ? { kind: 'gpus' as const, gpus: gpusPerNode }
          : { kind: 'nodes' as const, nodes, gpusPerNode },
    },
    limitMs: minutes * MINUTE_MS,
    preemptible: false,
    notBefore: 0,
    waitsFor: [],
    avoid: [],
    attainedGpuMs: 0,
  }
}
