import type { Generated } from 'kysely'

/** The tables as kysely sees them; `migrations.ts` makes them. JSON columns are written as text and read as values. */
export interface Tables {
  ledger: LedgerTable
  events: EventTable
  documents: DocumentTable
  workloads: WorkloadTable
  attempts: AttemptTable
  submissions: SubmissionTable
  usage_spans: UsageSpanTable
  migrations: MigrationTable
}

/** One row: who may append (S5) and after which event. */
export interface LedgerTable {
  epoch: number
  last_sequence: number
}

export interface EventTable {
  sequence: number
  at: number
  cause: string
  kind: string
  workload: string | null
  actor: unknown
  body: unknown
}

export interface DocumentTable {
  collection: string
  id: string
  value: unknown
}

export interface WorkloadTable {
  number: number
  id: string
  organisation: string
  team: string
  user_id: string
  name: string
  type: string
  state: string
  submitted_at: number
  final_at: number | null
  document: unknown
}

export interface AttemptTable {
  workload: number
  number: number
  id: string
  state: string
  ended_at: number | null
  document: unknown
}

export interface SubmissionTable {
  user_id: string
  key: string
  request_hash: string
  workloads: unknown
  at: number
}

export interface UsageSpanTable {
  workload: string
  organisation: string
  team: string
  user_id: string
  gpu_model: string
  cause: string
  milli_gpus: number
  from_at: number
  to_at: number
}

export interface MigrationTable {
  version: number
  name: string
  applied_at: Generated<Date>
}
