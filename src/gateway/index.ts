export {
  type Caller,
  DEFAULT_LIMITS,
  type Endpoint,
  type FinishedRequest,
  type GatewayLimits,
  type GatewayOptions,
  type Replica,
  type TokenUsage,
} from './contract.ts'
export { createGateway, type Gateway } from './gateway.ts'
