import type { Handlers } from '../../api/index.ts'
import type { CallContext } from '../context.ts'
import { billHandlers } from './bill.ts'
import { eventHandlers } from './events.ts'
import { logHandlers } from './logs.ts'
import { machineHandlers } from './machine.ts'
import { nodeHandlers } from './nodes.ts'
import { planningHandlers } from './planning.ts'
import { rankHandlers } from './ranks.ts'
import { reservationHandlers } from './reservations.ts'
import { schedulingHandlers } from './scheduling.ts'
import { serverHandlers } from './server.ts'
import { serviceHandlers } from './service.ts'
import { tenancyHandlers } from './tenancy.ts'
import { workloadHandlers } from './workloads.ts'

/** What answers each operation of the API. */
export const HANDLERS: Handlers<CallContext> = {
  ...serverHandlers,
  ...workloadHandlers,
  ...rankHandlers,
  ...logHandlers,
  ...eventHandlers,
  ...nodeHandlers,
  ...machineHandlers,
  ...schedulingHandlers,
  ...planningHandlers,
  ...reservationHandlers,
  ...tenancyHandlers,
  ...serviceHandlers,
  ...billHandlers,
}
