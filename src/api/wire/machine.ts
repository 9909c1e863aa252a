import { z } from 'zod'
import { ATTEMPT_STATES, NODE_STATES, PRIORITY_CLASSES, WORKLOAD_TYPES } from '../../model/index.ts'
import { named, type WireOf } from '../schema.ts'
import { owner } from './actor.ts'
import { bytes, count, milliGpus, timeMs } from './primitives.ts'

const machineNode = named(
  'MachineNode',
  'One node in the view of the whole machine.',
  z.object({
    id: z.string(),
    domain: count().describe('index in `domains` of the machine'),
    kind: count().describe('index in `kinds` of the machine'),
    state: z.enum(NODE_STATES),
    contact: z.literal('lost').exactOptional().describe('there while its engine does not answer for it'),
    held: z
      .array(
        z.object({
          attempt: z.string().exactOptional().describe('absent where the reader may not see whose it is'),
          gpus: z.string().describe('indices as a list of ranges: `0-3,6`'),
          milliGpus: milliGpus()
            .exactOptional()
            .describe('share of each of these GPUs; absent means whole GPUs'),
        }),
      )
      .describe('who holds which of its GPUs; those that nobody holds are in none'),
  }),
)

const machineAttempt = named(
  'MachineAttempt',
  'One attempt that holds GPUs, in the view of the whole machine.',
  z.object({
    id: z.string(),
    workload: z.string(),
    name: z.string(),
    type: z.enum(WORKLOAD_TYPES),
    priority: z.enum(PRIORITY_CLASSES),
    state: z.enum(ATTEMPT_STATES),
    owner,
    gpus: z.number().describe('GPUs that it holds on all nodes; fractions count as such'),
  }),
)

export const machine = named(
  'Machine',
  'Every node with who holds which of its GPUs, in a form that stays small at ten thousand nodes.',
  z.object({
    revision: count().describe('sequence number of the last event that is in it'),
    at: timeMs().describe("what the server's clock says"),
    levels: z.array(z.string()).describe('of the tree of domains, outermost first; the last is `node`'),
    domains: z
      .array(z.array(z.string()))
      .describe('each innermost domain by the names of the domains around its nodes, outermost first'),
    kinds: z.array(z.object({ gpuModel: z.string(), gpuCount: count(), gpuMemoryBytes: bytes() })),
    nodes: z.array(machineNode).describe('in the order of their ids'),
    attempts: z.array(machineAttempt).describe('those that the reader may see'),
  }),
)
export type MachineView = WireOf<typeof machine>
export type MachineNodeView = WireOf<typeof machineNode>
export type MachineAttemptView = WireOf<typeof machineAttempt>

export const machineChange = named(
  'MachineChange',
  'What is different in the view of the machine: rows that replace those of the same id.',
  z.object({
    revision: count(),
    at: timeMs(),
    nodes: z.array(machineNode),
    attempts: z.array(machineAttempt),
    ended: z.array(z.string()).describe('attempts that hold nothing any more'),
  }),
)
export type MachineChange = WireOf<typeof machineChange>
