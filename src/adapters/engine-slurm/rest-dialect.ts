import type { JobRequest, SlurmJob, SlurmNode, SlurmPartition } from './transport.ts'

/** Versions of the interface that are understood, the best first. */
export const REST_VERSIONS = [45, 44, 43, 42, 41, 40, 39, 38, 37, 36] as const

/** From 0.0.39 on the interface is generated: flags became lists, and numbers say whether they are set. */
const FIRST_GENERATED = 39

type Fields = Readonly<Record<string, unknown>>

/** The body of a submission in the words of one version. */
export function submission(request: JobRequest, version: number): unknown {
  const { account, qos, gresPerNode, minutes } = request
  const isGenerated = version >= FIRST_GENERATED
  const common = {
    name: request.name,
    comment: request.comment,
    partition: request.partition,
    current_working_directory: request.folder,
    standard_output: request.output,
    cpus_per_task: request.cpusPerNode,
    memory_per_node: isGenerated ? setNumber(request.memoryMibPerNode) : request.memoryMibPerNode,
    requeue: false,
    tasks: request.nodes.length,
    tasks_per_node: 1,
    ...(account === undefined ? {} : { account }),
    ...(qos === undefined ? {} : { qos }),
  }
  if (!isGenerated) {
    // The documented `required_nodes` is refused by these versions on submission; `nodelist` is what they read.
    const job = {
      ...common,
      nodes: [request.nodes.length, request.nodes.length],
      nodelist: request.nodes.join(','),
      environment: request.environment,
      ...(minutes === undefined ? {} : { time_limit: minutes }),
      ...(gresPerNode === undefined ? {} : { gres: gresPerNode }),
    }
    return { script: request.script, job }
  }
  // Slurm 23.02, the newest whose best version is 39, separates the kind by a colon; from 23.11 on it is a slash.
  const prefix = version >= 40 ? 'gres/' : 'gres:'
  const job = {
    ...common,
    nodes: String(request.nodes.length),
    required_nodes: [...request.nodes],
    environment: Object.entries(request.environment).map(([name, value]) => `${name}=${value}`),
    time_limit: minutes === undefined ? { set: true, infinite: true } : setNumber(minutes),
    ...(gresPerNode === undefined ? {} : { tres_per_node: `${prefix}${gresPerNode}` }),
  }
  return { script: request.script, job }
}

export function jobOf(value: unknown): SlurmJob {
  const job = value as Fields
  return {
    id: numberOf(job.job_id) ?? 0,
    state: jobState(job.job_state),
    reason: textOf(job.state_reason) === 'None' ? '' : textOf(job.state_reason),
    user: textOf(job.user_name) || String(numberOf(job.user_id) ?? ''),
    name: textOf(job.name),
    partition: textOf(job.partition),
    nodes: textOf(job.nodes),
    comment: commentOf(job.comment),
  }
}

export function nodeOf(value: unknown): SlurmNode {
  const node = value as Fields
  const flags = [...listOf(node.state), ...listOf(node.state_flags)]
  return {
    name: textOf(node.name),
    address: textOf(node.address) || textOf(node.name),
    gres: textOf(node.gres),
    gresUsed: textOf(node.gres_used),
    states: flags.map((flag) => flag.toUpperCase()),
    reason: textOf(node.reason),
    cpus: numberOf(node.effective_cpus) ?? numberOf(node.cpus) ?? 0,
    cpusUsed: numberOf(node.alloc_cpus) ?? 0,
    memoryMib: numberOf(node.real_memory) ?? 0,
    memoryMibUsed: numberOf(node.alloc_memory) ?? 0,
    features: listOf(node.features),
    partitions: listOf(node.partitions),
  }
}

export function partitionOf(value: unknown): SlurmPartition {
  const partition = value as Fields
  const maximums = partition.maximums as Fields | undefined
  const state = (partition.partition as Fields | undefined)?.state ?? partition.state
  return {
    name: textOf(partition.name),
    isDefault: listOf(partition.flags).some((flag) => flag.toLowerCase() === 'default'),
    isUp: listOf(state).includes('UP'),
    maxMinutes: limitOf(maximums?.time ?? partition.max_time_limit),
  }
}

/** What went wrong in the words of the answer; undefined when nothing did. */
export function errorsOf(answer: Fields): string | undefined {
  const errors = Array.isArray(answer.errors) ? (answer.errors as Fields[]) : []
  const said = errors.map((error) => {
    const [what, detail] = [textOf(error.error), textOf(error.description)]
    return what === '' || detail.includes(what) ? detail : detail === '' ? what : `${what} (${detail})`
  })
  return said.length === 0 ? undefined : said.join('; ')
}

/** Of the flags of a generated version, the one that says most. */
function jobState(value: unknown): string {
  const states = listOf(value).map((state) => state.toUpperCase())
  return states.includes('COMPLETING') ? 'COMPLETING' : (states[0] ?? 'UNKNOWN')
}

function commentOf(value: unknown): string {
  if (typeof value === 'string') return value
  return textOf((value as Fields | undefined)?.job)
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function listOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.filter((item): item is string => typeof item === 'string')
  return typeof value === 'string' ? value.split(',').filter(Boolean) : []
}

function numberOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  const { set, number } = (value ?? {}) as { set?: boolean; number?: number }
  return set === true ? number : undefined
}

/** Minutes; a limit that is absent, infinite or negative is none. */
function limitOf(value: unknown): number | undefined {
  const { infinite } = (value ?? {}) as { infinite?: boolean }
  const minutes = numberOf(value)
  return infinite === true || minutes === undefined || minutes < 0 ? undefined : minutes
}

function setNumber(number: number): { set: boolean; infinite: boolean; number: number } {
  return { set: true, infinite: false, number }
}
