export interface Migration {
  readonly version: number
  readonly name: string
  /** Runs in one transaction with the record that it ran. */
  readonly sql: string
}

/**
 * Every change of the schema, oldest first; one that was released is never edited. Texts that are sorted or compared
 * have the collation "C", so that the order is the same whatever the locale of the server is. Documents are `json`,
 * not `jsonb`, because only `json` gives back the bytes that were written.
 */
export const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    name: 'ledger and state',
    sql: `
create table ledger (
  only_row boolean primary key default true check (only_row),
  epoch bigint not null,
  last_sequence bigint not null
);
insert into ledger (epoch, last_sequence) values (0, 0);

create table events (
  sequence bigint primary key,
  at bigint not null,
  cause text not null,
  kind text not null,
  workload text collate "C",
  actor json not null,
  body json not null
);
create index events_of_workload on events (workload, sequence) where workload is not null;

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'the log of events is append-only' using errcode = 'restrict_violation';
end $$;
create trigger events_append_only before update or delete or truncate on events
  for each statement execute function refuse_change();

create table documents (
  collection text collate "C" not null,
  id text collate "C" not null,
  value json not null,
  primary key (collection, id)
);

create table workloads (
  id text collate "C" primary key,
  number bigint not null,
  organisation text collate "C" not null,
  team text collate "C" not null,
  user_id text collate "C" not null,
  name text collate "C" not null,
  type text not null,
  state text collate "C" not null,
  submitted_at bigint not null,
  final_at bigint,
  document json not null
);
-- One index for each way to list them, see list-workloads.ts. Only the first orders by -number, and none by number
-- alone: the planner would walk it through everybody's workloads in the hope of meeting those that are asked for.
create index workloads_by_state on workloads (state, (-number));
create index workloads_by_organisation on workloads (organisation, state, number);
create index workloads_by_team on workloads (team, state, number);
create index workloads_by_user on workloads (user_id, state, number);
create index workloads_by_organisation_and_name on workloads (organisation, name, state, number);
create index workloads_by_name on workloads (name, state, number);

create table attempts (
  workload bigint not null,
  number bigint not null,
  id text not null,
  state text not null,
  ended_at bigint,
  document json not null,
  primary key (workload, number)
);
create index attempts_live on attempts (workload, number) where state <> 'ended';

create table submissions (
  user_id text collate "C" not null,
  key text collate "C" not null,
  request_hash text not null,
  workloads json not null,
  at bigint not null,
  primary key (user_id, key)
);
`,
  },
]

export const NEWEST_SCHEMA = Math.max(...MIGRATIONS.map((migration) => migration.version))
