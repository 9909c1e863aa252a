import type { DurationMs, WorkloadId } from '../../base/index.ts'
import { HOUR_MS, MINUTE_MS, parseDuration, randomStream } from '../../base/index.ts'
import type { LaunchOrder } from '../../control/index.ts'
import { gpuByName } from '../../planner/index.ts'
import type { Behaviour, Training } from '../fleet/behaviour.ts'
import { scaleOf } from '../fleet/run.ts'
import { logNormal, weighted } from '../kernel/distributions.ts'

/** What a program in the twin does can be said in its environment; what is not said is drawn from the seed and its id. */
export const RUN_FOR = 'TWIN_RUN_FOR'
export const EXIT_CODE = 'TWIN_EXIT'

/** Share of the peak that training reaches (Llama 3, arXiv 2407.21783, table 4: 38 to 43 % on 8,192 to 16,384 H100). */
const FLOPS_UTILISATION = 0.4
const FALLBACK_FLOPS = 1e14

/** How the program of this order behaves on GPUs of this model; the same for every attempt of a workload. */
export function behaviourOf(order: LaunchOrder, gpuModel: string, seed: number): Behaviour {
  const random = randomStream(seed, `program/${order.workload}`)
  const gpus = order.allocation.parts.reduce((sum, part) => sum + part.gpus.length, 0) / scaleOf(order)
  const startUs = Math.round(20e6 + random.exponential(30e6) + 4e6 * Math.sqrt(order.allocation.parts.length))
  const { env } = order.program
  if (order.needsPort) {
    const workUs = readDuration(env[RUN_FOR])
    return { startUs, saveUs: 0, savesWhenTold: false, ...(workUs !== undefined ? { workUs } : {}) }
  }
  const drawnMs = Math.min(7 * 24 * HOUR_MS, logNormal(random, medianMs(gpus), 1.4))
  const workUs = readDuration(env[RUN_FOR]) ?? Math.ceil(drawnMs) * 1000
  const saves = order.checkpointDir !== undefined
  const saveEveryUs = Math.round(10 * MINUTE_MS + random.next() * 50 * MINUTE_MS) * 1000
  const exitCode = Number(env[EXIT_CODE] ?? 0)
  return {
    workUs,
    startUs,
    saveUs: Math.round(3e6 + random.exponential(5e6)),
    savesWhenTold: saves,
    ...(saves ? { saveEveryUs } : {}),
    ...(exitCode > 0 ? { fails: { exitCode, logTail: weighted(random, PROGRAM_ERRORS, () => 1) } } : {}),
    training: trainingOf(order.workload, gpus, gpuModel, seed),
  }
}

/** Of one step of the workload's training at full speed; it does not hang on where the workload runs. */
export function stepUsOf(workload: WorkloadId, seed: number): number {
  return Math.round(1e6 * logNormal(randomStream(seed, `step/${workload}`), 4, 0.6))
}

function trainingOf(workload: WorkloadId, gpus: number, gpuModel: string, seed: number): Training {
  const stepUs = stepUsOf(workload, seed)
  const parameters = gpus <= 2 ? 1.2e8 : gpus <= 8 ? 1.3e9 : gpus <= 128 ? 8e9 : gpus <= 1024 ? 7e10 : 4.05e11
  const known = gpuByName(gpuModel)
  const flops = known.ok ? known.value.flops.bf16 : FALLBACK_FLOPS
  // 6 N FLOP a token (Kaplan et al. 2020, arXiv 2001.08361, section 2.1).
  const tokensPerSecond = (FLOPS_UTILISATION * flops * Math.max(1, gpus)) / (6 * parameters)
  return { stepUs, parameters, tokensPerStep: Math.max(1, Math.round((tokensPerSecond * stepUs) / 1e6)) }
}

function medianMs(gpus: number): DurationMs {
  return gpus <= 8 ? 30 * MINUTE_MS : gpus <= 64 ? 2 * HOUR_MS : 6 * HOUR_MS
}

function readDuration(text: string | undefined): number | undefined {
  const parsed = text === undefined ? undefined : parseDuration(text)
  return parsed?.ok && parsed.value > 0 ? parsed.value * 1000 : undefined
}

/** How programs of users end by their own fault. */
const PROGRAM_ERRORS: readonly string[] = [
  'Traceback (most recent call last):\n  File "train.py", line 214, in <module>\nKeyError: \'labels\'',
  'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.50 GiB.',
  'Traceback (most recent call last):\n  File "data.py", line 58, in __getitem__\nFileNotFoundError: [Errno 2] No such file or directory',
  'Traceback (most recent call last):\n  File "train.py", line 97, in main\nAssertionError: loss is nan',
]
