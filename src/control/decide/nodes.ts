import type { NodeId } from '../../base/index.ts'
import { sameJson } from '../../base/index.ts'
import type { Allocation, AllocationPart, Node, NodeDescription, NodeState } from '../../model/index.ts'
import { isNodeActionAllowed, SYSTEM } from '../../model/index.ts'
import type { Command } from '../command.ts'
import type { Rejection } from '../effect.ts'
import { engineNameOf, nodeOfEngine, ofEngine } from '../engine-names.ts'
import type { EngineInventory } from '../ports/index.ts'
import type { Recorder } from '../recorder.ts'

/** Takes in the engine's list of nodes: new ones join, changed ones are described anew, missing ones are gone. */
export function observeInventory(recorder: Recorder, inventory: EngineInventory): Rejection | undefined {
  const { state } = recorder
  if (!sameJson(state.cluster.levels, inventory.levels)) {
    if (state.attempts.size + state.holds.size > 0) {
      return {
        code: 'topology-in-use',
        message: `The engine changed the levels of its topology from ${state.cluster.levels.join(' > ')} to ${inventory.levels.join(' > ')} while work runs; they take effect when nothing runs.`,
      }
    }
    for (const node of Array.from(state.nodes.keys())) recorder.emit({ kind: 'node-removed', node })
    recorder.emit({
      kind: 'cluster-described',
      cluster: { name: state.cluster.name, levels: inventory.levels },
    })
  }
  for (const node of inventory.nodes) nodePresent(recorder, node)
  const listed = new Set(inventory.nodes.map((node) => nodeOfEngine(state, node.id)))
  for (const node of Array.from(state.nodes.keys())) if (!listed.has(node)) nodeGone(recorder, node)
  return undefined
}

export function nodePresent(recorder: Recorder, told: NodeDescription): void {
  const { state } = recorder
  // The engine's own names come first: a node that a person named like one that now joins gives the name back.
  if (nodeOfEngine(state, told.id) === undefined) {
    recorder.emit({ kind: 'node-renamed', node: told.id, to: engineNameOf(state, told.id) }, SYSTEM)
  }
  const description = ofEngine(state, told)
  const known = state.nodes.get(description.id)
  if (known && sameJson(descriptionOf(known), description)) return
  giveUpHolds(recorder, 'a node of it has changed', (part) => part.node === description.id)
  recorder.emit({ kind: 'node-described', node: description })
}

/** What is held there was chosen for what the node was; the next pass chooses anew. */
function giveUpHolds(recorder: Recorder, reason: string, isLost: (part: AllocationPart) => boolean): void {
  for (const hold of Array.from(recorder.state.holds.values()))
    if (hold.allocation.parts.some(isLost)) recorder.emit({ kind: 'hold-released', hold: hold.id, reason })
}

/** Attempts on the node are left alone: they end when the engine says so of them (S4). */
export function nodeDown(recorder: Recorder, id: NodeId, reason: string): void {
  const node = recorder.state.nodes.get(id)
  if (node && node.state !== 'down') recorder.emit({ kind: 'node-moved', node: id, to: 'down', reason })
}

/** A node that a person took out of use stays out. */
export function nodeUp(recorder: Recorder, id: NodeId): void {
  if (recorder.state.nodes.get(id)?.state === 'down') {
    recorder.emit({ kind: 'node-moved', node: id, to: 'ready', reason: '' })
  }
}

/** What others hold is scheduled around; the engine tells it anew whenever it changes. */
export function nodeForeign(recorder: Recorder, id: NodeId, gpus: readonly number[], holder: string): void {
  const node = recorder.state.nodes.get(id)
  const known = node?.foreign ?? { gpus: [], holder: '' }
  if (!node || sameJson(known, { gpus, holder })) return
  giveUpHolds(
    recorder,
    'others hold a part of it',
    (part) => part.node === id && part.gpus.some((gpu) => gpus.includes(gpu)),
  )
  recorder.emit({ kind: 'node-foreign', node: id, gpus, holder })
}

export function nodeGone(recorder: Recorder, id: NodeId): void {
  if (!recorder.state.nodes.has(id)) return
  if (!removeIfEmpty(recorder, id)) nodeDown(recorder, id, 'the engine no longer lists it')
}

/** Marks every node by whether its engine answers. It ends nothing (S4). */
export function observeContact(recorder: Recorder, contact: 'connected' | 'lost'): undefined {
  for (const node of Array.from(recorder.state.nodes.values())) {
    if (node.contact !== contact) recorder.emit({ kind: 'node-contact', node: node.id, contact })
  }
  return undefined
}

const STATE_AFTER = { cordon: 'cordoned', drain: 'draining', resume: 'ready' } as const satisfies Record<
  string,
  NodeState
>

export function nodeAction(
  recorder: Recorder,
  command: Extract<Command, { kind: 'node-action' }>,
): Rejection | undefined {
  const node = recorder.state.nodes.get(command.node)
  if (!node) return { code: 'no-such-node', message: `There is no node "${command.node}".` }
  if (!isNodeActionAllowed(node.state, command.action)) {
    return {
      code: 'not-allowed-in-state',
      message: `${node.id} is ${node.state}; it cannot be told to ${command.action}.`,
    }
  }
  const empty = !holdsWork(recorder, node.id)
  const to = command.action === 'drain' && empty ? 'cordoned' : STATE_AFTER[command.action]
  recorder.emit({ kind: 'node-moved', node: node.id, to, reason: command.reason })
  recorder.effect({
    kind: 'node-service',
    node: engineNameOf(recorder.state, node.id),
    order: command.action === 'resume' ? { kind: 'resume' } : { kind: 'drain', reason: command.reason },
  })
  return undefined
}

const NODE_NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/

/** What stands on the node, is kept on it or avoids it goes on; no name may be one that an engine has for another node. */
export function renameNode(recorder: Recorder, from: NodeId, to: NodeId): Rejection | undefined {
  const { state } = recorder
  const node = state.nodes.get(from)
  if (!node) return { code: 'no-such-node', message: `There is no node "${from}".` }
  if (!NODE_NAME.test(to)) {
    return {
      code: 'invalid-name',
      message: `"${to}" cannot name a node: use 1 to 253 letters, digits, ".", "_" or "-", beginning and ending with a letter or digit.`,
    }
  }
  const renamed = state.derived.renamedNodes.get(to)
  if (state.nodes.has(to) || (renamed !== undefined && renamed !== from)) {
    return {
      code: 'already-exists',
      message: state.nodes.has(to)
        ? `There is a node "${to}" already.`
        : `"${to}" is what the engine calls ${renamed}; no other node may have that name.`,
    }
  }
  recorder.emit({ kind: 'node-renamed', node: from, to })
  return undefined
}

/** A draining node from which the last work has gone is cordoned. */
export function settleDrained(recorder: Recorder, freed: Allocation): void {
  for (const part of freed.parts) {
    const node = recorder.state.nodes.get(part.node)
    if (node?.state !== 'draining' || holdsWork(recorder, node.id)) continue
    recorder.emit({ kind: 'node-moved', node: node.id, to: 'cordoned', reason: node.stateReason }, SYSTEM)
  }
}

function removeIfEmpty(recorder: Recorder, id: NodeId): boolean {
  if (holdsWork(recorder, id)) return false
  recorder.emit({ kind: 'node-removed', node: id })
  return true
}

function holdsWork(recorder: Recorder, node: NodeId): boolean {
  for (const attempt of recorder.state.attempts.values()) {
    if (attempt.allocation.parts.some((part) => part.node === node)) return true
  }
  for (const hold of recorder.state.holds.values()) {
    if (hold.allocation.parts.some((part) => part.node === node)) return true
  }
  return false
}

function descriptionOf(node: Node): NodeDescription {
  const { state, stateReason, stateActor, stateSince, contact, engineName, foreign, ...description } = node
  return description
}
