import { z } from 'zod'
import { NODE_STATES } from '../../model/index.ts'
import { named, type WireOf } from '../schema.ts'
import { actor } from './actor.ts'
import { bytes, count, milliGpus, timeMs } from './primitives.ts'

export const node = named(
  'Node',
  'One node, its state, and what is allocated on it.',
  z.object({
    id: z.string(),
    domains: z.array(z.string()).describe('names of the domains around it, outermost first'),
    gpuModel: z.string(),
    gpuCount: count(),
    gpuMemoryBytes: bytes(),
    cpuCount: count(),
    memoryBytes: bytes(),
    nicCount: count(),
    address: z.string(),
    state: z.enum(NODE_STATES),
    stateReason: z.string(),
    stateActor: actor,
    stateSince: timeMs(),
    contact: z.enum(['connected', 'lost']),
    engineName: z.string().exactOptional().describe('what its engine calls it, where it was renamed'),
    foreign: z
      .object({ gpus: z.array(count()), holder: z.string() })
      .exactOptional()
      .describe('GPUs that others hold past Banyan in its engine, and who that is'),
    allocatedMilliGpus: milliGpus(),
    attempts: z
      .array(
        z.object({
          attempt: z.string(),
          workload: z.string(),
          gpus: z.array(count()),
          milliGpus: milliGpus().exactOptional(),
        }),
      )
      .describe('those on it that the reader may see'),
    actions: z.array(z.string()).describe('what an operator may do with it in this state'),
  }),
)
export type NodeView = WireOf<typeof node>

export const nodeName = named(
  'NodeName',
  'Another name for a node.',
  z.strictObject({ name: z.string().min(1).max(253) }),
)

export const nodeOrder = named(
  'NodeOrder',
  'Why an operator changes the state of a node.',
  z.strictObject({ reason: z.string().min(1).max(1000) }),
)
