export type { Endpoint, FinishedRequest } from './contract.ts'
export { createGateway, type Gateway } from './gateway.ts'
