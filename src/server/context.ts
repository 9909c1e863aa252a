import type { ServerVersion } from '../api/index.ts'
import type { Engine, Store } from '../control/index.ts'
import type { Capabilities } from '../model/spec/index.ts'
import type { Caller } from './caller.ts'
import type { Clock } from './clock.ts'
import type { EndpointTraffic } from './endpoint-traffic.ts'
import type { Ledger } from './ledger.ts'
import type { Log } from './log.ts'
import type { StartForecasts } from './loops/forecasts.ts'
import type { LatestRankTimes } from './rank-times.ts'
import type { OidcSettings } from './sign-in/oidc-settings.ts'

/** What every handler may use, made once. */
export interface Services {
  readonly ledger: Ledger
  readonly store: Store
  readonly storeKind: 'pglite' | 'postgres'
  readonly engine: Engine
  readonly forecasts: StartForecasts
  readonly rankTimes: LatestRankTimes
  readonly clock: Clock
  readonly log: Log
  readonly version: string
  readonly startedAt: number
  /** Present when the machine is simulated. */
  readonly twin?: ServerVersion['twin']
  /** What specs may ask for here; the levels come from the live cluster. */
  readonly capabilities: EngineCapabilities
  /** Writes a consistent copy of the store. */
  readonly backUp: () => Promise<ReadableStream<Uint8Array>>
  /** The metrics of this process in Prometheus' text format. */
  readonly metrics: () => Promise<string>
  /** Requests that wait at each replica now, by attempt. */
  readonly outstanding: () => ReadonlyMap<string, number>
  /** What endpoints have been asked of late. */
  readonly traffic: EndpointTraffic
  /** Present when people may sign in at an identity provider. */
  readonly oidc?: OidcSettings | undefined
  /** Aborted when the server stops. */
  readonly stopping: AbortSignal
}

export type EngineCapabilities = Omit<Capabilities, 'levels'>

/** One call. */
export interface CallContext extends Services {
  /** Present on every route but the open ones. */
  readonly caller: Caller
  readonly idempotencyKey: string | undefined
  readonly lastEventId: string | undefined
  /** Aborts when the caller goes away or the server stops. */
  readonly signal: AbortSignal
}
