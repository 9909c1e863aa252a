import { type Contract, json } from '../contract.ts'
import { machine, machineChange } from '../wire/machine.ts'

const access = { scope: 'cluster', role: 'viewer' } as const

export const machineRoutes = {
  getMachine: {
    method: 'GET',
    path: '/v1/machine',
    tag: 'nodes',
    summary: 'The whole machine: every node, and who holds which of its GPUs',
    description: "GPUs that others' work holds are told as held, without whose it is.",
    access,
    statuses: [200],
    produces: json(machine),
    problems: [],
  },
  followMachine: {
    method: 'GET',
    path: '/v1/machine/stream',
    tag: 'nodes',
    summary: 'The whole machine, and then what changes in it',
    description:
      'Begins with a `machine`, as `GET /v1/machine` answers; then a `change` a few times a second while anything changes. Another `machine` comes where nodes were added or removed, and after a gap: it replaces all that was told before.',
    access,
    statuses: [200],
    produces: { kind: 'events', events: { machine, change: machineChange } },
    problems: ['unavailable'],
  },
} as const satisfies Record<string, Contract>
