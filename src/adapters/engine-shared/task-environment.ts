import type { LaunchOrder } from '../../control/ports/index.ts'
import type { Task } from './tasks.ts'

/** What only the engine knows about the place where a task runs. */
export interface TaskPlace {
  readonly worldSize: number
  readonly masterAddress: string
  readonly masterPort: number
  readonly progressFile: string
  /** Set when the task is to listen on it. */
  readonly port?: number
  /** Whether the indices of the allocation are GPUs; slots are not, and tasks on them must see no GPU. */
  readonly hasGpus: boolean
}

/**
 * The variables of one task: those of the usual distributed launchers, then the user's own, then what nobody may
 * change because containment or accounting hang on it.
 */
export function taskEnvironment(order: LaunchOrder, task: Task, place: TaskPlace): Record<string, string> {
  return {
    RANK: String(task.rank),
    LOCAL_RANK: String(task.localRank),
    WORLD_SIZE: String(place.worldSize),
    LOCAL_WORLD_SIZE: String(task.localSize),
    NODE_RANK: String(task.nodeRank),
    GROUP_RANK: String(task.nodeRank),
    NNODES: String(order.allocation.parts.length),
    MASTER_ADDR: place.masterAddress,
    MASTER_PORT: String(place.masterPort),
    ...order.program.env,
    ...(place.port !== undefined ? { PORT: String(place.port) } : {}),
    CUDA_VISIBLE_DEVICES: place.hasGpus ? task.gpus.join(',') : '',
    // The runtime's own order is fastest first; the allocation's indices are those of nvidia-smi.
    CUDA_DEVICE_ORDER: 'PCI_BUS_ID',
    BANYAN_WORKLOAD_ID: order.workload,
    BANYAN_WORKLOAD_NAME: order.name,
    BANYAN_ATTEMPT: String(order.number),
    BANYAN_ATTEMPT_ID: order.attempt,
    BANYAN_REPLICA: String(order.replica),
    BANYAN_PROGRESS_FILE: place.progressFile,
    ...(order.arrayIndex !== undefined ? { BANYAN_ARRAY_INDEX: String(order.arrayIndex) } : {}),
    ...(order.checkpointDir !== undefined ? { BANYAN_CHECKPOINT_DIR: order.checkpointDir } : {}),
  }
}

/** Variables of the server's own environment that tasks inherit; everything else, such as its secrets, they do not see. */
const INHERITED =
  /^(?:PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_\w+|TZ|TMPDIR|LD_LIBRARY_PATH|CUDA_HOME|CUDA_PATH)$/

export function inheritedEnvironment(environment: NodeJS.ProcessEnv): Record<string, string> {
  const inherited: Record<string, string> = {}
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && INHERITED.test(name)) inherited[name] = value
  }
  return inherited
}
