import type { TimeMs } from '../base/index.ts'
import { formatDuration } from '../base/index.ts'
import type { Reservation } from '../model/index.ts'
import { listed, workloads } from './amounts.ts'
import type { Blocker } from './explanation.ts'
import { HOLDERS_NAMED } from './holders.ts'
import type { Promised } from './promises.ts'

/** What is said of promises that are in the way of a gang for which there would be room without them. */
export function keptBlocker(kept: readonly Promised[], now: TimeMs): Blocker {
  const first = kept.reduce((a, b) => (b.at < a.at ? b : a))
  const gangs = kept.flatMap(({ entry }) => (entry ? [entry.gang] : []))
  const windows = kept.flatMap(({ reservation }) => reservation ?? [])
  const parts = [...(gangs.length > 0 ? [workloads(gangs.length)] : []), ...windowNames(windows)]
  const why =
    first.at > now
      ? `due in ${formatDuration(first.at - now)}, and this gang would not surely have ended by then`
      : first.reservation
        ? `open for another ${formatDuration(first.reservation.to - now)}`
        : 'due now, and this gang would not surely have ended by then'
  return {
    kind: 'reservation',
    message: `There is room now, but it is kept for ${listed(parts)}, ${why}.`,
    holders: gangs
      .slice(0, HOLDERS_NAMED)
      .map(({ workload, queue, user }) => ({ workload, queue, user, gpus: 0 })),
    ...(windows.length > 0 && {
      windows: windows.map(({ id, kind, from, to, reason }) => ({ id, kind, from, to, reason })),
    }),
    earliestEndAt: Math.min(...kept.map(({ reservation, at }) => reservation?.to ?? at)),
  }
}

/** Those that are enough to lift: one window, the windows, the holds of others, or all; undefined when all are not. */
export function fewest(
  kept: readonly Promised[],
  fitsWithout: (promises: readonly Promised[]) => boolean,
): readonly Promised[] | undefined {
  if (kept.length === 0 || !fitsWithout(kept)) return undefined
  const windows = kept.filter(({ reservation }) => reservation)
  const holds = kept.filter(({ entry }) => entry)
  const alone = windows.filter((window) => fitsWithout([window]))
  if (alone.length > 0) return alone
  return [windows, holds].find((some) => some.length > 0 && fitsWithout(some)) ?? kept
}

/** Maintenance by its name, since it is everybody's; what is kept for somebody only as such (X3). */
function windowNames(windows: readonly Reservation[]): string[] {
  const reserved = windows.filter(({ kind }) => kind === 'reserved').length
  const own = reserved === 0 ? [] : [reserved === 1 ? 'a reservation' : `${reserved} reservations`]
  const maintenance = windows.filter(({ kind }) => kind === 'maintenance')
  return [...own, ...maintenance.map(({ id, reason }) => `maintenance ${id} (${reason})`)]
}
