export type { Endpoint } from './contract.ts'
export { createGateway, type Gateway } from './gateway.ts'
