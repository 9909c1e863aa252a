import type { TrafficPattern } from '../../fabric/index.ts'
import type { TimeUs } from '../kernel/agenda.ts'

/** How the program of one workload behaves. Spans are microseconds. */
export interface Behaviour {
  /** Work at full speed, from nothing to its end; absent for a program that runs until it is told to end. */
  readonly workUs?: TimeUs
  /** From the launch of an attempt until all its tasks run: image, processes, reading the checkpoint. */
  readonly startUs: TimeUs
  /** Saves after each such span of computing; absent means that it saves only when told to end. */
  readonly saveEveryUs?: TimeUs
  /** What saving takes, while nothing is computed. */
  readonly saveUs: TimeUs
  /** Whether it saves its work when it is told to end with enough grace. */
  readonly savesWhenTold: boolean
  /** What its gang says to each other, and the share of a step that it waits for it at full speed and alone. */
  readonly traffic?: { readonly pattern: TrafficPattern; readonly share: number }
  /** How it ends once its work is done; absent for one that succeeds. */
  readonly fails?: { readonly exitCode: number; readonly logTail: string }
  /**
   * A person holds what it runs on: its work is the time that passes, at any speed, and none of it is lost with an attempt.
   * `source` names what it was asked for as; `used` is the share of the time in which something runs, absent where not known.
   */
  readonly hold?: { readonly source: string; readonly used?: number }
  /** What it says of its training; absent: a step a second and no loss. */
  readonly training?: Training
}

/** What a training program reports as it goes. */
export interface Training {
  /** Of one step at full speed. */
  readonly stepUs: TimeUs
  readonly tokensPerStep: number
  /** Of the model. */
  readonly parameters: number
}
