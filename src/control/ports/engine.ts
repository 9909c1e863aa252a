import type { AttemptId, DurationMs, NodeId, TimeMs, WorkloadId } from '../../base/index.ts'
import type {
  Allocation,
  Checkpoint,
  NodeDescription,
  Owner,
  Program,
  Progress,
  RankTimes,
} from '../../model/index.ts'

/**
 * What really runs attempts. An engine decides nothing: it launches what it is told, ends what it is told, and
 * reports what it sees. Every call may be repeated with the same effect as once. A call rejects only when the
 * engine cannot be reached or refuses as a whole; by S4 a rejection says nothing about any attempt.
 */
export interface Engine {
  /** Short name in events and messages: `local`, `slurm`. */
  readonly id: string
  /** The levels of its topology and every node it has now. */
  inventory(): Promise<EngineInventory>
  /** Starts all tasks of the attempt, or none. A second call for the same attempt id starts nothing. */
  launch(order: LaunchOrder): Promise<void>
  /** Sends `signal` to every task, and SIGKILL to what is left after the grace. Unknown or ended attempts are ignored. */
  stop(attempt: AttemptId, how: StopOrder): Promise<void>
  /**
   * Facts newer than `cursor`, as soon as there are any or after a while with none. Without a cursor: `complete`
   * is true and the facts describe everything the engine knows, so that an attempt not among them is not there.
   */
  observe(cursor: string | undefined, signal: AbortSignal): Promise<Observation>
  /** Part of one task's log from a byte offset; waits for nothing. Past the end: no text, and `next` is the end. */
  logs(attempt: AttemptId, task: number, from: number): Promise<LogChunk>
  /** Says that the attempt's end is on record: the engine need not report it again and may delete all but its logs. */
  forget(attempt: AttemptId): Promise<void>
  /**
   * Takes a node out of use in the engine too, or back, where others than Banyan submit to it. Absent where Banyan
   * alone decides what runs on a node.
   */
  setNodeService?(node: NodeId, order: NodeServiceOrder): Promise<void>
  /** Stops observing and frees what this process holds. Attempts go on. */
  close(): Promise<void>
}

export interface EngineInventory {
  /** Outermost first, the last is `node`. */
  readonly levels: readonly string[]
  readonly nodes: readonly NodeDescription[]
}

/** Everything needed to start one attempt. The engine adds the rank variables of each task. */
export interface LaunchOrder {
  readonly attempt: AttemptId
  readonly workload: WorkloadId
  readonly number: number
  readonly name: string
  readonly owner: Owner
  readonly allocation: Allocation
  readonly program: Program
  /** Absolute folder kept across attempts; `BANYAN_CHECKPOINT_DIR`. */
  readonly checkpointDir?: string
  /** Tasks of a replica get a free port in `PORT`; it comes back in the fact `attempt-running`. */
  readonly needsPort: boolean
  readonly replica: number
  readonly arrayIndex?: number
  /** What an elastic gang asked for; its allocation may be smaller or larger. */
  readonly askedSize?: { readonly nodes: number } | { readonly gpus: number }
  readonly limitMs?: DurationMs
}

export interface StopOrder {
  readonly signal: string
  readonly graceMs: DurationMs
}

export type NodeServiceOrder =
  | { readonly kind: 'drain'; readonly reason: string }
  | { readonly kind: 'resume' }

export interface Observation {
  readonly facts: readonly EngineFact[]
  readonly cursor: string
  readonly complete: boolean
}

/** How one task ended. */
export interface TaskExit {
  /** Global rank. */
  readonly task: number
  readonly node: NodeId
  /** Absent when a signal ended it or when nobody could see the end. */
  readonly exitCode?: number
  readonly signal?: string
  readonly at: TimeMs
  /** The end of its log, at most 16 KiB, for classification. */
  readonly logTail: string
  /** True when the engine ended the task because another one had failed or a stop was asked for. */
  readonly stopped: boolean
}

export type EngineFact =
  /** The engine has taken the attempt and its tasks do not run yet. */
  | { readonly kind: 'attempt-waiting'; readonly attempt: AttemptId }
  | {
      readonly kind: 'attempt-running'
      readonly attempt: AttemptId
      readonly at: TimeMs
      readonly address?: string
    }
  | {
      readonly kind: 'attempt-progress'
      readonly attempt: AttemptId
      readonly progress: Progress
      readonly checkpoint?: Checkpoint
      /** First loss the program reported in this attempt. */
      readonly firstLoss?: number
      /** How long each rank computes. It is no part of the record: whoever observes keeps the newest. */
      readonly ranks?: RankTimes
    }
  | {
      readonly kind: 'attempt-ended'
      readonly attempt: AttemptId
      readonly at: TimeMs
      readonly exits: readonly TaskExit[]
      /** Set when the engine itself knows the cause: the launch was refused, a node went away, the machine restarted. */
      readonly cause?: EngineCause
    }
  | { readonly kind: 'node-present'; readonly node: NodeDescription; readonly at: TimeMs }
  | { readonly kind: 'node-down'; readonly node: NodeId; readonly reason: string; readonly at: TimeMs }
  | { readonly kind: 'node-up'; readonly node: NodeId; readonly at: TimeMs }
  /** What others than Banyan hold on a node; no GPUs when they hold none any more. */
  | {
      readonly kind: 'node-foreign'
      readonly node: NodeId
      readonly gpus: readonly number[]
      /** Who holds them, for people. */
      readonly holder: string
      readonly at: TimeMs
    }
  | { readonly kind: 'node-gone'; readonly node: NodeId; readonly at: TimeMs }

export interface EngineCause {
  readonly kind: 'launch-refused' | 'node-lost' | 'engine-restarted' | 'time-limit' | 'ended-outside'
  readonly message: string
  readonly node?: NodeId
  /** Whose fault it is: a missing working folder is the user's, a full system disk the platform's. */
  readonly blame: 'user' | 'platform'
}

export interface LogChunk {
  readonly text: string
  /** Offset to read on from. */
  readonly next: number
  /** True when the task has ended and this chunk reaches the end. */
  readonly ended: boolean
}
