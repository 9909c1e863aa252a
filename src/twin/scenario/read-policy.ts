import type { Result } from '../../base/index.ts'
import { ORDERINGS, type Policy, RUN_TIME_SOURCES } from '../../model/index.ts'
import { POLICY_NAMES, policyByName } from './policies.ts'
import {
  Fields,
  type Place,
  type Reader,
  readBoolean,
  readDocument,
  readList,
  readNumber,
  readOneOf,
  readSpanOrNone,
  readText,
  readWhole,
  type SpecProblem,
} from './read.ts'

/** For each setting its name in a file and how it is read. Spans are written `5m`. */
const SETTINGS: { readonly [Name in string]: readonly [keyof Policy, Reader<unknown>] } = {
  ordering: ['ordering', readOneOf(ORDERINGS)],
  preemptByOrdering: ['preemptByOrdering', readBoolean],
  runTimes: ['runTimes', readOneOf(RUN_TIME_SOURCES)],
  serviceLevels: ['serviceLevels', readList(readNumber(0))],
  serviceSizeWeight: ['serviceSizeWeight', readNumber(0, 4)],
  backfill: ['backfill', readOneOf(['strict', 'holds', 'greedy'])],
  holdDepth: ['holdDepth', readWhole(0)],
  consolidate: ['consolidate', readBoolean],
  reclaim: ['reclaim', readBoolean],
  preempt: ['preempt', readBoolean],
  reclaimGrace: ['reclaimGraceMs', readSpanOrNone],
  minimumRun: ['minimumRunMs', readSpanOrNone],
  growAfter: ['growAfterMs', readSpanOrNone],
  evictionGrace: ['evictionGraceMs', readSpanOrNone],
  usageHalfLife: ['usageHalfLifeMs', readSpanOrNone],
  entryPenalty: ['entryPenaltyMs', readSpanOrNone],
}

/** The policy of a file: `base`, one that is known by name, and the settings in which it differs. */
export function readPolicy(text: string, file: string): Result<Policy, readonly SpecProblem[]> {
  return readDocument(text, file, '`name:` and `base:`', policyAt)
}

export function policyAt(place: Place): Policy | undefined {
  const fields = Fields.of(place, ['name', 'base', ...Object.keys(SETTINGS)])
  if (!fields) return undefined
  const base = policyByName(fields.read('base', readOneOf(POLICY_NAMES)) ?? 'default')
  if (!base) return undefined
  const changes: Record<string, unknown> = {}
  for (const [name, [setting, reader]] of Object.entries(SETTINGS)) {
    const value = fields.read(name, reader)
    if (value !== undefined) changes[setting] = value
  }
  return { ...base.policy, name: fields.read('name', readText) ?? base.policy.name, ...changes }
}
