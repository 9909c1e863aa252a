import type { NodeId } from '../base/index.ts'
import type { Allocation } from './allocation.ts'
import type { Reservation } from './reservation.ts'

/*
 * Things that name nodes, with one node under its new name: the same object where they do not name it.
 */

export function renamedAllocation(allocation: Allocation, from: NodeId, to: NodeId): Allocation {
  const parts = renamedList(allocation.parts, from, to)
  return parts === allocation.parts ? allocation : { ...allocation, parts }
}

export function renamedReservation(reservation: Reservation, from: NodeId, to: NodeId): Reservation {
  const { nodes } = reservation
  if ('domain' in nodes || !nodes.includes(from)) return reservation
  return { ...reservation, nodes: nodes.map((node) => (node === from ? to : node)) }
}

export function renamedList<Item extends { readonly node: NodeId }>(
  items: readonly Item[],
  from: NodeId,
  to: NodeId,
): readonly Item[] {
  if (items.every(({ node }) => node !== from)) return items
  return items.map((item) => (item.node === from ? { ...item, node: to } : item))
}
