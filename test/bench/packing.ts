import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { AttemptId, NodeId, QueueId, UserId, WorkloadId } from '../../src/base/index.ts'
import { id } from '../../src/base/index.ts'
import type { ResourceShape } from '../../src/model/index.ts'
import { DEFAULT_POLICY } from '../../src/model/index.ts'
import { Machine, planPass } from '../../src/scheduler/index.ts'
import { benchOptions } from './options.ts'
import { benchTable } from './table.ts'

const HELP = `npm run bench:packing -- [--nodes FILE] [--arrivals FILE] [--json]

Share of GPU capacity that the scheduler's placement allocates when pods come in a fixed order and none leaves.
Files as in ../shared/data/traces (BANYAN_DATA names another folder), plain or gzip: nodes "sn,cpu_milli,memory_mib,gpu,model",
arrivals "seq,pod,gpus,gpu_milli,cpu_milli,memory_mib".`

const data = process.env.BANYAN_DATA ?? '../shared/data'
const options = benchOptions(HELP, {
  nodes: join(data, 'traces/openb-nodes.csv'),
  arrivals: join(data, 'traces/openb-arrivals.csv.gz'),
})

const machine = new Machine(['node'], { ...DEFAULT_POLICY, ordering: 'fifo', backfill: 'greedy' })
let capacity = 0
for (const row of rows(options.nodes)) {
  const gpuCount = number(row, 'gpu')
  capacity += gpuCount
  machine.setNode(
    {
      id: id<NodeId>(row.sn!),
      domains: [],
      gpuModel: row.model || 'none',
      gpuCount,
      gpuMemoryBytes: 0,
      cpuCount: number(row, 'cpu_milli') / 1000,
      memoryBytes: number(row, 'memory_mib') * 2 ** 20,
      nicCount: 1,
      address: row.sn!,
    },
    'ready',
  )
}

const pods = rows(options.arrivals)
const before = performance.now()
let placed = 0
let allocated = 0
pods.forEach((row, i) => {
  const workload = id<WorkloadId>(row.pod!)
  const gang = {
    workload,
    replica: 0,
    queue: id<QueueId>('pods'),
    user: id<UserId>('pods'),
    priority: 1,
    submittedAt: i,
    request: {
      shape: shapeOf(row),
      cpuMilli: number(row, 'cpu_milli'),
      memoryMib: number(row, 'memory_mib'),
    },
    preemptible: false,
    notBefore: 0,
    waitsFor: [],
    avoid: [],
    attainedGpuMs: 0,
  }
  machine.enqueue(gang)
  const [start] = planPass(machine, i).starts
  if (!start) {
    machine.dequeue(workload, 0)
    return
  }
  const attempt = id<AttemptId>(`${workload}.1`)
  machine.start(gang, { attempt, allocation: start.allocation, startedAt: i, stopping: false })
  placed++
  allocated += (number(row, 'gpus') * number(row, 'gpu_milli')) / 1000
})
const seconds = Math.round((performance.now() - before) / 10) / 100
const allocatedShare = allocated / capacity

if (options.json) {
  console.log(JSON.stringify({ allocatedShare, placed, pods: pods.length, seconds }))
} else {
  const found = [['Banyan', percent(allocatedShare), `${placed} of ${pods.length}`, seconds]]
  const byPeer = pods.filter((row) => row.fgd_node)
  if (byPeer.length > 0) {
    const share = byPeer.reduce((sum, row) => sum + number(row, 'gpus') * number(row, 'gpu_milli'), 0)
    found.push([
      'FGD (column fgd_node)',
      percent(share / 1000 / capacity),
      `${byPeer.length} of ${pods.length}`,
      '',
    ])
  }
  console.log(benchTable(['placement', 'GPU share allocated', 'pods placed', 'seconds'], found))
}

function shapeOf(row: Record<string, string>): ResourceShape {
  const gpus = number(row, 'gpus')
  const milliGpus = number(row, 'gpu_milli')
  return gpus === 1 && milliGpus < 1000 ? { kind: 'fraction', milliGpus } : { kind: 'gpus', gpus }
}

function rows(file: string): Record<string, string>[] {
  const bytes = readFileSync(file)
  const text = (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString('utf8')
  const [head = '', ...lines] = text.trim().split(/\r?\n/)
  const names = head.split(',')
  return lines.map((line) => Object.fromEntries(line.split(',').map((value, i) => [names[i]!, value])))
}

function number(row: Record<string, string>, name: string): number {
  const value = Number(row[name])
  if (row[name] === undefined || Number.isNaN(value))
    throw new Error(`column "${name}" is missing or no number`)
  return value
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`
}
