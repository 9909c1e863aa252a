import type { Client, NodeView, WorkloadView } from '../../api/index.ts'
import { formatHostlist, parseHostlist } from '../../model/slurm/hostlist.ts'
import { formatSlurmDuration } from '../../model/slurm/slurm-time.ts'
import type { Cli } from '../cli.ts'
import { LIVE_STATES } from '../commands/states.ts'
import { CliFailure } from '../failure.ts'
import { formatView, slurmTime, type ViewColumn } from './format.ts'
import { elapsedMs, isKnownState, isSlurmState, JOB_COLUMNS, type JobRow, stateName } from './job-view.ts'
import { readWords } from './words.ts'

const SQUEUE_FORMAT = '%.18i %.16P %.12j %.10u %.2t %.12M %.6D %R'
const MOST_ROWS = 1_000

/** `banyan squeue`: what waits and runs, in Slurm's columns or those of `-o`. */
export async function squeue(cli: Cli, words: readonly string[]): Promise<void> {
  const given = readWords('squeue', words, {
    values: { format: 'o', user: 'u', states: 't', jobs: 'j', name: 'n', account: 'A', nodelist: 'w' },
    flags: { noheader: 'h', me: '', all: 'a', long: 'l' },
  })
  const client = await cli.client()
  const states = listOf(given.value('states'))
  const unknown = states?.find((state) => !isKnownState(state))
  if (unknown !== undefined) throw new CliFailure('usage', `"${unknown}" is no state of a job in Slurm`)
  const me = given.has('me') ? (await client.whoAmI()).user.id : undefined
  const user = given.value('user') ?? me
  const [{ items }, nodesOf] = await Promise.all([
    client.listWorkloads({ state: states ? undefined : [...LIVE_STATES], limit: MOST_ROWS, user }),
    workloadNodes(client),
  ])
  const [jobs, names, accounts] = ['jobs', 'name', 'account'].map((name) => listOf(given.value(name)))
  const hosts = given.value('nodelist')
  const onNodes = hosts === undefined ? undefined : parseHostlist(hosts)
  if (onNodes && !onNodes.ok) throw new CliFailure('usage', onNodes.error)
  const now = cli.io.now()
  const rows = items
    .filter((workload) => !states || states.some((state) => isSlurmState(workload, state)))
    .filter(({ id }) => !jobs || jobs.map(workloadId).includes(id))
    .filter(({ spec }) => !names || names.includes(spec.name))
    .filter(
      ({ owner }) =>
        !accounts || accounts.some((team) => owner.team === team || owner.team.endsWith(`/${team}`)),
    )
    .map((workload): JobRow => ({ workload, nodes: nodesOf.get(workload.id) ?? [], now }))
    .filter(({ nodes }) => !onNodes?.ok || nodes.some((node) => onNodes.value.includes(node)))
  cli.print(
    rows.map(({ workload, nodes }) => ({ ...workload, nodes })),
    () => formatView(given.value('format') ?? SQUEUE_FORMAT, JOB_COLUMNS, rows, !given.has('noheader')),
  )
}

interface NodeGroup {
  readonly nodes: readonly NodeView[]
  readonly cluster: string
}

const SINFO_FORMAT = '%9P %.5a %.10l %.6D %.6t %N'
const SINFO_NODE_FORMAT = '%N %.6D %.9P %.10T %.4c %.8m %E'

const NODE_COLUMNS: Readonly<Record<string, ViewColumn<NodeGroup>>> = {
  P: { title: 'PARTITION', cell: ({ cluster }) => `${cluster}*` },
  R: { title: 'PARTITION', cell: ({ cluster }) => cluster },
  a: { title: 'AVAIL', cell: () => 'up' },
  l: { title: 'TIMELIMIT', cell: () => 'infinite' },
  D: { title: 'NODES', cell: ({ nodes }) => String(nodes.length) },
  t: { title: 'STATE', cell: ({ nodes }) => SHORT_STATES[nodeState(nodes[0]!)] ?? nodeState(nodes[0]!) },
  T: { title: 'STATE', cell: ({ nodes }) => nodeState(nodes[0]!) },
  N: { title: 'NODELIST', cell: ({ nodes }) => formatHostlist(nodes.map(({ id }) => id)) },
  n: { title: 'HOSTNAMES', cell: ({ nodes }) => formatHostlist(nodes.map(({ id }) => id)) },
  G: {
    title: 'GRES',
    cell: ({ nodes: [first] }) => `gpu:${first!.gpuModel.toLowerCase()}:${first!.gpuCount}`,
  },
  c: { title: 'CPUS', cell: ({ nodes: [first] }) => String(first!.cpuCount) },
  m: { title: 'MEMORY', cell: ({ nodes: [first] }) => String(Math.floor(first!.memoryBytes / 2 ** 20)) },
  E: {
    title: 'REASON',
    cell: ({ nodes: [first] }) => (first!.state === 'ready' ? 'none' : first!.stateReason),
  },
  H: { title: 'TIMESTAMP', cell: ({ nodes: [first] }) => slurmTime(first!.stateSince) },
}

const SHORT_STATES: Readonly<Record<string, string>> = {
  allocated: 'alloc',
  mixed: 'mix',
  drained: 'drain',
  draining: 'drng',
}

/** `banyan sinfo`: the nodes by state, or one by one with `-N`. */
export async function sinfo(cli: Cli, words: readonly string[]): Promise<void> {
  const given = readWords('sinfo', words, {
    values: { format: 'o', nodes: 'n', states: 't' },
    flags: { noheader: 'h', Node: 'N', long: 'l' },
  })
  const client = await cli.client()
  const [{ items }, { cluster }] = await Promise.all([client.listNodes(), client.getVersion()])
  const hosts = parseHostlist(given.value('nodes') ?? '')
  if (!hosts.ok) throw new CliFailure('usage', hosts.error)
  const states = listOf(given.value('states'))
  const shown = items
    .filter(({ id }) => hosts.value.length === 0 || hosts.value.includes(id))
    .filter((node) => !states || states.some((state) => nodeState(node).startsWith(state.toLowerCase())))
  const groups = new Map<string, NodeView[]>()
  for (const node of shown) {
    const reason = node.state === 'ready' ? '' : node.stateReason
    const key = given.has('Node') ? node.id : `${nodeState(node)} ${node.gpuModel} ${node.gpuCount} ${reason}`
    groups.set(key, [...(groups.get(key) ?? []), node])
  }
  const rows = [...groups.values()].map((nodes): NodeGroup => ({ nodes, cluster: cluster.name }))
  const format = given.value('format') ?? (given.has('Node') ? SINFO_NODE_FORMAT : SINFO_FORMAT)
  cli.print(shown, () => formatView(format, NODE_COLUMNS, rows, !given.has('noheader')))
}

/** A node's state in Slurm's words. */
function nodeState({ state, contact, gpuCount, allocatedMilliGpus, foreign }: NodeView): string {
  if (state === 'ready') {
    const used = allocatedMilliGpus / 1000 + (foreign?.gpus.length ?? 0)
    const name = used === 0 ? 'idle' : used >= gpuCount ? 'allocated' : 'mixed'
    return contact === 'lost' ? `${name}*` : name
  }
  if (state === 'down') return 'down'
  if (state === 'testing') return 'maint'
  return allocatedMilliGpus > 0 ? 'draining' : 'drained'
}

/** `banyan scancel`: stops workloads by id, or all of a user or name. */
export async function scancel(cli: Cli, words: readonly string[]): Promise<void> {
  const given = readWords('scancel', words, {
    values: { user: 'u', name: 'n', state: 't', signal: 's' },
    flags: { quiet: 'Q', me: '', full: 'f', batch: 'b' },
  })
  const signal = given.value('signal')
  const kills = signal !== undefined && /^(?:SIG)?(?:KILL|9)$/.test(signal)
  if (signal !== undefined && !kills && !/^(?:SIG)?(?:TERM|15)$/.test(signal)) {
    throw new CliFailure(
      'usage',
      `banyan scancel cannot send ${signal}`,
      'It ends work: with TERM, or with -s KILL at once.',
    )
  }
  const client = await cli.client()
  const ids = given.rest.flatMap((word) => word.split(',')).map(workloadId)
  const user = given.has('me') ? (await client.whoAmI()).user.id : given.value('user')
  const [name, state] = [given.value('name'), given.value('state')]
  if (ids.length === 0 && user === undefined && name === undefined && state === undefined) {
    throw new CliFailure('usage', 'banyan scancel needs job ids, or -u USER, --me, -n NAME or -t STATE')
  }
  const chosen = ids.length > 0 ? ids : (await matching(client, { user, name, state })).map(({ id }) => id)
  for (const id of chosen) await client.stopWorkload({ id, kill: kills })
  cli.print({ cancelled: chosen }, () => '')
}

async function matching(
  client: Client,
  wanted: { user: string | undefined; name: string | undefined; state: string | undefined },
): Promise<readonly WorkloadView[]> {
  const { user, name, state } = wanted
  const { items } = await client.listWorkloads({ state: [...LIVE_STATES], limit: MOST_ROWS, user, name })
  return items.filter((workload) => state === undefined || isSlurmState(workload, state))
}

/** The fields of `sacct --format`, by lower-case name. */
const ACCOUNTING: Readonly<Record<string, ViewColumn<JobRow>>> = {
  jobid: { title: 'JobID', cell: ({ workload }) => workload.id },
  jobname: { title: 'JobName', cell: ({ workload }) => workload.spec.name },
  partition: { title: 'Partition', cell: ({ workload }) => workload.queue },
  account: { title: 'Account', cell: ({ workload }) => workload.owner.team },
  user: { title: 'User', cell: ({ workload }) => workload.owner.user },
  qos: { title: 'QOS', cell: ({ workload }) => workload.spec.priority },
  state: { title: 'State', cell: ({ workload }) => stateName(workload) },
  elapsed: { title: 'Elapsed', cell: (row) => formatSlurmDuration(elapsedMs(row)) },
  timelimit: { title: 'Timelimit', cell: ({ workload }) => formatSlurmDuration(workload.spec.limitMs) },
  submit: { title: 'Submit', cell: ({ workload }) => slurmTime(workload.submittedAt) },
  start: { title: 'Start', cell: ({ workload }) => slurmTime(workload.firstStartedAt) },
  end: {
    title: 'End',
    cell: ({ workload: { state, stateSince } }) =>
      /^(?:succeeded|failed|cancelled)$/.test(state) ? slurmTime(stateSince) : 'Unknown',
  },
  nodelist: { title: 'NodeList', cell: ({ nodes }) => formatHostlist(nodes) || 'None assigned' },
  nnodes: { title: 'NNodes', cell: ({ nodes }) => String(nodes.length) },
  restarts: { title: 'Restarts', cell: ({ workload }) => String(Math.max(0, workload.attemptCount - 1)) },
  gpuhours: { title: 'GPUHours', cell: ({ workload }) => (workload.usage.billed / 3_600_000).toFixed(2) },
  reason: { title: 'Reason', cell: ({ workload }) => workload.stateReason },
}
const SACCT_FORMAT = 'JobID%12,JobName%16,Partition%16,Account%16,State%12,Elapsed%12,GPUHours%10'

/** `banyan sacct`: what was and is, with what it used. */
export async function sacct(cli: Cli, words: readonly string[]): Promise<void> {
  const given = readWords('sacct', words, {
    values: { format: 'o', user: 'u', state: 's', jobs: 'j', name: '' },
    flags: { noheader: 'n', parsable2: 'P', parsable: 'p', allocations: 'X', allusers: 'a' },
  })
  const client = await cli.client()
  const states = listOf(given.value('state'))
  const jobs = listOf(given.value('jobs'))?.map(workloadId)
  const { items } = await client.listWorkloads({
    limit: MOST_ROWS,
    user: given.value('user'),
    name: given.value('name'),
  })
  const chosen = items
    .filter(({ id }) => !jobs || jobs.includes(id))
    .filter((workload) => !states || states.some((state) => isSlurmState(workload, state)))
  const fields = (given.value('format') ?? SACCT_FORMAT)
    .split(',')
    .map((text) => accountingField(text.trim()))
  const needsNodes = fields.some(({ name }) => /^n(?:odelist|nodes)$/.test(name))
  const now = cli.io.now()
  const rows = await Promise.all(
    chosen.map(async (workload): Promise<JobRow> => {
      const attempts = needsNodes ? (await client.listAttempts({ id: workload.id })).items : []
      return { workload, nodes: attempts.at(-1)?.allocation.parts.map(({ node }) => node) ?? [], now }
    }),
  )
  const isParsable = given.has('parsable2') || given.has('parsable')
  const end = given.has('parsable') ? '|' : ''
  cli.print(chosen, () => {
    const line = (textOf: (column: ViewColumn<JobRow>) => string) =>
      isParsable
        ? fields.map(({ column }) => textOf(column)).join('|') + end
        : fields
            .map(({ column, width }) => textOf(column).slice(0, width).padEnd(width))
            .join(' ')
            .trimEnd()
    const titles = given.has('noheader') ? [] : [line(({ title }) => title)]
    return [...titles, ...rows.map((row) => line(({ cell }) => cell(row)))].join('\n')
  })
}

function accountingField(text: string): { name: string; column: ViewColumn<JobRow>; width: number } {
  const [given = '', width = '20'] = text.split('%')
  const name = given.toLowerCase()
  const column = ACCOUNTING[name]
  if (column) return { name, column, width: Math.abs(Number(width)) || 20 }
  const known = Object.values(ACCOUNTING).map(({ title }) => title)
  throw new CliFailure('usage', `sacct has no field "${given}" here`, `There are ${known.join(', ')}.`)
}

async function workloadNodes(client: Client): Promise<ReadonlyMap<string, readonly string[]>> {
  const { items } = await client.listNodes()
  const nodesOf = new Map<string, string[]>()
  for (const { id, attempts } of items) {
    for (const { workload } of attempts) nodesOf.set(workload, [...(nodesOf.get(workload) ?? []), id])
  }
  return nodesOf
}

/** Slurm's ids are bare numbers, which scripts hand on. */
function workloadId(text: string): string {
  return /^\d+$/.test(text) ? `w${text}` : text
}

function listOf(value: string | undefined): string[] | undefined {
  return value?.split(',').filter(Boolean)
}
