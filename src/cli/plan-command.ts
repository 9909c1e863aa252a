import { writeFileSync } from 'node:fs'
import { Command, Option } from 'commander'
import {
  type Curve,
  estimateServing,
  modelNames,
  planCurve,
  planForGoal,
  planPage,
  planRun,
  type RunInput,
  type RunPlan,
  servingMachine,
  specFile,
} from '../planner/index.ts'
import {
  amount,
  checked,
  machineFor,
  type PlanFlags,
  requestMix,
  runInput,
  secondsUntil,
  shapeOf,
} from './plan-flags.ts'
import { planText, servingText } from './plan-print.ts'

/** What the command touches of the outside; tests put their own in place. */
export interface PlanOutside {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  readonly now: () => number
}

const OUTSIDE: PlanOutside = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  now: Date.now,
}

/** `banyan plan`: what training or serving a model takes on a machine, without a server. */
export function planCommand(outside: PlanOutside = OUTSIDE): Command {
  return new Command('plan')
    .description('say what training or serving a model takes, and the best way to spread it over a machine')
    .argument('[model]', 'a name such as llama3-70b; banyan plan --models lists them')
    .option('--models', 'list the models that are known by name')
    .option('--config <file>', 'a Hugging Face config.json instead of a name')
    .option('--shape <fields>', 'layers=32,hidden=4096,heads=32,kvHeads=8,ffn=14336,... instead of a name')
    .option('--gpus <n>', 'how many GPUs')
    .option('--gpu <name>', 'which GPU', 'H100')
    .option('--cluster <template:nodes>', 'for example nd-h100-v5:64 or gb200-nvl72:18')
    .option('--tokens <n>', 'tokens to train on, such as 15T; else twenty for each parameter')
    .option('--steps <n>', 'steps to train for, with --batch, instead of tokens')
    .option(
      '--days <n>',
      'days there are: how many tokens they train, or with --tokens the size that is in time',
    )
    .option('--batch <n>', 'sequences of a step; else about four million tokens')
    .option('--sequence <n>', "tokens of a sequence; else the model's own")
    .addOption(new Option('--precision <p>', 'of matrix multiplies (bf16)').choices(['bf16', 'fp8', 'fp4']))
    .option('--software <name>', 'generation of training software to expect')
    .option('--fixed <fields>', 'tp=4,pp=8,vp=,cp=,ep=,mb=,zero=,recompute=: what is not free')
    .option('--price <dollars>', 'for a GPU-hour, instead of the list price')
    .option('--measured <span>', 'what a step of the job really takes: set against the plan, and counted by')
    .option('--finish-by <when>', 'a date, a weekday or a span: find the cheapest size that is in time')
    .option('--budget <dollars>', 'find a size that costs no more')
    .option('--spec <file>', 'write the spec for banyan run (- prints it)')
    .option('--run <command>', 'the command in that spec')
    .option('--curve', 'plan every size up to the machine: time against cost, with the knee')
    .option('--html <file>', 'write a self-contained page with plots')
    .option('--json', 'print one JSON object')
    .option('--serve', 'plan serving instead of training')
    .option('--input <n>', 'with --serve: tokens of a request', '1000')
    .option('--output <n>', 'with --serve: tokens of an answer', '300')
    .option('--rate <n>', 'with --serve: requests a second', '1')
    .option('--first-token <span>', 'with --serve: how long the first token may take')
    .option('--per-token <span>', 'with --serve: how long each further token may take')
    .option('--replica-gpus <n>', 'with --serve: GPUs of a replica')
    .action((model: string | undefined, flags: PlanFlags & { readonly models?: boolean }) => {
      if (flags.models)
        outside.out(flags.json ? `${JSON.stringify(modelNames())}\n` : `${modelNames().join('\n')}\n`)
      else if (flags.serve) planServing(model, flags, outside)
      else planTraining(model, flags, outside)
    })
}

function planTraining(model: string | undefined, flags: PlanFlags, outside: PlanOutside): void {
  const shape = shapeOf(model, flags)
  const input = runInput(shape, machineFor(flags), flags)
  const plan = planFor(input, flags, outside)
  const curve: Curve | undefined =
    flags.curve || flags.html !== undefined ? planCurve({ ...input, tokens: plan.tokens }) : undefined
  if (flags.html !== undefined) {
    writeFileSync(flags.html, planPage(plan, curve))
    outside.err(`wrote ${flags.html}\n`)
  }
  const spec =
    flags.spec === undefined ? undefined : specFile(plan, flags.run === undefined ? {} : { run: flags.run })
  if (spec !== undefined && flags.spec !== '-') {
    writeFileSync(flags.spec!, spec)
    outside.err(`wrote ${flags.spec}; submit it with banyan run ${flags.spec}\n`)
  }
  if (flags.json) outside.out(`${JSON.stringify(planJson(plan, curve, spec))}\n`)
  else if (flags.spec === '-') outside.out(spec!)
  else outside.out(planText(plan, curve))
}

/** The plan of the whole machine, or where there is a goal the cheapest part of it that keeps to the goal. */
function planFor(input: RunInput, flags: PlanFlags, outside: PlanOutside): RunPlan {
  const days = flags.days === undefined ? undefined : amount('--days', flags.days)
  if (days !== undefined && flags.tokens === undefined && flags.steps === undefined) {
    const once = checked(planRun(input))
    return checked(planRun({ ...input, tokens: (input.tokens * days * 86_400) / once.wallSeconds }))
  }
  const withinSeconds =
    flags.finishBy !== undefined
      ? secondsUntil(flags.finishBy, outside.now())
      : days !== undefined
        ? days * 86_400
        : undefined
  if (withinSeconds === undefined && flags.budget === undefined) return checked(planRun(input))
  return checked(
    planForGoal(input, {
      ...(withinSeconds !== undefined && { withinSeconds }),
      ...(flags.budget !== undefined && { dollars: amount('--budget', flags.budget) }),
    }),
  )
}

function planServing(model: string | undefined, flags: PlanFlags, outside: PlanOutside): void {
  const shape = shapeOf(model, flags)
  const machine = servingMachine(machineFor({ ...flags, gpus: flags.gpus ?? '1' }))
  const plan = checked(
    estimateServing({
      shape,
      machine,
      precision: flags.precision ?? 'bf16',
      mix: requestMix(flags),
      ...(flags.replicaGpus !== undefined && { gpusPerReplica: amount('--replica-gpus', flags.replicaGpus) }),
      ...(flags.price !== undefined && { dollarsPerGpuHour: amount('--price', flags.price) }),
    }),
  )
  if (flags.json) outside.out(`${JSON.stringify({ model: shape.name, gpu: machine.gpu.name, ...plan })}\n`)
  else outside.out(servingText(shape, machine.gpu.name, plan))
}

function planJson(plan: RunPlan, curve: Curve | undefined, spec: string | undefined) {
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
    ...(spec !== undefined && { spec }),
  }
}
