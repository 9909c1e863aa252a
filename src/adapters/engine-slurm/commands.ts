import { formatHostlist } from '../../model/slurm/hostlist.ts'
import { parseSlurmDuration } from '../../model/slurm/slurm-time.ts'
import { reasonOf } from '../engine-shared/durable-file.ts'
import { CommandShell } from './command-shell.ts'
import {
  type JobRequest,
  type NodeOrder,
  type SlurmJob,
  type SlurmNode,
  type SlurmPartition,
  SlurmRefusal,
  type SlurmTransport,
  SlurmUnreachable,
} from './transport.ts'

/** Slurm's commands give up by themselves after MessageTimeout, several times over; this is for one that does not. */
const PATIENCE_MS = 90_000
/** How `timeout` says that it ended the command, above which a shell reports signals, and that there is no such one. */
const TIMED_OUT = 124
const NOT_FOUND = 127
/** Free text comes last, since it may hold the separator. */
const JOB_FORMAT = '%A|%T|%u|%P|%N|%r|%k|%j'
const UNREACHABLE =
  /unable to contact|connection refused|connect failure|timed out|communication (?:connection )?failure|zero bytes|socket|unexpected message|munge|authentication|try again|temporarily|backup controller|in standby/i

/** Slurm by its own commands, as a user has them; `environment` may set SLURM_CONF. */
export class SlurmCommands implements SlurmTransport {
  readonly name = 'commands'
  readonly #environment: NodeJS.ProcessEnv
  readonly #shell = new CommandShell()

  constructor(environment: NodeJS.ProcessEnv) {
    // Times and words must not depend on where the server was started.
    this.#environment = { ...environment, LC_ALL: 'C', SLURM_TIME_FORMAT: 'standard' }
  }

  async jobs(): Promise<SlurmJob[]> {
    const output = await this.#run('squeue', ['-a', '-h', '-t', 'all', '-o', JOB_FORMAT])
    return linesOf(output).flatMap((line) => {
      const [id = '', state = '', user = '', partition = '', nodes = '', reason = '', comment = '', ...name] =
        line.split('|')
      if (!/^\d+$/.test(id)) return []
      return [
        {
          id: Number(id),
          state,
          user,
          partition,
          nodes,
          reason: reason === 'None' ? '' : reason,
          comment: comment === '(null)' ? '' : comment,
          name: name.join('|'),
        },
      ]
    })
  }

  async nodes(): Promise<SlurmNode[]> {
    const output = await this.#run('scontrol', ['-a', '-d', '-o', 'show', 'node'])
    return linesOf(output).flatMap((line) => {
      const field = fieldsOf(line)
      const name = field.get('NodeName')
      if (name === undefined) return []
      return [
        {
          name,
          address: field.get('NodeAddr') ?? name,
          gres: shown(field.get('Gres')),
          gresUsed: shown(field.get('GresUsed')),
          states: statesOf(field.get('State') ?? ''),
          reason: field.get('Reason') ?? '',
          cpus: Number(field.get('CPUEfctv') ?? field.get('CPUTot') ?? 0),
          cpusUsed: Number(field.get('CPUAlloc') ?? 0),
          memoryMib: Number(field.get('RealMemory') ?? 0),
          memoryMibUsed: Number(field.get('AllocMem') ?? 0),
          features: listOf(field.get('AvailableFeatures')),
          partitions: listOf(field.get('Partitions')),
        },
      ]
    })
  }

  async partitions(): Promise<SlurmPartition[]> {
    const output = await this.#run('scontrol', ['-a', '-o', 'show', 'partition'])
    return linesOf(output).flatMap((line) => {
      const field = fieldsOf(line)
      const name = field.get('PartitionName')
      if (name === undefined) return []
      const limit = parseSlurmDuration(field.get('MaxTime') ?? 'UNLIMITED')
      return [
        {
          name,
          isDefault: field.get('Default') === 'YES',
          isUp: field.get('State') === 'UP',
          maxMinutes: limit.ok && limit.value !== undefined ? Math.floor(limit.value / 60_000) : undefined,
        },
      ]
    })
  }

  topology(): Promise<string | undefined> {
    return this.#run('scontrol', ['show', 'topology'])
  }

  async submit(request: JobRequest): Promise<number> {
    const output = await this.#run('sbatch', submitWords(request), request.script, {
      ...request.environment,
      ...own(this.#environment),
    })
    const id = Number(output.trim().split(';')[0])
    if (!Number.isInteger(id) || id <= 0) throw new SlurmRefusal(`sbatch answered "${output.trim()}"`)
    return id
  }

  async cancel(job: number, onlyPending: boolean): Promise<void> {
    try {
      await this.#run('scancel', ['-Q', ...(onlyPending ? ['--state=PENDING'] : []), String(job)])
    } catch (error) {
      if (!(error instanceof SlurmRefusal)) throw error
      if (!/invalid job id|already complet|not pending/i.test(error.message)) throw error
    }
  }

  async setNode(name: string, order: NodeOrder): Promise<void> {
    const words = order.kind === 'drain' ? ['state=drain', `reason=${order.reason}`] : ['state=resume']
    try {
      await this.#run('scontrol', ['update', `nodename=${name}`, ...words])
    } catch (error) {
      // Slurm refuses to resume what is in use already.
      const isInUse = order.kind === 'resume' && error instanceof SlurmRefusal
      if (!isInUse || !/invalid node state/i.test(error.message)) throw error
    }
  }

  async close(): Promise<void> {
    this.#shell.close()
  }

  async #run(
    program: string,
    words: readonly string[],
    input = '',
    environment: NodeJS.ProcessEnv = this.#environment,
  ): Promise<string> {
    const command = { program, words, input, environment, patienceMs: PATIENCE_MS }
    const { code, output, trouble } = await this.#shell.run(command).catch((error) => {
      throw new SlurmUnreachable(`${program}: ${reasonOf(error)}`)
    })
    if (code === 0) return output
    if (code === NOT_FOUND) {
      throw new SlurmUnreachable(
        `${program} is not installed here or not in PATH; install the Slurm client commands, or use --slurm-rest`,
      )
    }
    const said = trouble.trim().split('\n').join('; ') || `${program} ended with ${code}`
    const isUnreachable = code >= TIMED_OUT || UNREACHABLE.test(said)
    throw isUnreachable ? new SlurmUnreachable(said) : new SlurmRefusal(said)
  }
}

function submitWords(request: JobRequest): string[] {
  const { account, qos, gresPerNode, minutes } = request
  return [
    '--parsable',
    '--no-requeue',
    '--export=ALL',
    `--job-name=${request.name}`,
    `--comment=${request.comment}`,
    `--partition=${request.partition}`,
    `--nodes=${request.nodes.length}`,
    `--nodelist=${formatHostlist(request.nodes)}`,
    '--ntasks-per-node=1',
    `--cpus-per-task=${request.cpusPerNode}`,
    `--mem=${request.memoryMibPerNode}M`,
    `--time=${minutes ?? 'UNLIMITED'}`,
    `--chdir=${request.folder}`,
    `--output=${request.output}`,
    ...(gresPerNode === undefined ? [] : [`--gres=${gresPerNode}`]),
    ...(account === undefined ? [] : [`--account=${account}`]),
    ...(qos === undefined ? [] : [`--qos=${qos}`]),
  ]
}

/** What Slurm's commands look at themselves; a variable such as SBATCH_PARTITION must not change what is asked for. */
function own(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { SLURM_CONF, LC_ALL, SLURM_JWT } = environment
  return {
    LC_ALL,
    ...(SLURM_CONF === undefined ? {} : { SLURM_CONF }),
    ...(SLURM_JWT === undefined ? {} : { SLURM_JWT }),
  }
}

function linesOf(output: string): string[] {
  return output.split('\n').filter((line) => line.trim() !== '')
}

/** `Key=value Key=value`, where a value may hold blanks. */
function fieldsOf(line: string): ReadonlyMap<string, string> {
  const found = [...line.matchAll(/(?:^|\s)([A-Z]\w*)=(.*?)(?=\s+[A-Z]\w*=|\s*$)/g)]
  return new Map(found.map(([, key = '', value = '']) => [key, value.trim()]))
}

function shown(value: string | undefined): string {
  return value === undefined || value === '(null)' || value === 'N/A' ? '' : value
}

function listOf(value: string | undefined): string[] {
  return shown(value).split(',').filter(Boolean)
}

/** `IDLE+DRAIN*`: an asterisk means that the node does not respond. */
function statesOf(text: string): string[] {
  const states = text.replace(/[^A-Z_+]/g, '').split('+')
  return text.includes('*') && !states.includes('NOT_RESPONDING') ? [...states, 'NOT_RESPONDING'] : states
}
