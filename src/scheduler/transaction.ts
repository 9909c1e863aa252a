import type { Fleet } from './fleet.ts'
import type { Occupant } from './holding.ts'

type Undo =
  | { readonly kind: 'vacate'; readonly occupant: Occupant }
  | { readonly kind: 'occupy'; readonly occupant: Occupant }
  | { readonly kind: 'open'; readonly node: number }
  | { readonly kind: 'close'; readonly node: number }

/** Changes to a fleet that can be taken back to any mark. Nothing is copied: each change has an exact inverse. */
export class Transaction {
  readonly fleet: Fleet
  private readonly undo: Undo[] = []

  constructor(fleet: Fleet) {
    this.fleet = fleet
  }

  occupy(occupant: Occupant): void {
    this.fleet.occupy(occupant)
    this.undo.push({ kind: 'vacate', occupant })
  }

  vacate(occupant: Occupant): void {
    this.fleet.vacate(occupant)
    this.undo.push({ kind: 'occupy', occupant })
  }

  close(node: number): void {
    this.fleet.capacity.close(node)
    this.undo.push({ kind: 'open', node })
  }

  open(node: number): void {
    this.fleet.capacity.open(node)
    this.undo.push({ kind: 'close', node })
  }

  mark(): number {
    return this.undo.length
  }

  rollback(mark: number): void {
    const { fleet, undo } = this
    while (undo.length > mark) {
      const change = undo.pop()!
      if (change.kind === 'vacate') fleet.vacate(change.occupant)
      else if (change.kind === 'occupy') fleet.occupy(change.occupant)
      else if (change.kind === 'open') fleet.capacity.open(change.node)
      else fleet.capacity.close(change.node)
    }
  }
}
