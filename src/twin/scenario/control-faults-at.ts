import { MINUTE_MS, SECOND_MS } from '../../base/index.ts'
import type { ControlFaultPlan } from '../faults/control-faults.ts'
import { Fields, type Reader, readDuration, readNumber } from './read.ts'

const FIELDS = [
  'crashesPerDay',
  'restart',
  'lostContactPerDay',
  'lostContact',
  'storeStallsPerDay',
  'storeStall',
  'lateFacts',
  'late',
  'doubledFacts',
] as const

/** How the control plane itself fails: rates a day, mean lengths, and shares of facts; what is left out does not fail. */
export const controlFaultsAt: Reader<ControlFaultPlan> = (place) => {
  const fields = Fields.of(place, FIELDS)
  if (!fields) return undefined
  return {
    crashesPerDay: fields.read('crashesPerDay', readNumber(0)) ?? 0,
    restartMs: fields.read('restart', readDuration) ?? 30 * SECOND_MS,
    lostContactPerDay: fields.read('lostContactPerDay', readNumber(0)) ?? 0,
    lostContactMs: fields.read('lostContact', readDuration) ?? 5 * MINUTE_MS,
    storeStallsPerDay: fields.read('storeStallsPerDay', readNumber(0)) ?? 0,
    storeStallMs: fields.read('storeStall', readDuration) ?? MINUTE_MS,
    lateShare: fields.read('lateFacts', readNumber(0, 1)) ?? 0,
    lateMs: fields.read('late', readDuration) ?? MINUTE_MS,
    duplicateShare: fields.read('doubledFacts', readNumber(0, 1)) ?? 0,
  }
}
