import type { NodeId } from '../base/index.ts'
import type { Allocation, Node, NodeDescription } from '../model/index.ts'
import type { EngineFact, TaskExit } from './ports/index.ts'
import type { ControlState } from './state.ts'

/*
 * People may rename a node; its engine goes on under the name of its own. Orders to an engine and what it tells are
 * translated here, so that nothing else has to know that there are two names.
 */

/** Nodes by the names that people know, with the engine's where it is another. */
export type NodeNames = ReadonlyMap<NodeId, Pick<Node, 'engineName'>>

/** What the engine calls the node. */
export function engineNameOf(state: ControlState, node: NodeId): NodeId {
  return state.nodes.get(node)?.engineName ?? node
}

/** The node that the engine calls so; none where the name was given to another node, and the engine's is not known yet. */
export function nodeOfEngine(state: ControlState, name: NodeId): NodeId | undefined {
  const renamed = state.derived.renamedNodes.get(name)
  if (renamed !== undefined) return renamed
  return state.nodes.get(name)?.engineName === undefined ? name : undefined
}

/** The allocation with its nodes as the engine calls them. */
export function forEngine(nodes: NodeNames, allocation: Allocation): Allocation {
  if (allocation.parts.every(({ node }) => nodes.get(node)?.engineName === undefined)) return allocation
  const parts = allocation.parts.map((part) => ({
    ...part,
    node: nodes.get(part.node)?.engineName ?? part.node,
  }))
  return { ...allocation, parts }
}

/** The description under the name that people know; the engine's own for a node that is not known yet. */
export function ofEngine(state: ControlState, description: NodeDescription): NodeDescription {
  const node = nodeOfEngine(state, description.id)
  return node === undefined || node === description.id ? description : { ...description, id: node }
}

/** The end of an attempt with its nodes under the names that people know. */
export function endOfEngine<
  End extends Pick<Extract<EngineFact, { kind: 'attempt-ended' }>, 'exits' | 'cause'>,
>(state: ControlState, end: End): End {
  if (state.derived.renamedNodes.size === 0) return end
  const known = (name: NodeId) => nodeOfEngine(state, name) ?? name
  const exits: TaskExit[] = end.exits.map((exit) => ({ ...exit, node: known(exit.node) }))
  const node = end.cause?.node
  return { ...end, exits, ...(node === undefined ? {} : { cause: { ...end.cause, node: known(node) } }) }
}
