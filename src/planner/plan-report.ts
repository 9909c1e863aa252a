import type { Curve } from './curve.ts'
import { type RunPlan, strategyText } from './run.ts'

/** A plan as one object of plain figures, for programs: what `banyan plan --json` prints and the API answers. Seconds, bytes, dollars. */
export function planReport(plan: RunPlan, curve?: Curve) {
  const { shape, machine, candidate, runnersUp, ...figures } = plan
  return {
    model: shape.name,
    machine: {
      gpu: machine.gpu.name,
      gpuCount: machine.gpuCount,
      gpusPerNode: machine.gpusPerNode,
      gpuMemoryBytes: machine.gpu.memoryBytes,
    },
    ...figures,
    strategy: candidate.strategy,
    strategyText: strategyText(candidate.strategy, machine),
    step: candidate.step,
    memory: candidate.memory,
    runnersUp: runnersUp.map((other) => ({ ...other, strategyText: strategyText(other.strategy, machine) })),
    ...(curve && {
      curve: curve.points.map((point, i) => ({
        gpuCount: point.machine.gpuCount,
        wallSeconds: point.wallSeconds,
        dollars: point.dollars,
        modelFlopsUtilisation: point.modelFlopsUtilisation,
        strategy: point.candidate.strategy,
        strategyText: strategyText(point.candidate.strategy, point.machine),
        knee: i === curve.knee,
      })),
    }),
  }
}
