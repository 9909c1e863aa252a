import type { EvictionContext } from './eviction-context.ts'
import type { Occupant } from './holding.ts'
import { placeWhole } from './restarts.ts'
import { type Candidate, Candidates, victimSets } from './victims.ts'

/** A gang that goes on elsewhere, and whom it takes that place from. */
export interface Move {
  readonly after: Occupant
  readonly victims: readonly Occupant[]
}

/** Whom a gang that has to move may end for its next place. */
export interface Yielding {
  readonly candidates: readonly Candidate[]
  /** The same as a set. */
  readonly goes: ReadonlySet<Occupant>
  /** Asked of each in turn, after those before it have gone. */
  readonly may: (occupant: Occupant) => boolean
}

/**
 * Gives a gang that was taken out its next place at its present size: a free one, else one that yielding gangs leave of
 * whom each is needed. Undefined, and nothing changed, where there is none.
 */
export function moveElsewhere(
  context: EvictionContext,
  mover: Occupant,
  yielding: Yielding,
): Move | undefined {
  const free = placeWhole(context, mover)
  if (free) return { after: free, victims: [] }
  const { machine, transaction, evicted } = context
  const candidates = yielding.candidates.filter(({ occupant }) => !evicted.includes(occupant))
  const request = machine.fleet.classOf(mover.gang.request)
  if (candidates.length === 0 || request.impossible !== undefined) return undefined
  for (const { victims } of victimSets(machine.fleet, request, new Candidates(candidates), 0)) {
    const mark = transaction.mark()
    const may = victims.every(({ occupant }) => {
      const yields = yielding.may(occupant)
      transaction.vacate(occupant)
      return yields
    })
    const after = may ? placeWhole(context, mover) : undefined
    if (after) {
      const needed = victims.map(({ occupant }) => occupant).filter((victim) => !staysBeside(context, victim))
      evicted.push(...needed)
      return { after, victims: needed }
    }
    transaction.rollback(mark)
  }
  return undefined
}

/** Puts back what the new place left as it was. */
function staysBeside({ machine, transaction }: EvictionContext, victim: Occupant): boolean {
  if (!machine.fleet.capacity.isVacant(victim.footprint)) return false
  transaction.occupy(victim)
  return true
}
