import { join } from 'node:path'
import type { AttemptId, DurationMs, NodeId, TimeMs } from '../../base/index.ts'
import type { EngineCause, TaskExit } from '../../control/ports/index.ts'

/**
 * The files of one attempt. Each has one writer: the engine writes `order` and `stop`, the supervisor the rest, the
 * program its progress. All but the logs are deleted when the attempt is forgotten.
 */
export class AttemptFolder {
  readonly path: string
  constructor(path: string) {
    this.path = path
  }
  /** `LaunchRecord`, durable before anything is started. */
  get order(): string {
    return join(this.path, 'order.json')
  }
  /** `ProcessIdentity` of the one supervisor that may ever run this attempt. */
  get claim(): string {
    return join(this.path, 'claim.json')
  }
  /** `StopOrder`, the newest. */
  get stop(): string {
    return join(this.path, 'stop.json')
  }
  /** `RunningRecord`, there once all tasks have been started. */
  get running(): string {
    return join(this.path, 'running.json')
  }
  /** `EndRecord`, there when nothing of the attempt can run any more. */
  get end(): string {
    return join(this.path, 'end.json')
  }
  /** Space that is given back when the disk is full, so that the end can be written. */
  get ballast(): string {
    return join(this.path, 'ballast')
  }
  get progress(): string {
    return join(this.path, 'progress.jsonl')
  }
  /** What a supervisor that failed has said. */
  get supervisorLog(): string {
    return join(this.path, 'supervisor.log')
  }
  get logs(): string {
    return join(this.path, 'logs')
  }
}

/** One process to start. */
export interface TaskOrder {
  readonly rank: number
  readonly node: NodeId
  readonly environment: Readonly<Record<string, string>>
}

/** All that the supervisor needs; it does not know the engine. */
export interface LaunchRecord {
  readonly attempt: AttemptId
  /** Marks all processes of this launch; unlike the attempt id it is unique among all installations on a machine. */
  readonly fence: string
  readonly tasks: readonly TaskOrder[]
  readonly run: readonly string[]
  readonly workdir: string
  readonly checkpointDir?: string
  /** host:port of task 0, when it was given a port. */
  readonly address?: string
  /** Ports that no other attempt may be given while this one lives. */
  readonly ports: readonly number[]
  readonly limitMs?: DurationMs
  readonly logBytesPerTask: number
}

export interface RunningRecord {
  readonly at: TimeMs
  readonly pids: readonly number[]
}

export interface EndRecord {
  readonly at: TimeMs
  readonly exits: readonly TaskExit[]
  readonly cause?: EngineCause
}
