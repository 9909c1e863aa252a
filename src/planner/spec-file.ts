import { formatDuration, SECOND_MS } from '../base/index.ts'
import type { RunPlan } from './run.ts'
import { thousands } from './thousands.ts'

/**
 * The YAML of a spec that `banyan run` takes, sized by a plan: nodes, expected time and limit, checkpoints, and the strategy in
 * the tasks' environment. The command is the user's to fill in.
 */
export function specFile(
  plan: RunPlan,
  options: { readonly name?: string; readonly run?: string } = {},
): string {
  const { machine, candidate, reliability } = plan
  const wholeNodes = machine.gpuCount % machine.gpusPerNode === 0 && machine.gpuCount >= machine.gpusPerNode
  const size = wholeNodes
    ? [`nodes: ${machine.gpuCount / machine.gpusPerNode}`, `gpusPerNode: ${machine.gpusPerNode}`]
    : [`gpus: ${machine.gpuCount}`]
  const expected = span(plan.wallSeconds)
  const limit = span(plan.wallSeconds * (1 + plan.relativeError) * 1.25)
  const name =
    options.name ??
    plan.shape.name
      .toLowerCase()
      .replace(/[^a-z0-9._-]+/g, '-')
      .replace(/^-+|-+$/g, '')
  return `${[
    `# ${plan.shape.name}, ${(plan.tokens / 1e9).toFixed(0)} billion tokens: about $${thousands(plan.dollars)}, step ${candidate.step.total.toFixed(2)} s within ${(100 * plan.relativeError).toFixed(0)} %`,
    'type: train',
    `name: ${name}`,
    ...size,
    `gpu: ${machine.gpu.name.split('-')[0]}`,
    `run: ${options.run ?? 'python train.py'}`,
    'env:',
    ...Object.entries(strategyEnvironment(plan)).map(([name, value]) => `  ${name}: "${value}"`),
    'checkpoint:',
    '  path: checkpoints',
    `  every: ${span(reliability.checkpoint.everySeconds)}`,
    'time:',
    `  expected: ${expected}`,
    `  limit: ${limit}`,
  ].join('\n')}\n`
}

/** The strategy as variables for the tasks. */
export function strategyEnvironment({ candidate: { strategy }, steps }: RunPlan): Record<string, string> {
  return {
    TENSOR_PARALLEL: `${strategy.tensor}`,
    CONTEXT_PARALLEL: `${strategy.context}`,
    PIPELINE_PARALLEL: `${strategy.pipeline}`,
    VIRTUAL_PIPELINE: `${strategy.interleave}`,
    EXPERT_PARALLEL: `${strategy.expert}`,
    MICRO_BATCH: `${strategy.microBatch}`,
    GLOBAL_BATCH: `${strategy.globalBatch}`,
    SEQUENCE: `${strategy.sequence}`,
    RECOMPUTE: strategy.recompute,
    ZERO_STAGE: `${strategy.sharding}`,
    PRECISION: strategy.precision,
    STEPS: `${steps}`,
  }
}

/** A span as specs write it, without the blank that people like. */
function span(seconds: number): string {
  return formatDuration(Math.max(1, Math.round(seconds)) * SECOND_MS).replaceAll(' ', '')
}
