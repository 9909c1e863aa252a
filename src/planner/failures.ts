/** How often nodes fail and what a failure costs a run. */
export interface FailureModel {
  readonly failuresPerNodeDay: number
  /** From the failure until the restarted run computes again, without the work that is repeated. */
  readonly restartSeconds: number
}

/** RSC-1 of Meta: 6.50 failures for each 1,000 node-days; restarts within ten minutes (arXiv 2410.21680, sections 3 and 4). */
export const DEFAULT_FAILURES: FailureModel = { failuresPerNodeDay: 6.5e-3, restartSeconds: 600 }

export interface CheckpointPlan {
  readonly everySeconds: number
  readonly writeSeconds: number
  readonly bytes: number
}

/** What failures make of a run. */
export interface Reliability {
  readonly meanSecondsBetweenFailures: number
  readonly failures: number
  readonly checkpoint: CheckpointPlan
  /** Share of wall time that is training that counts (Meta's effective training time ratio). */
  readonly productiveShare: number
}

const DAY = 86_400

/** Bytes of a checkpoint for each parameter: BF16 weights, FP32 master weights and two moments of Adam. */
const CHECKPOINT_BYTES = 14

/**
 * The best time between checkpoints and the share of a run that is productive.
 * Meta's formula (arXiv 2410.21680, section 4.3): about (1 - N r (u + d/2)) / (1 + w/d) for N nodes that fail at rate r, restarts
 * that take u, checkpoints every d that stop training for w; best at d = sqrt(2 w / (N r)), Young's rule.
 */
export function reliabilityOf(
  nodes: number,
  trainingSeconds: number,
  parameters: number,
  failures: FailureModel = DEFAULT_FAILURES,
  storageBytesPerSecond: number = storageBandwidth(nodes),
): Reliability {
  const bytes = parameters * CHECKPOINT_BYTES
  const writeSeconds = Math.max(1, bytes / storageBytesPerSecond)
  const rate = (nodes * failures.failuresPerNodeDay) / DAY
  const best = rate > 0 ? Math.sqrt((2 * writeSeconds) / rate) : trainingSeconds
  const everySeconds = Math.min(Math.max(best, writeSeconds), Math.max(trainingSeconds, writeSeconds))
  const lost = rate * (failures.restartSeconds + everySeconds / 2)
  const productiveShare = Math.max(0.01, (1 - lost) / (1 + writeSeconds / everySeconds))
  return {
    meanSecondsBetweenFailures: rate > 0 ? 1 / rate : Number.POSITIVE_INFINITY,
    failures: rate * (trainingSeconds / productiveShare),
    checkpoint: { everySeconds, writeSeconds, bytes },
    productiveShare,
  }
}

/** What nodes write to shared storage together: 2 GB/s each up to 500 GB/s, of the order of Meta's Tectonic (arXiv 2407.21783, section 3.3). */
function storageBandwidth(nodes: number): number {
  return Math.min(nodes * 2e9, 500e9)
}

/** The failure model that a machine's own log gives: failures counted over node-days, and the mean time back to work. */
export function failuresFromLog(log: {
  readonly failures: number
  readonly nodeDays: number
  readonly restartSeconds?: number
}): FailureModel {
  if (!(log.nodeDays > 0)) return DEFAULT_FAILURES
  // Half a failure stands for what a short log has not seen yet.
  return {
    failuresPerNodeDay: Math.max(log.failures, 0.5) / log.nodeDays,
    restartSeconds: log.restartSeconds ?? DEFAULT_FAILURES.restartSeconds,
  }
}
