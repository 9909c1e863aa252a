import type { DurationMs } from '../../base/index.ts'

/** How quickly one replica of a served model works. */
export interface Service {
  /** Seconds to read each token of a request. Meanwhile the replica writes none for others (Orca, OSDI 2022). */
  readonly prefillSecondsPerToken: number
  /** Seconds in which each of one, two, ... requests at once gets its next token; it works on no more than these. */
  readonly tokenSeconds: readonly number[]
}

/** What clients ask of a served model, from its submission on. */
export interface RequestLoad {
  /** In order of arrival, in seconds from the beginning of a round. */
  readonly arrivalS: Float64Array
  readonly contextTokens: Uint32Array
  readonly generatedTokens: Uint32Array
  /** After so long the requests come again. */
  readonly roundS: number
  /** Of the first round, after the submission. */
  readonly beginS: number
  readonly lastsS: number
}

/** A model as a scenario serves it. */
export interface ServedModel {
  readonly service: Service
  readonly load: RequestLoad
  /** With so many at every ready replica the gateway refuses more. */
  readonly outstandingPerReplica: number
}

/** After the last request its replicas are kept so long, for the answers under way. */
const DRAIN_S = 300

/** When people end the workload, after its submission. */
export function servedUntilMs({ load }: ServedModel): DurationMs {
  return Math.ceil((load.beginS + load.lastsS + DRAIN_S) * 1000)
}
