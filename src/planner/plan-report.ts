import type { Curve } from './curve.ts'
import type { RunPlan } from './run.ts'

/** A plan as one object of plain figures, for programs: what `banyan plan --json` prints and the API answers. Seconds, bytes, dollars. */
export function planReport(plan: RunPlan, curve?: Curve) {
  const { shape, machine, candidate, runnersUp, ...figures } = plan
  return {
    model: shape.name,
    machine: { gpu: machine.gpu.name, gpuCount: machine.gpuCount, gpusPerNode: machine.gpusPerNode },
    ...figures,
    strategy: candidate.strategy,
    step: candidate.step,
    memory: candidate.memory,
    runnersUp,
    ...(curve && {
      curve: curve.points.map((point, i) => ({
        gpuCount: point.machine.gpuCount,
        wallSeconds: point.wallSeconds,
        dollars: point.dollars,
        modelFlopsUtilisation: point.modelFlopsUtilisation,
        strategy: point.candidate.strategy,
        knee: i === curve.knee,
      })),
    }),
  }
}
