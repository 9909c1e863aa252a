import { id, type QueueId } from '../../../base/index.ts'
import type { Policy } from '../../policy.ts'
import { openQueue, type Queue } from '../../queue.ts'
import { parseHostlist } from '../hostlist.ts'
import type { SlurmNames } from '../sbatch-spec.ts'
import { parseSlurmDuration } from '../slurm-time.ts'
import { type Switch, topologyOf } from '../switch-tree.ts'
import { gpusInTres, readAccounts, type SlurmAccount } from './accounts.ts'
import { type ConfLine, readConfLines } from './conf-lines.ts'

/** The texts of a site's files; those it does not have are left out. */
export interface SlurmFiles {
  readonly slurmConf: string
  readonly gresConf?: string
  readonly switches?: readonly Switch[]
  /** What `sacctmgr dump CLUSTER` wrote. */
  readonly accounts?: string
  /** What `sacctmgr -P show qos` printed, its line of titles included. */
  readonly qos?: string
}

export interface ImportedNodes {
  readonly hosts: string
  readonly count: number
  readonly gpuModel: string
  readonly gpus: number
  readonly cpus: number
  readonly memoryMib: number
}

/** A Slurm site in Banyan's terms, and what could not be put into them. */
export interface ImportedSite {
  readonly cluster: {
    readonly name: string
    readonly levels: readonly string[]
    readonly nodes: readonly ImportedNodes[]
  }
  readonly queues: readonly Queue[]
  readonly users: readonly {
    readonly id: string
    readonly organisation: string
    readonly teams: readonly string[]
  }[]
  readonly policy: Partial<Policy>
  readonly names: SlurmNames
  readonly report: readonly string[]
}

/** Puts a site into Banyan's terms; every setting that shapes scheduling and has no counterpart is in the report. */
export function importSlurm(files: SlurmFiles): ImportedSite {
  const report: string[] = []
  const lines = readConfLines(files.slurmConf)
  const settings = new Map(lines.flatMap(({ settings }) => (isDefinition(settings) ? [] : [...settings])))
  const cluster = clusterOf(lines, files, settings.get('clustername') ?? 'slurm', report)
  const accounts = readAccounts(files.accounts ?? '')
  const { queues, users, teams } = tenantsOf(accounts, report)
  const names: SlurmNames = {
    partitions: partitionsOf(lines, cluster.nodes, report),
    qos: qosOf(files.qos ?? '', report),
    accounts: teams,
  }
  return { cluster, queues, users, policy: policyOf(settings, report), names, report }
}

function isDefinition(settings: ReadonlyMap<string, string>): boolean {
  return ['nodename', 'partitionname', 'nodeset', 'downnodes'].some((key) => settings.has(key))
}

function clusterOf(
  lines: readonly ConfLine[],
  files: SlurmFiles,
  name: string,
  report: string[],
): ImportedSite['cluster'] {
  const defaults = new Map<string, string>()
  const gres = readConfLines(files.gresConf ?? '')
  const nodes = lines.flatMap(({ number, settings: own }) => {
    const hosts = own.get('nodename')
    if (hosts === undefined) return []
    if (hosts === 'DEFAULT') {
      for (const [key, value] of own) defaults.set(key, value)
      return []
    }
    const settings = new Map([...defaults, ...own])
    const read = parseHostlist(hosts)
    if (!read.ok) {
      report.push(`slurm.conf line ${number}: ${read.error}`)
      return []
    }
    const [, type, count] = /gpu(?::([^:(,]+))?:(\d+)/.exec(settings.get('gres') ?? '') ?? []
    const named = type ?? gresType(gres, read.value[0] ?? '')
    const weight = settings.get('weight')
    if (weight !== undefined && weight !== '1') {
      report.push(
        `nodes ${hosts}: Weight=${weight} has no counterpart; Banyan keeps whole nodes and domains whole instead`,
      )
    }
    return [
      {
        hosts,
        count: read.value.length,
        gpuModel: count === undefined ? 'none' : (named ?? 'gpu').toUpperCase(),
        gpus: Number(count ?? 0),
        cpus: cpusOf(settings),
        memoryMib: Number(settings.get('realmemory') ?? 0),
      },
    ]
  })
  return { name, levels: topologyOf(files.switches ?? [], name).levels, nodes }
}

function gresType(gres: readonly ConfLine[], host: string): string | undefined {
  const line = gres.find(({ settings }) => {
    const hosts = parseHostlist(settings.get('nodename') ?? host)
    return settings.get('name') === 'gpu' && settings.has('type') && hosts.ok && hosts.value.includes(host)
  })
  return line?.settings.get('type')
}

function cpusOf(settings: ReadonlyMap<string, string>): number {
  const number = (key: string) => Number(settings.get(key) ?? 1)
  const given = settings.get('cpus') ?? settings.get('procs')
  if (given !== undefined) return Number(given)
  return number('sockets') * number('corespersocket') * number('threadspercore')
}

/** Top accounts become organisations, those below them teams; deeper ones become teams too. */
function tenantsOf(accounts: readonly SlurmAccount[], report: string[]) {
  const queues: Queue[] = []
  const teams: Record<string, { team: string }> = {}
  const teamsOfUser = new Map<string, { organisation: string; teams: string[] }>()
  for (const { name, path, settings, users } of accounts) {
    const organisation = path[0] ?? name
    const hasChildren = accounts.some((other) => other.path.at(-1) === name)
    if (path.length > 1)
      report.push(`account ${name}: ${path.length + 1} levels become two; it is a team of ${organisation}`)
    if (path.length === 0) queues.push(queueOf(name, undefined, settings, report))
    if (path.length > 0 || !hasChildren || users.length > 0) {
      const queue = `${organisation}/${name}`
      queues.push(queueOf(queue, organisation, path.length === 0 ? new Map() : settings, report))
      teams[name] = { team: queue }
      for (const user of users) {
        const known = teamsOfUser.get(user)
        if (known && known.organisation !== organisation) {
          report.push(
            `user ${user}: is in ${known.organisation} and ${organisation}; a user has one organisation here, so only the first is kept`,
          )
        } else teamsOfUser.set(user, { organisation, teams: [...(known?.teams ?? []), queue] })
      }
    }
  }
  return { queues, teams, users: [...teamsOfUser].map(([user, of]) => ({ id: user, ...of })) }
}

const ACCOUNT_COUNTERPARTS = [
  'fairshare',
  'grptres',
  'description',
  'organization',
  'defaultqos',
  'qos',
  'maxtresperuser',
]

function queueOf(
  name: string,
  parent: string | undefined,
  settings: ReadonlyMap<string, string>,
  report: string[],
): Queue {
  for (const [key, value] of settings) {
    if (!ACCOUNT_COUNTERPARTS.includes(key))
      report.push(`account ${name}: ${key}=${value} has no counterpart`)
  }
  const limitGpus = gpusInTres(settings.get('grptres'))
  const fairshare = settings.get('fairshare')
  const weight = /^\d+$/.test(fairshare ?? '') ? Math.max(1, Number(fairshare)) : 1
  if (fairshare === 'parent')
    report.push(`account ${name}: Fairshare=parent has no counterpart; its weight is 1`)
  return {
    ...openQueue(id<QueueId>(name), parent === undefined ? undefined : id<QueueId>(parent)),
    weight,
    ...(limitGpus === undefined ? {} : { limitGpus }),
  }
}

/** What a partition means to a script: which GPUs, and at which priority. */
function partitionsOf(
  lines: readonly ConfLine[],
  nodes: readonly ImportedNodes[],
  report: string[],
): SlurmNames['partitions'] & object {
  const partitions = lines.filter(
    ({ settings }) => (settings.get('partitionname') ?? 'DEFAULT') !== 'DEFAULT',
  )
  const tiers = partitions.map(({ settings }) => Number(settings.get('prioritytier') ?? 1))
  const middle =
    Math.min(...tiers) === Math.max(...tiers)
      ? undefined
      : [...tiers].sort((a, b) => a - b)[tiers.length >> 1]!
  return Object.fromEntries(
    partitions.map(({ settings }, index) => {
      const name = settings.get('partitionname')!
      for (const key of [
        'maxtime',
        'maxnodes',
        'qos',
        'allowaccounts',
        'allowgroups',
        'allowqos',
        'gracetime',
      ] as const) {
        const value = settings.get(key)
        if (value !== undefined && !/^(?:all|unlimited|infinite|n\/a)$/i.test(value)) {
          report.push(
            `partition ${name}: ${key}=${value} has no counterpart; limits stand at queues, and time limits in specs`,
          )
        }
      }
      const hosts = parseHostlist(settings.get('nodes') ?? '')
      const isAll = settings.get('nodes') === 'ALL'
      const within = nodes.filter((group) => {
        const own = parseHostlist(group.hosts)
        return isAll || (hosts.ok && own.ok && own.value.some((host) => hosts.value.includes(host)))
      })
      const models = new Set(within.map(({ gpuModel }) => gpuModel))
      const [model] = models
      const all = new Set(nodes.map(({ gpuModel }) => gpuModel))
      const tier = tiers[index]!
      const priority = middle === undefined || tier === middle ? undefined : tier > middle ? 'high' : 'low'
      return [
        name,
        {
          ...(models.size === 1 && all.size > 1 && model !== undefined ? { gpu: model } : {}),
          ...(priority === undefined ? {} : { priority }),
        },
      ]
    }),
  )
}

/** QOS by priority: those above `normal` are high, those below low. */
function qosOf(text: string, report: string[]): SlurmNames['qos'] & object {
  const [titles = '', ...rows] = text.split('\n').filter((line) => line.trim() !== '')
  const keys = titles.toLowerCase().split('|')
  const all = rows.map((row) => new Map(row.split('|').map((value, index) => [keys[index] ?? '', value])))
  const base = Number(all.find((qos) => qos.get('name') === 'normal')?.get('priority') ?? 0)
  return Object.fromEntries(
    all.map((qos) => {
      const name = qos.get('name') ?? ''
      for (const [key, value] of qos) {
        if (value !== '' && /^(?:grp|max|min)/.test(key))
          report.push(`QOS ${name}: ${key}=${value} has no counterpart; give the limit to a queue`)
      }
      const priority = Number(qos.get('priority') ?? 0)
      return [name, { priority: priority > base ? 'high' : priority < base ? 'low' : 'normal' }]
    }),
  )
}

/** Settings that shape what Slurm schedules and that Banyan has no word for, with what stands in their place. */
const NO_COUNTERPART: Readonly<Record<string, string>> = {
  priorityweightage: 'age breaks ties between queues that are equally served',
  priorityweightjobsize: 'size has no priority of its own; big gangs get reservations',
  priorityweightpartition: 'partitions become priority classes',
  priorityweightqos: 'QOS become priority classes',
  priorityweighttres: 'use is counted as the dominant resource',
  priorityfavorsmall: 'size has no priority of its own',
  schedulerparameters: 'every pass looks at the whole queue',
  enforcepartlimits: 'what can never fit is said at submission',
  jobsubmitplugins: 'scripts that change submissions are not run',
  prolog: 'Slurm goes on to run it',
  epilog: 'Slurm goes on to run it',
  licenses: 'licences are not counted',
}

function policyOf(settings: ReadonlyMap<string, string>, report: string[]): Partial<Policy> {
  for (const [key, instead] of Object.entries(NO_COUNTERPART)) {
    const value = settings.get(key)
    if (value !== undefined && value !== '0') report.push(`${key}=${value} has no counterpart: ${instead}`)
  }
  const halfLife = parseSlurmDuration(settings.get('prioritydecayhalflife') ?? '7-0')
  const preemptType = settings.get('preempttype') ?? 'preempt/none'
  const isBasic =
    settings.get('prioritytype') === 'priority/basic' || settings.get('priorityweightfairshare') === '0'
  return {
    ...(isBasic ? { ordering: 'fifo' } : {}),
    ...(settings.get('schedulertype') === 'sched/builtin' ? { backfill: 'strict' } : {}),
    ...(preemptType === 'preempt/none' ? { preempt: false } : {}),
    ...(halfLife.ok && halfLife.value !== undefined ? { usageHalfLifeMs: halfLife.value } : {}),
  }
}
