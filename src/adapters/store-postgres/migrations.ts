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
  {
    version: 2,
    name: 'usage spans, and events by kind, node and person',
    sql: `
create table usage_spans (
  workload text collate "C" not null,
  organisation text collate "C" not null,
  team text collate "C" not null,
  user_id text collate "C" not null,
  gpu_model text collate "C" not null,
  cause text collate "C" not null,
  milli_gpus bigint not null,
  from_at bigint not null,
  to_at bigint not null
);
create index usage_spans_by_end on usage_spans (to_at);

-- Attempts that ended before there were spans: what is billed came first, what was lost after it. What their start took and
-- how long they waited is not known any more.
insert into usage_spans
select w.id, w.organisation, w.team, w.user_id, coalesce(n.value ->> 'gpuModel', ''), part.cause,
  round(a.held * 1000 / (a.ended_at - a.planned_at))::bigint, part.from_at, part.to_at
from (
  select workload, ended_at, document ->> 'outcome' as outcome, (document ->> 'plannedAt')::bigint as planned_at,
    (document -> 'usage' ->> 'held')::numeric as held, (document -> 'usage' ->> 'billed')::numeric as billed,
    document #>> '{allocation,parts,0,node}' as node
  from attempts where state = 'ended'
) as a
join workloads w on w.number = a.workload
left join documents n on n.collection = 'nodes' and n.id = a.node
cross join lateral (
  select a.planned_at + round((a.ended_at - a.planned_at) * a.billed / a.held)::bigint as kept_until
) as kept
cross join lateral (values
  ('work', a.planned_at, kept.kept_until), (a.outcome, kept.kept_until, a.ended_at)
) as part (cause, from_at, to_at)
where a.held > 0 and a.ended_at > a.planned_at and part.to_at > part.from_at;

create index events_of_kind on events (kind, sequence);
create index events_of_people on events ((-sequence)) where actor ->> 'kind' = 'user';
create function event_node(kind text, body json) returns text language sql immutable as $$
  select case kind
    when 'node-moved' then body ->> 'node'
    when 'node-contact' then body ->> 'node'
    when 'node-removed' then body ->> 'node'
    when 'node-described' then body #>> '{node,id}'
    when 'attempt-ended' then body #>> '{failure,node}'
  end
$$;
create index events_of_node on events (event_node(kind, body), sequence) where event_node(kind, body) is not null;
`,
  },
  {
    version: 3,
    name: 'renamed nodes',
    // No event of the new kind is there yet, so that the index stays true.
    sql: `
create or replace function event_node(kind text, body json) returns text language sql immutable as $$
  select case kind
    when 'node-moved' then body ->> 'node'
    when 'node-contact' then body ->> 'node'
    when 'node-removed' then body ->> 'node'
    when 'node-renamed' then body ->> 'to'
    when 'node-described' then body #>> '{node,id}'
    when 'attempt-ended' then body #>> '{failure,node}'
  end
$$;
`,
  },
  {
    version: 4,
    name: 'what the scheduler remembers, in rows',
    // Numbers stay `json`, which keeps their digits.
    sql: `
create temporary table memory on commit drop as
  select value from documents where collection = 'scheduler' and id = 'memory';
delete from documents where collection = 'scheduler' and id = 'memory';

insert into documents
select 'scheduler', 'clock', json_build_object('kind', 'clock', 'origin', value #> '{usage,clock,origin}',
  'epoch', value #> '{usage,clock,epoch}')
from memory where (value #>> '{usage,clock,epoch}')::numeric <> 0;

insert into documents
select 'scheduler', trim('usage ' || queue || ' ' || user_id), json_strip_nulls(json_build_object(
  'kind', 'usage', 'queue', queue, 'user', nullif(user_id, ''), 'ended', coalesce(ended, '{}'), 'budgetSpans', spans))
from (
  select one ->> 'queue' as queue, coalesce(one ->> 'user', '') as user_id,
    json_object_agg(one ->> 'model', one -> 'gpuSeconds') as ended
  from memory cross join lateral json_array_elements(value #> '{usage,ended}') as one group by 1, 2
) as used
full join (
  select one ->> 'queue' as queue, '' as user_id, one -> 'spans' as spans
  from memory cross join lateral json_array_elements(value #> '{usage,budgets}') as one
) as budgets using (queue, user_id);

insert into documents
select 'scheduler', 'runs ' || (one ->> 'name'), json_build_object('kind', 'runs', 'name', one -> 'name',
  'values', one -> 'values', 'next', one -> 'next')
from memory cross join lateral json_array_elements(value -> 'runs') as one;

insert into documents
select 'scheduler', 'mix', json_build_object('kind', 'mix', 'kinds', value -> 'mix')
from memory where json_array_length(value -> 'mix') > 0;
`,
  },
]

export const NEWEST_SCHEMA = Math.max(...MIGRATIONS.map((migration) => migration.version))
