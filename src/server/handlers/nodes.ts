import type { NodeView } from '../../api/index.ts'
import { compareIds, id, type NodeId, present } from '../../base/index.ts'
import type { NodeAction } from '../../model/index.ts'
import type { CallContext } from '../context.ts'
import { execute } from '../find.ts'
import { ProblemError } from '../problem-error.ts'
import { attemptsByNode, nodeView } from '../views.ts'
import type { HandlersOf } from './part.ts'

export const nodeHandlers: HandlersOf<
  'listNodes' | 'getNode' | 'cordonNode' | 'drainNode' | 'resumeNode' | 'renameNode'
> = {
  listNodes: async (_input, { ledger, caller }) => {
    const byNode = attemptsByNode(ledger.state)
    const nodes = [...ledger.state.nodes.values()].sort((a, b) => compareIds(a.id, b.id))
    return {
      items: nodes.map((node) => nodeView(ledger.state, node, caller.user, byNode.get(node.id) ?? [])),
    }
  },
  getNode: async (input, { ledger, caller }) => {
    const node = ledger.state.nodes.get(id<NodeId>(input.id))
    if (!node)
      throw new ProblemError('not-found', `There is no node "${input.id}".`, {
        hint: 'banyan nodes lists them.',
      })
    return nodeView(ledger.state, node, caller.user)
  },
  cordonNode: (input, context) => order(context, input, 'cordon'),
  drainNode: (input, context) => order(context, input, 'drain'),
  resumeNode: (input, context) => order(context, input, 'resume'),
  renameNode: async (input, context) => {
    const to = id<NodeId>(input.name)
    await execute(context, { kind: 'rename-node', node: id<NodeId>(input.id), to })
    return changed(context, to)
  },
}

async function order(
  context: CallContext,
  input: { readonly id: string; readonly reason: string },
  action: NodeAction,
): Promise<NodeView> {
  const node = id<NodeId>(input.id)
  await execute(context, { kind: 'node-action', node, action, reason: input.reason })
  return changed(context, node)
}

function changed({ ledger: { state }, caller }: CallContext, node: NodeId): NodeView {
  return nodeView(state, present(state.nodes.get(node), `node ${node}`), caller.user)
}
