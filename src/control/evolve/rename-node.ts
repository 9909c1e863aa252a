import type { NodeId } from '../../base/index.ts'
import { present } from '../../base/index.ts'
import { renamedAllocation, renamedList, renamedReservation } from '../../model/index.ts'
import type { ControlState } from '../state.ts'

/** Gives the node its new name wherever the state names it. */
export function renameNode(state: ControlState, from: NodeId, to: NodeId): void {
  const { machine, renamedNodes } = state.derived
  const { engineName = from, ...node } = present(state.nodes.get(from), `node ${from}`)
  state.nodes.delete(from)
  state.nodes.set(to, { ...node, id: to, ...(engineName === to ? {} : { engineName }) })
  renamedNodes.delete(engineName)
  if (engineName !== to) renamedNodes.set(engineName, to)
  for (const [id, attempt] of state.attempts) {
    const allocation = renamedAllocation(attempt.allocation, from, to)
    if (allocation !== attempt.allocation) state.attempts.set(id, { ...attempt, allocation })
  }
  for (const [id, hold] of state.holds)
    state.holds.set(id, { ...hold, allocation: renamedAllocation(hold.allocation, from, to) })
  for (const [id, reservation] of state.reservations)
    state.reservations.set(id, renamedReservation(reservation, from, to))
  for (const workload of state.workloads.values())
    workload.avoidedNodes = renamedList(workload.avoidedNodes, from, to)
  machine.renameNode(from, to)
}
