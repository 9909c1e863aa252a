import { formatDuration, SECOND_MS } from '../base/index.ts'
import type { StrategyVariable } from '../model/index.ts'
import { sourceOfModel } from './catalogue.ts'
import type { ModelShape } from './model-shape.ts'
import { type RunPlan, usualBatch } from './run.ts'
import type { ServingPlan } from './serving.ts'
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
  const name = options.name ?? nameOf(plan.shape)
  return `${[
    `# ${plan.shape.name}, ${(plan.tokens / 1e9).toFixed(0)} billion tokens: about $${thousands(plan.dollars)}, step ${candidate.step.total.toFixed(2)} s within ${(100 * plan.relativeError).toFixed(0)} %`,
    'type: train',
    `name: ${name}`,
    ...size,
    `gpu: ${familyOf(machine.gpu.name)}`,
    ...declaration(plan),
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

/** The YAML of a spec that serves a model as planned. The command is the user's to fill in. */
export function servingSpecFile(shape: ModelShape, gpu: string, plan: ServingPlan): string {
  const { gpusPerReplica, replicas, dollarsPerHour } = plan
  return `${[
    `# ${shape.name}: about $${thousands(dollarsPerHour)} an hour`,
    'type: serve',
    `name: ${nameOf(shape)}`,
    `model: ${nameOf(shape)}`,
    `gpus: ${gpusPerReplica}`,
    `replicas: ${replicas}`,
    `gpu: ${familyOf(gpu)}`,
    'run: python serve.py --port $PORT',
  ].join('\n')}\n`
}

/** What the run is of, so that its real steps are set against a plan; only what a spec can name. */
function declaration({ shape, machine, tokens, candidate: { strategy } }: RunPlan): string[] {
  if (sourceOfModel(shape) === undefined) return []
  const { globalBatch, sequence, precision } = strategy
  return [
    'plan:',
    `  model: ${shape.name}`,
    `  tokens: ${tokens}`,
    // What was left to the planner is left to it again, so that another size has its own.
    ...(globalBatch === usualBatch(machine.gpuCount, sequence) ? [] : [`  batch: ${globalBatch}`]),
    ...(sequence === shape.sequence ? [] : [`  sequence: ${sequence}`]),
    `  precision: ${precision}`,
  ]
}

function nameOf({ name }: ModelShape): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^-+|-+$/g, '')
}

/** The name that all sizes of a GPU begin with. */
function familyOf(gpu: string): string {
  return gpu.split('-')[0]!
}

/** The strategy as variables for the tasks. */
export function strategyEnvironment({
  candidate: { strategy },
  steps,
}: RunPlan): Record<StrategyVariable, string> {
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
