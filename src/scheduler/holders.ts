import type { TimeMs } from '../base/index.ts'
import { compareIds } from '../base/index.ts'
import type { Holder } from './explanation.ts'
import type { Occupant } from './holding.ts'

/** Holders named in one blocker; the rest are in its numbers. */
export const HOLDERS_NAMED = 10

/** The largest of them, largest first. */
export function named(holding: readonly Occupant[]): Holder[] {
  const largest: Occupant[] = []
  for (const occupant of holding) {
    if (largest.length === HOLDERS_NAMED && bySize(occupant, largest[HOLDERS_NAMED - 1]!) >= 0) continue
    const at = largest.findIndex((other) => bySize(occupant, other) < 0)
    largest.splice(at < 0 ? largest.length : at, 0, occupant)
    largest.length = Math.min(largest.length, HOLDERS_NAMED)
  }
  return largest.map(toHolder)
}

/** When so much of it will have ended, where the ends are known. */
export function whenFreed(
  holding: readonly Occupant[],
  missingMilli: number,
): { readonly earliestEndAt?: TimeMs } {
  let freed = 0
  for (const { gang, gpuMilli, endsAt } of [...holding].sort((a, b) => a.endsAt - b.endsAt)) {
    if (gang.limitMs === undefined) return {}
    freed += gpuMilli
    if (freed >= missingMilli) return { earliestEndAt: endsAt }
  }
  return {}
}

function bySize(a: Occupant, b: Occupant): number {
  return (
    b.gpuMilli - a.gpuMilli || compareIds(a.gang.workload, b.gang.workload) || a.gang.replica - b.gang.replica
  )
}

function toHolder({ gang, gpuMilli, endsAt }: Occupant): Holder {
  const { workload, queue, user, limitMs } = gang
  return { workload, queue, user, gpus: gpuMilli / 1000, ...(limitMs !== undefined && { endsAt }) }
}
