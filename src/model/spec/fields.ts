import type { WorkloadType } from '../workload-spec.ts'

/** One field that a spec may have: what the parser knows, and what docs/spec.md says, from one place. */
export interface SpecField {
  /** `topology.within.level` */
  readonly path: string
  readonly types: readonly WorkloadType[]
  /** What it takes, for people. */
  readonly takes: string
  /** What stands when it is left out; `required` where it must not be. */
  readonly absent: string
  readonly meaning: string
}

const ALL = ['train', 'serve', 'machines'] as const
const PROGRAMS = ['train', 'serve'] as const
const TRAIN = ['train'] as const
const SERVE = ['serve'] as const
const MACHINES = ['machines'] as const

function field(
  path: string,
  types: readonly WorkloadType[],
  takes: string,
  absent: string,
  meaning: string,
): SpecField {
  return { path, types, takes, absent, meaning }
}

export const SPEC_FIELDS: readonly SpecField[] = [
  field(
    'type',
    ALL,
    '`train`, `serve` or `machines`',
    'required',
    'A gang that runs to completion, replicas behind an endpoint, or machines held for a person.',
  ),
  field(
    'name',
    ALL,
    'text of `a-z 0-9 . _ -`, at most 63',
    'required',
    'What lists and commands call it; need not be unique.',
  ),
  field(
    'team',
    ALL,
    '`team` or `organisation/team`',
    'your first team',
    'Whose queue and quota it is charged to.',
  ),
  field(
    'priority',
    ALL,
    '`low`, `normal`, `high` or `critical`',
    '`normal`',
    'Larger goes first within its queue.',
  ),
  field(
    'preemptible',
    ALL,
    '`true` or `false`',
    '`true`; `false` for machines',
    'Whether it may be stopped for others, after a signal to save, and started again later.',
  ),

  field(
    'nodes',
    ALL,
    'whole number from 1',
    'this or `gpus`',
    'How many nodes; each is taken whole unless `gpusPerNode` says otherwise.',
  ),
  field('gpusPerNode', ALL, 'whole number from 1', 'all of a node', 'GPUs on each of `nodes`.'),
  field(
    'gpus',
    ALL,
    'whole number from 1, a share below 1 such as `0.25`, or `auto`',
    'this or `nodes`',
    'How many GPUs (slots, on a machine without), on as few nodes as possible; or a share of one; `auto` takes the size from `plan`.',
  ),
  field('gpu', ALL, 'a model, a list of models, or `model` and `memory`', 'any', 'Which GPUs will do.'),
  field('gpu.model', ALL, 'a model or a list of models', 'any', 'The beginning of a name is enough: `H100`.'),
  field(
    'gpu.memory',
    ALL,
    '`40GB..80GB`, `40GB..`, `..80GB` or `40GB` (at least)',
    'any',
    'Memory of each GPU.',
  ),
  field(
    'elastic',
    TRAIN,
    '`min` and `max`',
    'fixed size',
    'The gang may run at any size in between, counted in `nodes` or `gpus`; needs `checkpoint`.',
  ),
  field('elastic.min', TRAIN, 'whole number from 1', '`nodes` or `gpus`', 'The smallest size it can run at.'),
  field('elastic.max', TRAIN, 'whole number', '`nodes` or `gpus`', 'The largest size it can use.'),

  field('topology', ALL, '`within`, `segment`, `spread`', 'none', 'Where its nodes shall stand.'),
  field(
    'topology.within',
    ALL,
    'a level, or `level`, `mode` and `wait`',
    'none',
    'The gang stands inside one domain of this level.',
  ),
  field(
    'topology.within.level',
    ALL,
    'a level of the cluster',
    'required',
    'For example `block`; `banyan version` lists the levels.',
  ),
  field(
    'topology.within.mode',
    ALL,
    '`required` or `preferred`',
    '`required`',
    'Whether it would rather wait or be spread wider.',
  ),
  field(
    'topology.within.wait',
    ALL,
    'time span',
    'no wait',
    'With `preferred`: how long to hold out for it.',
  ),
  field(
    'topology.segment',
    ALL,
    '`nodes` and `level`',
    'none',
    'The gang is cut into equal parts, each inside one domain.',
  ),
  field(
    'topology.segment.nodes',
    ALL,
    'whole number from 1 that divides `nodes`',
    'required',
    'Nodes of one part.',
  ),
  field(
    'topology.segment.level',
    ALL,
    'a level of the cluster',
    'required',
    'The domain that holds one part.',
  ),
  field(
    'topology.spread',
    ALL,
    'a level, or `level` and `mode`',
    'none',
    'Replicas stand in different domains of this level.',
  ),
  field(
    'topology.spread.level',
    ALL,
    'a level of the cluster',
    'required',
    'For example `block`, or `node` for a node each.',
  ),
  field(
    'topology.spread.mode',
    ALL,
    '`required` or `preferred`',
    '`preferred`',
    'Whether a replica would rather wait or share a domain.',
  ),

  field(
    'run',
    PROGRAMS,
    'a command or a list of commands',
    'required',
    'Run by `sh -c` in order in every task; the first that fails ends it.',
  ),
  field(
    'tasksPer',
    PROGRAMS,
    '`gpu` or `node`',
    '`gpu`',
    'Whether one task is started for each GPU or for each node.',
  ),
  field('env', PROGRAMS, 'names with values', 'none', 'Environment of the tasks, beside what Banyan sets.'),
  field(
    'workdir',
    PROGRAMS,
    'a folder',
    "the spec file's folder",
    "Where the commands run; relative to the spec file's folder.",
  ),
  field(
    'image',
    PROGRAMS,
    'a container image',
    'none',
    'What the tasks run in, where the engine has containers.',
  ),

  field('time', ALL, 'a time span (the limit), or the fields below', 'none', 'How long one attempt takes.'),
  field(
    'time.expected',
    ALL,
    'time span',
    'learned from history',
    'Your estimate; a good one lets it start sooner.',
  ),
  field('time.limit', ALL, 'time span', 'none', 'When an attempt is stopped.'),
  field(
    'time.notBefore',
    ALL,
    'moment with its zone, such as `2026-12-24T08:00:00Z`',
    'none',
    'It starts no sooner.',
  ),
  field('time.warn', ALL, '`signal` and `before`', 'none', 'How it is told that the limit comes near.'),
  field(
    'time.warn.signal',
    ALL,
    '`SIGTERM`, `SIGINT`, `SIGHUP`, `SIGQUIT`, `SIGUSR1`, `SIGUSR2` or `SIGCONT`',
    'required',
    'What the tasks are sent, instead of SIGTERM at the limit. Ending well in time counts as success.',
  ),
  field(
    'time.warn.before',
    ALL,
    'time span',
    '1m',
    'How long before the limit; what is left at the limit is killed.',
  ),
  field('onlyNodes', ALL, 'a node, or a list of nodes', 'any', 'It runs on these nodes alone.'),
  field('exceptNodes', ALL, 'a node, or a list of nodes', 'none', 'It runs on none of these nodes.'),
  field(
    'retry',
    ALL,
    'whole number (`user`), or `user` and `platform`',
    'see below',
    'How often it is started again after a failure.',
  ),
  field('retry.user', ALL, 'whole number', '`0`; `5` for serve', 'After failures of your own program.'),
  field(
    'retry.platform',
    ALL,
    'whole number',
    '`100`',
    'After failures of the platform, which cost you nothing.',
  ),

  field(
    'checkpoint',
    TRAIN,
    '`path`, `every`, `grace`',
    'none',
    'What it saves, so that it can go on from there.',
  ),
  field(
    'checkpoint.path',
    TRAIN,
    'a folder',
    'required',
    'Kept across attempts; relative to `workdir`; `BANYAN_CHECKPOINT_DIR` in the task.',
  ),
  field(
    'checkpoint.every',
    TRAIN,
    'time span',
    'unknown',
    'How often your program saves: what an eviction costs at most.',
  ),
  field('checkpoint.grace', TRAIN, 'time span', '`30s`', 'Time between the signal to save and the end.'),
  field(
    'plan',
    TRAIN,
    'what the run is',
    'none',
    'Its step time is planned by this, and with `gpus: auto` its size; `banyan show` sets real steps against it.',
  ),
  field(
    'plan.model',
    TRAIN,
    'text',
    'required',
    'A model of `banyan plan --models`, or a name beside `plan.shape`.',
  ),
  field(
    'plan.shape',
    TRAIN,
    '`layers`, `hidden`, `heads` ...',
    'by the name',
    'A model that has no known name.',
  ),
  field('plan.shape.layers', TRAIN, 'whole number', 'required', 'Layers.'),
  field('plan.shape.hidden', TRAIN, 'whole number', 'required', 'Hidden width.'),
  field('plan.shape.heads', TRAIN, 'whole number', 'required', 'Attention heads.'),
  field('plan.shape.kvHeads', TRAIN, 'whole number', '`heads`', 'Heads of keys and values.'),
  field('plan.shape.ffn', TRAIN, 'whole number', 'four times `hidden`', 'Inner width of the MLP.'),
  field('plan.shape.vocabulary', TRAIN, 'whole number', '`128256`', 'Tokens that are told apart.'),
  field('plan.shape.experts', TRAIN, 'whole number', 'none', 'Experts of a mixture.'),
  field('plan.shape.topK', TRAIN, 'whole number', '`2`', 'Experts that each token is sent to.'),
  field('plan.shape.expertFfn', TRAIN, 'whole number', '`ffn`', 'Inner width of an expert.'),
  field('plan.tokens', TRAIN, 'number such as `300B`', 'this or `steps`', 'Tokens to train on.'),
  field('plan.steps', TRAIN, 'whole number', 'this or `tokens`', 'Steps to train for, with `batch`.'),
  field('plan.batch', TRAIN, 'whole number', 'about four million tokens', 'Sequences of a step.'),
  field('plan.sequence', TRAIN, 'whole number', "the model's own", 'Tokens of a sequence.'),
  field('plan.precision', TRAIN, '`bf16`, `fp8` or `fp4`', '`bf16`', 'Of the matrix multiplies.'),
  field(
    'plan.finishBy',
    TRAIN,
    'a date, a weekday or a time span',
    'no haste',
    'When it must be done, counted from the submission as if it started at once.',
  ),
  field('plan.budget', TRAIN, 'dollars, such as `2M`', 'no limit', 'What it may cost at list prices.'),
  field('dependsOn', TRAIN, 'a name or id, or a list', 'none', 'Workloads that must have succeeded first.'),
  field(
    'array',
    TRAIN,
    '`0-9`, `0-9:2`, `1,3,7-9`, or a list',
    'none',
    'One workload for each index, called `name-INDEX`, with `BANYAN_ARRAY_INDEX` set.',
  ),

  field('model', SERVE, 'text', '`name`', 'What clients ask for in `model`.'),
  field('replicas', SERVE, 'whole number', '`1`', 'How many copies, each with the resources above.'),
  field(
    'readiness',
    SERVE,
    '`path`, `timeout`, `every`',
    'see below',
    'How Banyan asks a replica whether it is ready.',
  ),
  field(
    'readiness.path',
    SERVE,
    'URL path',
    '`/health`',
    'It is ready when this answers with 2xx on `PORT`.',
  ),
  field('readiness.timeout', SERVE, 'time span', '`5s`', 'How long one answer may take.'),
  field('readiness.every', SERVE, 'time span', '`2s`', 'How often it is asked.'),

  field('count', MACHINES, 'whole number from 1', '`1`', 'How many machines.'),
]

/** Fields that are foreseen and not built: known by name, so that the refusal can say so. */
export const FORESEEN: Readonly<Record<string, string>> = {
  scale: 'replicas are not scaled by load yet; set `replicas`, and change it with `banyan scale`',
  begin: 'a start time cannot be set yet; submit it when it may start',
  '<<': 'merge keys are not understood; write the fields out, or use an anchor for each value',
}

/** The names allowed right under a path (empty for the top), for this type of workload. */
export function namesUnder(path: string, type: WorkloadType | undefined): readonly string[] {
  const prefix = path === '' ? '' : `${path}.`
  return SPEC_FIELDS.filter(
    (known) =>
      known.path.startsWith(prefix) &&
      !known.path.slice(prefix.length).includes('.') &&
      (type === undefined || known.types.includes(type)),
  ).map((known) => known.path.slice(prefix.length))
}

/** The types of workload that have this field. */
export function typesWith(path: string): readonly WorkloadType[] {
  return SPEC_FIELDS.find((known) => known.path === path)?.types ?? []
}
