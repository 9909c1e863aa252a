export { ApiProblem } from './client/api-problem.ts'
export type { ChatMessage, ChatRequest } from './client/chat.ts'
export { type CallOptions, type Client, createClient } from './client/client.ts'
export type { ClientOptions } from './client/connection.ts'
export type { Access, Answer, CallInput, Contract, HandlerInput, StreamedEvent } from './contract.ts'
export { TIME_HEADER } from './contract.ts'
export {
  CONTRACTS,
  type ContractOf,
  contractOf,
  OPERATIONS,
  type Operation,
  problemsOf,
} from './contracts.ts'
export { type Handler, type Handlers, statusOf } from './handler.ts'
export { describeEvent, type KnownEvent, knownEventOf } from './known-event.ts'
export { openApiDocument } from './openapi.ts'
export { parseInput, type RawInput } from './parse-input.ts'
export * from './problem.ts'
export type { AttemptView, LogChunkView } from './wire/attempt.ts'
export type { Bill, PricesView } from './wire/bill.ts'
export type { EndpointTrafficView, EndpointView } from './wire/endpoint.ts'
export type { LoggedEventView } from './wire/event.ts'
export type { Explained, ExplanationView, ForecastScore } from './wire/explanation.ts'
export type {
  MachineAttemptView,
  MachineChange,
  MachineNodeView,
  MachineView,
} from './wire/machine.ts'
export type { NodeView } from './wire/node.ts'
export type { PlanView, ServingPlanView } from './wire/plan.ts'
export type { PolicyView } from './wire/policy.ts'
export type { PolicyApplied } from './wire/policy-apply.ts'
export type { QueueView } from './wire/queue.ts'
export type { RankTimesView } from './wire/rank-times.ts'
export type { ReservationView } from './wire/reservation.ts'
export type { Health, ServerVersion, WhoAmI } from './wire/server.ts'
export type { ShareHistoryView } from './wire/share-history.ts'
export type { IssuedToken, OrganisationView, TeamView, TokenView, UserView } from './wire/tenancy.ts'
export type { UsageSummary } from './wire/usage-summary.ts'
export type { WaitingView } from './wire/waiting.ts'
export type { Impact } from './wire/what-if.ts'
export type { Submitted, WorkloadView } from './wire/workload.ts'
