import { parseHostlist } from './hostlist.ts'
import type { GivenOption } from './sbatch-options.ts'
import { scriptRun } from './sbatch-run.ts'
import { parseSlurmDuration } from './slurm-time.ts'

/** What a site's partitions and QOS mean here; `banyan slurm import` writes one. */
export interface SlurmNames {
  readonly partitions?: Readonly<Record<string, MeaningOfName>>
  readonly qos?: Readonly<Record<string, MeaningOfName>>
  readonly accounts?: Readonly<Record<string, MeaningOfName>>
}

export interface MeaningOfName {
  readonly team?: string
  readonly priority?: string
  readonly gpu?: string
}

export interface SbatchScript {
  /** Later ones count, as in Slurm: the command line comes after the script. */
  readonly options: readonly GivenOption[]
  readonly text: string
  readonly arguments: readonly string[]
  /** File name of the script; the job's name where none is given. */
  readonly file: string
  /** Names of the levels of the cluster, outermost first, the last `node`. */
  readonly levels: readonly string[]
  readonly names: SlurmNames
}

type Spec = Record<string, unknown>
export type SbatchSpec =
  | { readonly ok: true; readonly spec: Spec }
  | { readonly ok: false; readonly problems: readonly string[] }

/** Signals that a program can be warned by, by their numbers on Linux (signal(7); x86 and Arm). */
const SIGNALS: Readonly<Record<string, string>> = {
  1: 'HUP',
  2: 'INT',
  3: 'QUIT',
  10: 'USR1',
  12: 'USR2',
  15: 'TERM',
  18: 'CONT',
}
const PRIORITIES = ['low', 'normal', 'high', 'critical']

/**
 * The spec of a batch script, in the form of docs/spec.md; or every option that cannot be honoured, by name. The
 * script runs once in each task, and `srun` inside it runs its command in place.
 */
export function specOfScript(script: SbatchScript): SbatchSpec {
  return new Translation(script).result()
}

class Translation {
  readonly #script: SbatchScript
  readonly #given = new Map<string, GivenOption>()
  readonly #problems: string[] = []
  readonly #spec: Spec = { type: 'train' }
  #warnedBy: string | undefined

  constructor(script: SbatchScript) {
    this.#script = script
    for (const option of script.options) this.#given.set(option.name, option)
  }

  result(): SbatchSpec {
    this.#name()
    this.#size()
    this.#time()
    this.#who()
    this.#topology()
    this.#order()
    this.#refused()
    this.#program()
    return this.#problems.length > 0
      ? { ok: false, problems: this.#problems }
      : { ok: true, spec: this.#spec }
  }

  #value(name: string): string | undefined {
    return this.#given.get(name)?.value
  }

  #fail(name: string, why: string): undefined {
    const { where = 'script' } = this.#given.get(name) ?? {}
    this.#problems.push(`${where}: --${name}: ${why}`)
    return undefined
  }

  #whole(name: string): number | undefined {
    const value = this.#value(name)
    if (value === undefined) return undefined
    if (/^[1-9]\d{0,6}$/.test(value)) return Number(value)
    return this.#fail(name, `needs a whole number from 1, found "${value}"`)
  }

  #name(): void {
    const wanted = this.#value('job-name') ?? this.#script.file.replace(/^.*\//, '').replace(/\.\w+$/, '')
    const name = wanted
      .toLowerCase()
      .replace(/[^a-z0-9._-]+/g, '-')
      .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '')
    this.#spec.name = name.slice(0, 63) || 'sbatch'
  }

  #size(): void {
    const nodes = this.#nodes()
    const perNode = this.#gpus('gpus-per-node') ?? this.#gpus('gres')
    const total = this.#gpus('gpus')
    const isExclusive = this.#given.has('exclusive')
    if (isExclusive && !/^(?:|user)$/.test(this.#value('exclusive')!)) {
      this.#fail('exclusive', `"${this.#value('exclusive')}" is not built; leave the value out`)
    }
    const model = perNode?.type ?? total?.type
    if (model !== undefined) this.#spec.gpu = model
    if (nodes !== undefined || perNode !== undefined || isExclusive) {
      const count = nodes ?? 1
      this.#spec.nodes = count
      let onEach = perNode?.count
      if (total) {
        if (total.count % count !== 0)
          this.#fail('gpus', `${total.count} GPUs are not the same number on each of ${count} nodes`)
        else if (onEach !== undefined && onEach * count !== total.count) {
          this.#fail('gpus', `${total.count} contradicts ${onEach} on each of ${count} nodes`)
        } else onEach = total.count / count
      }
      if (onEach !== undefined && !isExclusive) this.#spec.gpusPerNode = onEach
      this.#tasks(count, onEach)
    } else if (total) {
      this.#spec.gpus = total.count
      this.#tasks(undefined, total.count)
    } else {
      this.#problems.push(
        'the script asks for no GPUs; add --gpus, --gpus-per-node or --gres=gpu:N, or --exclusive for whole nodes',
      )
    }
  }

  #nodes(): number | undefined {
    const value = this.#value('nodes')
    const [, low, high] = /^(\d+)-(\d+)$/.exec(value ?? '') ?? []
    if (low === undefined) return this.#whole('nodes')
    if (low === high) return Number(low)
    return this.#fail('nodes', `a range of sizes is not honoured; say ${low} or ${high}`)
  }

  /** `8`, `h100:8`, `gpu:h100:8`, `gpu:8`. */
  #gpus(name: string): { type?: string; count: number } | undefined {
    const value = this.#value(name)
    if (value === undefined) return undefined
    const text =
      name === 'gres' ? (/^gpu(?::(.*))?$/.exec(value)?.[1] ?? (value === 'gpu' ? '1' : undefined)) : value
    if (text === undefined) return this.#fail(name, `"${value}": of generic resources only gpu is honoured`)
    const [, type, count] = /^(?:([A-Za-z][\w.-]*):)?([1-9]\d*)$/.exec(text) ?? []
    if (count === undefined)
      return this.#fail(name, `needs a number of GPUs such as 8 or h100:8, found "${value}"`)
    return { count: Number(count), ...(type === undefined ? {} : { type }) }
  }

  /** Banyan starts a task for each node or for each GPU. */
  #tasks(nodes: number | undefined, gpusOnEach: number | undefined): void {
    const perNode = this.#whole('ntasks-per-node')
    const total = this.#whole('ntasks')
    if (perNode !== undefined && total !== undefined && nodes !== undefined && perNode * nodes !== total) {
      this.#fail('ntasks', `${total} contradicts ${perNode} on each of ${nodes} nodes`)
    }
    const name = perNode === undefined ? 'ntasks' : 'ntasks-per-node'
    const onEach = perNode ?? (total === undefined ? 1 : total / (nodes ?? 1))
    if (onEach === 1) this.#spec.tasksPer = 'node'
    else if (onEach === gpusOnEach) this.#spec.tasksPer = 'gpu'
    else {
      this.#fail(
        name,
        `Banyan starts one task for each node or one for each GPU (${gpusOnEach ?? 'all of a node'}), not ${onEach} on each node`,
      )
    }
  }

  #time(): void {
    const time: Spec = {}
    const value = this.#value('time')
    if (value !== undefined) {
      const limit = parseSlurmDuration(value)
      if (!limit.ok) this.#fail('time', limit.error)
      else if (limit.value !== undefined) time.limit = `${limit.value}ms`
    }
    const begin = this.#value('begin')
    if (begin !== undefined && begin !== 'now') time.notBefore = begin
    const warning = this.#signal()
    this.#warnedBy = warning?.signal
    // Without a limit there is nothing to be warned of, as in Slurm.
    if (warning && time.limit !== undefined)
      time.warn = { signal: `SIG${warning.signal}`, before: `${warning.beforeMs}ms` }
    if (Object.keys(time).length > 0) this.#spec.time = time
    if (this.#given.has('time-min')) {
      this.#fail(
        'time-min',
        'Banyan never shortens a limit to start a job sooner; leave it out, and give --time',
      )
    }
  }

  /** `[B:]SIGNAL[@SECONDS]`; whichever processes are meant, all of the job's tasks get it. */
  #signal(): { readonly signal: string; readonly beforeMs: number } | undefined {
    const value = this.#value('signal')
    if (value === undefined) return undefined
    const [, flags = '', name = '', seconds = '60'] =
      /^(?:([A-Z]+):)?(?:SIG)?(\w+)(?:@(\d{1,5}))?$/i.exec(value) ?? []
    const signal = SIGNALS[name] ?? name.toUpperCase()
    if (!Object.values(SIGNALS).includes(signal) || !/^B?$/i.test(flags)) {
      return this.#fail(
        'signal',
        `one of ${Object.values(SIGNALS).join(', ')} is sent before the limit, as in B:USR1@120, found "${value}"`,
      )
    }
    return { signal, beforeMs: Number(seconds) * 1_000 }
  }

  #who(): void {
    const { names } = this.#script
    const meanings = [
      this.#meaning('partition', names.partitions, undefined),
      this.#meaning('account', names.accounts, (value) => ({ team: value })),
      this.#meaning('qos', names.qos, (value) =>
        PRIORITIES.includes(value) ? { priority: value } : undefined,
      ),
    ]
    for (const { team, priority, gpu } of meanings) {
      if (team !== undefined) this.#spec.team = team
      if (priority !== undefined) this.#spec.priority = priority
      if (gpu !== undefined) this.#spec.gpu = gpu
    }
  }

  #meaning(
    name: string,
    known: Readonly<Record<string, MeaningOfName>> | undefined,
    otherwise: ((value: string) => MeaningOfName | undefined) | undefined,
  ): MeaningOfName {
    const value = this.#value(name)
    if (value === undefined) return {}
    const meaning = known?.[value] ?? otherwise?.(value)
    if (meaning) return meaning
    this.#fail(
      name,
      `"${value}" means nothing here; leave it out, or say what it means with --names FILE (banyan slurm import writes one)`,
    )
    return {}
  }

  #topology(): void {
    const level = this.#script.levels.at(-2)
    const topology: Spec = {}
    const switches = this.#value('switches')
    if (switches !== undefined) {
      const [, count, wait] = /^(\d+)(?:@(.+))?$/.exec(switches) ?? []
      const span = wait === undefined ? undefined : parseSlurmDuration(wait)
      if (count !== '1')
        this.#fail('switches', `only 1 is honoured, with a time to wait as in 1@10:00, found "${switches}"`)
      else if (span && !span.ok) this.#fail('switches', span.error)
      else {
        // Slurm waits for max_switch_wait, five minutes unless the site says otherwise (slurm.conf(5)).
        const waitMs = span?.value ?? 300_000
        topology.within = { level, mode: 'preferred', wait: `${waitMs}ms` }
      }
    }
    const segment = this.#whole('segment')
    if (segment !== undefined) topology.segment = { nodes: segment, level }
    if (Object.keys(topology).length > 0) this.#spec.topology = topology
  }

  #order(): void {
    const array = this.#value('array')
    if (array?.includes('%'))
      this.#fail('array', 'a limit of how many run at once (%) is not built; leave it out')
    else if (array !== undefined) this.#spec.array = array
    const dependency = this.#value('dependency')
    if (dependency !== undefined) {
      const [, kind, ids] = /^(\w+)(?::(.*))?$/.exec(dependency) ?? []
      if (kind !== 'afterok' || !ids || /[,?]/.test(ids)) {
        this.#fail('dependency', `only afterok:ID[:ID...] is honoured, found "${dependency}"`)
      } else this.#spec.dependsOn = ids.split(':').map((id) => (/^\d+$/.test(id) ? `w${id}` : id))
    }
    // Banyan starts again after failures of the platform in any case, which is what --requeue asks for.
    if (this.#given.has('no-requeue') && !this.#given.has('requeue')) this.#spec.retry = { platform: 0 }
  }

  #refused(): void {
    const constraint = this.#value('constraint')
    if (constraint !== undefined) {
      if (/^[\w.-]+(?:\|[\w.-]+)*$/.test(constraint)) this.#spec.gpu = constraint.split('|')
      else this.#fail('constraint', `names of GPU models joined by | are honoured, found "${constraint}"`)
    }
    for (const name of ['nodelist', 'exclude'] as const) {
      const value = this.#value(name)
      if (value === undefined) continue
      const hosts = parseHostlist(value)
      if (!hosts.ok) this.#fail(name, hosts.error)
      else if (name === 'exclude') this.#spec.exceptNodes = [...hosts.value]
      else this.#only(hosts.value)
    }
    if (this.#given.has('cpus-per-task')) this.#shared('cpus-per-task')
    if (this.#given.has('mem')) this.#shared('mem')
    const exported = this.#value('export')
    if (exported !== undefined && exported !== 'NONE')
      this.#fail('export', 'only NONE is honoured; name variables in the script')
  }

  /** Slurm adds nodes to a list that is too short and takes all of one that is longer than --nodes. */
  #only(hosts: readonly string[]): void {
    const nodes = Number(this.#spec.nodes ?? 1)
    if (this.#given.has('nodes') && nodes !== hosts.length) {
      this.#fail(
        'nodelist',
        `${hosts.length} nodes are listed and --nodes asks for ${nodes}; Banyan runs a job on exactly the nodes of the list: make them the same number`,
      )
    }
    if (this.#spec.nodes !== undefined) this.#spec.nodes = hosts.length
    else if (hosts.length > 1) {
      this.#fail('nodelist', 'a list of several nodes goes with --gpus-per-node, not with --gpus alone')
    }
    this.#spec.onlyNodes = [...hosts]
  }

  /** CPUs and memory go with the GPUs in equal shares. */
  #shared(name: string): void {
    if (name === 'mem' && this.#value(name) === '0') return
    this.#fail(name, 'CPUs and memory go with the GPUs in equal shares; leave it out')
  }

  #program(): void {
    const { text, arguments: words } = this.#script
    const chdir = this.#value('chdir')
    if (chdir !== undefined) this.#spec.workdir = chdir
    this.#spec.run = scriptRun({
      text,
      arguments: words,
      jobName: String(this.#spec.name),
      signal: this.#warnedBy,
      output: this.#value('output'),
      error: this.#value('error'),
    })
    const comment = this.#value('comment')
    if (comment !== undefined) this.#spec.env = { SLURM_JOB_COMMENT: comment }
  }
}
