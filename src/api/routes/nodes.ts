import { z } from 'zod'
import { type Contract, json } from '../contract.ts'
import { named } from '../schema.ts'
import { node, nodeName, nodeOrder } from '../wire/node.ts'
import { listOf } from '../wire/primitives.ts'

const params = z.object({ id: z.string().min(1).max(253) })

/** An operator's order to one node: the three differ only in what it leads to. */
const order = (action: 'cordon' | 'drain' | 'resume', summary: string) =>
  ({
    method: 'POST',
    path: `/v1/nodes/{id}/${action}`,
    tag: 'nodes',
    summary,
    access: { scope: 'cluster', role: 'operator' },
    params,
    body: nodeOrder,
    statuses: [200],
    produces: json(node),
    problems: ['not-found', 'wrong-state', 'storage-full', 'unavailable'],
  }) as const satisfies Contract

export const nodeRoutes = {
  listNodes: {
    method: 'GET',
    path: '/v1/nodes',
    tag: 'nodes',
    summary: 'Every node with its state and what is free',
    access: { scope: 'cluster', role: 'viewer' },
    statuses: [200],
    produces: json(named('NodeList', 'All nodes.', listOf(node))),
    problems: [],
  },
  getNode: {
    method: 'GET',
    path: '/v1/nodes/{id}',
    tag: 'nodes',
    summary: 'One node',
    access: { scope: 'cluster', role: 'viewer' },
    params,
    statuses: [200],
    produces: json(node),
    problems: ['not-found'],
  },
  cordonNode: order('cordon', 'Let a node take nothing new; what runs goes on'),
  drainNode: order('drain', 'Cordon a node and ask what runs there to move'),
  resumeNode: order('resume', 'Let a node take work again'),
  renameNode: {
    method: 'POST',
    path: '/v1/nodes/{id}/rename',
    tag: 'nodes',
    summary: 'Give a node another name, while work runs on it',
    description:
      'Its engine goes on under the name of its own. What runs on the node, is kept on it, is reserved on it or avoids it follows the new name.',
    access: { scope: 'cluster', role: 'operator' },
    params,
    body: nodeName,
    statuses: [200],
    produces: json(node),
    problems: ['not-found', 'invalid-request', 'already-exists', 'storage-full', 'unavailable'],
  },
} as const satisfies Record<string, Contract>
