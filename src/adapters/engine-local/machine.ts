import { execFile } from 'node:child_process'
import { availableParallelism, hostname, totalmem } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { id, type NodeId } from '../../base/index.ts'
import type { NodeDescription } from '../../model/index.ts'
import { codeOf, readRecord, reasonOf, writeDurably } from '../engine-shared/durable-file.ts'
import { type GpuReport, parseGpus } from './nvidia-smi.ts'
import { parseTopologyMatrix } from './topology-matrix.ts'

const run = promisify(execFile)
const NVIDIA_SMI_TIMEOUT_MS = 30_000

/** This machine as one node, and what is wrong with it. */
export interface Machine {
  readonly node: NodeDescription
  readonly hasGpus: boolean
  readonly trouble?: string
}

/** What the machine is now. `slots` declares that many slots instead of looking for GPUs. */
export async function inspectMachine(node: NodeId, slots: number | undefined): Promise<Machine> {
  const common = {
    id: node,
    domains: ['local'],
    cpuCount: availableParallelism(),
    memoryBytes: totalmem(),
    address: '127.0.0.1',
  }
  const gpus = slots === undefined ? await findGpus() : []
  const [first] = gpus
  if (!first) {
    const gpuCount = slots ?? common.cpuCount
    return { hasGpus: false, node: { ...common, gpuModel: 'slot', gpuCount, gpuMemoryBytes: 0, nicCount: 0 } }
  }
  const trouble = troubleOf(gpus)
  return {
    hasGpus: true,
    node: {
      ...common,
      gpuModel: first.model,
      gpuCount: gpus.length,
      gpuMemoryBytes: Math.min(...gpus.map(({ memoryBytes }) => memoryBytes)),
      nicCount: await countNics(),
    },
    ...(trouble !== undefined ? { trouble } : {}),
  }
}

/** The node's id: the host name at the first start, kept when the host is renamed, since attempts name it. */
export async function nodeIdOf(dataDir: string): Promise<NodeId> {
  const path = join(dataDir, 'node.json')
  const known = await readRecord<{ id: string }>(path)
  if (known) return id<NodeId>(known.id)
  const name = hostname()
  await writeDurably(path, JSON.stringify({ id: name }))
  return id<NodeId>(name)
}

async function findGpus(): Promise<GpuReport[]> {
  try {
    const { stdout } = await run('nvidia-smi', ['-q', '-x'], {
      timeout: NVIDIA_SMI_TIMEOUT_MS,
      maxBuffer: 64 * 2 ** 20,
    })
    return parseGpus(stdout)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw new Error(
      `nvidia-smi -q -x failed: ${reasonOf(error)}; repair the driver, or declare slots to go without GPUs`,
      { cause: error },
    )
  }
}

async function countNics(): Promise<number> {
  try {
    const { stdout } = await run('nvidia-smi', ['topo', '-m'], { timeout: NVIDIA_SMI_TIMEOUT_MS })
    return parseTopologyMatrix(stdout).nics.length
  } catch {
    return 0
  }
}

function troubleOf(gpus: readonly GpuReport[]): string | undefined {
  const models = new Set(gpus.map(({ model }) => model))
  if (models.size > 1) return `has GPUs of different models (${[...models].join(', ')}); a node has one model`
  const index = gpus.findIndex(({ trouble }) => trouble !== undefined)
  return index === -1 ? undefined : `GPU ${index} (${gpus[index]!.uuid}) ${gpus[index]!.trouble}`
}
