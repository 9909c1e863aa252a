import { DAY_MS, type DurationMs, parseDuration, present } from '../../base/index.ts'
import sets from '../data/fault-rates.json' with { type: 'json' }

/** Names of the published sets of rates, each with its source in `data/fault-rates.json`. */
export const RATE_SETS = Object.keys(sets) as readonly (keyof typeof sets)[]

/**
 * What a fault does:
 * - `task`: one task of an attempt on the node crashes with a log that names the hardware, and the node goes to repair.
 * - `program`: one task crashes by the program's own fault; the node is sound.
 * - `hang`: the gang stands still until somebody notices; then a task ends with that log, and the node goes to repair if it has to.
 * - `node`: the node goes dark with all that runs there, until it is repaired.
 */
export type FaultEffect = 'task' | 'program' | 'hang' | 'node'

export interface FaultCause {
  readonly cause: string
  readonly effect: FaultEffect
  /** Of one node, or of one innermost domain when it strikes a switch. */
  readonly perMs: number
  readonly strikes: 'node' | 'domain'
  readonly log: string
  readonly exitCode: number
  readonly noticedMs: DurationMs
  /** Mean; 0 when nothing has to be repaired. */
  readonly repairMs: DurationMs
}

interface Entry {
  readonly cause: string
  readonly count: number
  readonly effect: string
  readonly log?: string
  readonly exitCode?: number
  readonly noticed?: string
  readonly repair?: string
}

interface RateSet {
  readonly nodeDays: number
  readonly causes: readonly Entry[]
  readonly domainDays?: number
  readonly domainCauses?: readonly Entry[]
}

/** The causes of a published set with their rates. */
export function causesOf(name: string): FaultCause[] {
  const set: RateSet = present((sets as Readonly<Record<string, RateSet>>)[name], `rate set ${name}`)
  return [
    ...set.causes.map((entry) => causeOf(entry, set.nodeDays, 'node')),
    ...(set.domainCauses ?? []).map((entry) => causeOf(entry, set.domainDays ?? set.nodeDays, 'domain')),
  ]
}

function causeOf(entry: Entry, days: number, strikes: FaultCause['strikes']): FaultCause {
  return {
    cause: entry.cause,
    effect: entry.effect as FaultEffect,
    perMs: entry.count / (days * DAY_MS),
    strikes,
    log: entry.log ?? '',
    exitCode: entry.exitCode ?? 1,
    noticedMs: spanOf(entry.noticed),
    repairMs: spanOf(entry.repair),
  }
}

function spanOf(text: string | undefined): DurationMs {
  if (text === undefined) return 0
  const span = parseDuration(text)
  return present(span.ok ? span.value : undefined, `span in fault-rates.json instead of "${text}"`)
}
