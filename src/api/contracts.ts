import type { Contract } from './contract.ts'
import type { ProblemCode } from './problem.ts'
import { billRoutes } from './routes/bill.ts'
import { eventRoutes } from './routes/events.ts'
import { machineRoutes } from './routes/machine.ts'
import { nodeRoutes } from './routes/nodes.ts'
import { planningRoutes } from './routes/planning.ts'
import { reservationRoutes } from './routes/reservations.ts'
import { schedulingRoutes } from './routes/scheduling.ts'
import { serverRoutes } from './routes/server.ts'
import { serviceRoutes } from './routes/service.ts'
import { tenancyRoutes } from './routes/tenancy.ts'
import { workloadRoutes } from './routes/workloads.ts'

/** Every route of the API, by operation. Server, client and OpenAPI document are made from this table. */
export const CONTRACTS = {
  ...serverRoutes,
  ...workloadRoutes,
  ...eventRoutes,
  ...nodeRoutes,
  ...machineRoutes,
  ...schedulingRoutes,
  ...planningRoutes,
  ...reservationRoutes,
  ...tenancyRoutes,
  ...serviceRoutes,
  ...billRoutes,
} as const satisfies Record<string, Contract>

export type Operation = keyof typeof CONTRACTS
export type ContractOf<Op extends Operation> = (typeof CONTRACTS)[Op]
export const OPERATIONS = Object.keys(CONTRACTS) as readonly Operation[]

/** The contract as the general type, for code that works on every route. */
export function contractOf(operation: Operation): Contract {
  return CONTRACTS[operation]
}

/** Every code that this route can answer with, those included that all routes share. */
export function problemsOf(contract: Contract): readonly ProblemCode[] {
  const takesInput = contract.params || contract.query || contract.body
  const shared: ProblemCode[] = ['internal']
  if (takesInput) shared.push('invalid-request')
  if (contract.body) shared.push('too-large')
  if (contract.access.scope !== 'open') shared.push('unauthenticated', 'forbidden', 'too-many-requests')
  return [...new Set([...contract.problems, ...shared])]
}
