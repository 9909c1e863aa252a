import type { StepSeconds } from './step.ts'

export type StepPart = Exclude<keyof StepSeconds, 'total'>

/** The parts of a step in the order and words in which people are shown them. */
export const STEP_PARTS: readonly { readonly part: StepPart; readonly title: string }[] = [
  { part: 'matmul', title: 'matrix multiplies' },
  { part: 'attention', title: 'attention' },
  { part: 'memory', title: 'memory-bound kernels' },
  { part: 'launch', title: 'waiting for the host' },
  { part: 'tensor', title: 'tensor exchange' },
  { part: 'context', title: 'context exchange' },
  { part: 'expert', title: 'expert exchange' },
  { part: 'pipeline', title: 'stage to stage' },
  { part: 'data', title: 'gradients and weights' },
  { part: 'bubble', title: 'pipeline bubble' },
  { part: 'optimizer', title: 'optimizer' },
  { part: 'overhead', title: 'overhead' },
]
