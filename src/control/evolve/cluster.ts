import type { TimeMs } from '../../base/index.ts'
import { present, unreachable } from '../../base/index.ts'
import type { Actor } from '../../model/index.ts'
import { DEFAULT_POLICY } from '../../model/index.ts'
import { engineNameOf } from '../engine-names.ts'
import type { Event } from '../event.ts'
import type { ControlState } from '../state.ts'
import { renameNode } from './rename-node.ts'

type ClusterEvent = Extract<
  Event,
  {
    kind:
      | 'cluster-described'
      | 'policy-set'
      | 'prices-set'
      | 'reservation-made'
      | 'reservation-ended'
      | 'node-described'
      | 'node-moved'
      | 'node-contact'
      | 'node-foreign'
      | 'node-renamed'
      | 'node-removed'
  }
>

/** The machine itself: its levels, its nodes and how it is scheduled. */
export function evolveCluster(state: ControlState, event: ClusterEvent, at: TimeMs, actor: Actor): void {
  const { machine } = state.derived
  switch (event.kind) {
    case 'cluster-described':
      state.cluster = event.cluster
      machine.setLevels(event.cluster.levels)
      return
    case 'policy-set':
      // One from before a setting was introduced has its default.
      state.policy = { ...DEFAULT_POLICY, ...event.policy }
      machine.setPolicy(state.policy, at)
      return
    case 'prices-set':
      state.prices = event.prices
      return
    case 'reservation-made':
      state.reservations.set(event.reservation.id, event.reservation)
      machine.setReservation(event.reservation)
      return
    case 'reservation-ended':
      state.reservations.delete(event.reservation)
      machine.removeReservation(event.reservation)
      return
    case 'node-described': {
      const known = state.nodes.get(event.node.id)
      const node = known
        ? { ...known, ...event.node }
        : {
            ...event.node,
            state: 'ready' as const,
            stateReason: '',
            stateActor: actor,
            stateSince: at,
            contact: 'connected' as const,
          }
      state.nodes.set(node.id, node)
      machine.setNode(event.node, node.state)
      return
    }
    case 'node-moved': {
      const node = present(state.nodes.get(event.node), `node ${event.node}`)
      state.nodes.set(node.id, {
        ...node,
        state: event.to,
        stateReason: event.reason,
        stateActor: actor,
        stateSince: at,
      })
      machine.setNode(node, event.to)
      return
    }
    case 'node-contact': {
      const node = present(state.nodes.get(event.node), `node ${event.node}`)
      state.nodes.set(node.id, { ...node, contact: event.contact })
      return
    }
    case 'node-foreign': {
      const { foreign: _, ...node } = present(state.nodes.get(event.node), `node ${event.node}`)
      const { gpus, holder } = event
      state.nodes.set(node.id, gpus.length === 0 ? node : { ...node, foreign: { gpus, holder } })
      machine.setForeignUse(event.node, gpus)
      return
    }
    case 'node-renamed':
      renameNode(state, event.node, event.to)
      return
    case 'node-removed':
      state.derived.renamedNodes.delete(engineNameOf(state, event.node))
      state.nodes.delete(event.node)
      machine.removeNode(event.node)
      return
    default:
      unreachable(event)
  }
}
