import type { DurationMs } from '../base/index.ts'
import type { ResourceShape } from './request.ts'

/** What a training run says of itself: its step time is planned by it and, with `gpus: auto`, its size. */
export interface RunDeclaration {
  /** A name that the planner knows; with `shape` only a label. */
  readonly model: string
  readonly shape?: DeclaredShape
  readonly tokens?: number
  readonly steps?: number
  /** Sequences of a step. */
  readonly batch?: number
  /** Tokens of a sequence. */
  readonly sequence?: number
  readonly precision?: 'bf16' | 'fp8' | 'fp4'
  /** As written: a date, a weekday or a span from the submission. */
  readonly finishBy?: string
  /** Dollars. */
  readonly budget?: number
}

/** The numbers of a transformer whose name says nothing. */
export interface DeclaredShape {
  readonly layers: number
  readonly hidden: number
  readonly heads: number
  readonly kvHeads?: number
  readonly ffn?: number
  readonly vocabulary?: number
  readonly experts?: number
  readonly topK?: number
  readonly expertFfn?: number
}

/** The variables that tell the tasks of a planned run its strategy. */
export const STRATEGY_VARIABLES = [
  'TENSOR_PARALLEL',
  'CONTEXT_PARALLEL',
  'PIPELINE_PARALLEL',
  'VIRTUAL_PIPELINE',
  'EXPERT_PARALLEL',
  'MICRO_BATCH',
  'GLOBAL_BATCH',
  'SEQUENCE',
  'RECOMPUTE',
  'ZERO_STAGE',
  'PRECISION',
  'STEPS',
] as const
export type StrategyVariable = (typeof STRATEGY_VARIABLES)[number]

/** What was planned for a declared run when it was submitted. */
export interface PlannedRun {
  readonly gpus: number
  /** The GPU that it was planned for. */
  readonly gpu: string
  readonly stepMs: number
  /** Two thirds of predictions are off by no more than this share. */
  readonly relativeError: number
  readonly steps: number
  /** With failures and checkpoints. */
  readonly wallMs: DurationMs
  readonly dollars: number
  /** How a step is spread, in words. */
  readonly strategy: string
  /** Why this size, in one sentence. */
  readonly why: string
}

export interface PlanQuestion {
  readonly declaration: RunDeclaration
  readonly size: ResourceShape | 'auto'
  /** GPU models that will do; any where absent. */
  readonly models?: readonly string[]
}

export interface PlanAnswer {
  readonly planned: PlannedRun
  readonly size: ResourceShape
  /** What the program must know of the strategy, by variable. */
  readonly environment: Readonly<Record<string, string>>
  readonly checkpointEveryMs: DurationMs
}

/** Why nothing was planned. `declaration`: what is declared is wrong; `machine`: this cluster cannot do it, or is not known to. */
export interface PlanRefusal {
  readonly about: 'declaration' | 'machine'
  readonly message: string
}
