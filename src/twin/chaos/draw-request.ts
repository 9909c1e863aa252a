import type { RandomStream } from '../../base/index.ts'
import { MINUTE_MS } from '../../base/index.ts'
import type { ResourceRequest, ResourceShape, WorkloadType } from '../../model/index.ts'
import type { ChaosOptions } from './options.ts'

/** What one attempt asks for, now and then more than there is. */
export function drawRequest(
  options: ChaosOptions,
  random: RandomStream,
  type: WorkloadType,
): ResourceRequest {
  const mode = () => (random.next() < 0.5 ? 'required' : 'preferred')
  if (type === 'serve') {
    const spread = { level: random.next() < 0.5 ? 'block' : 'node', mode: mode() } as const
    return { shape: { kind: 'gpus', gpus: 1 }, ...(random.next() < 0.5 && { spread }) }
  }
  const shape = drawShape(options, random)
  const isBound = shape.kind === 'nodes' && random.next() < 0.3
  const model = random.next() < 0.5 ? 'A100' : 'H100'
  const request: ResourceRequest = {
    shape,
    ...(isBound && { within: { level: 'block', mode: mode(), waitMs: 10 * MINUTE_MS } }),
    ...(options.gpuModels === 2 && random.next() < 0.4 && { gpu: { models: [model] } }),
    ...(random.next() < 0.1 && { cpuMilli: 1000 * (1 + random.below(48)) }),
    ...(random.next() < 0.1 && { memoryMib: 1024 * (1 + random.below(900)) }),
  }
  if (type !== 'train' || shape.kind === 'fraction') return request
  const size = shape.kind === 'nodes' ? shape.nodes : shape.gpus
  if (size > 1 && random.next() < 0.3)
    return { ...request, elastic: { min: 1 + random.below(size), max: size + random.below(3) } }
  if (shape.kind !== 'nodes' || isBound || size % 2 === 1 || random.next() < 0.7) return request
  return { ...request, segment: { nodes: 2, level: 'block' } }
}

function drawShape(options: ChaosOptions, random: RandomStream): ResourceShape {
  const { blocks, nodesPerBlock, gpusPerNode } = options
  const total = blocks * nodesPerBlock * gpusPerNode
  const kind = random.next()
  if (kind < 0.12) return { kind: 'fraction', milliGpus: 100 * (1 + random.below(9)) }
  if (kind < 0.15) return { kind: 'gpus', gpus: 0 }
  if (kind < 0.6) {
    const most = random.next() < 0.03 ? total + 5 : total
    const few = random.next() < 0.6
    return { kind: 'gpus', gpus: 1 + random.below(few ? Math.min(most, gpusPerNode) : most) }
  }
  const nodes = 1 + random.below(blocks * nodesPerBlock)
  return {
    kind: 'nodes',
    nodes,
    ...(random.next() < 0.4 && { gpusPerNode: 1 + random.below(gpusPerNode) }),
  }
}
