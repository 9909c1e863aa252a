import { Command, Option } from 'commander'
import { refuse } from '../base/index.ts'
import type { NodeDescription } from '../model/index.ts'
import {
  type Curve,
  estimateServing,
  LIVE,
  machineOfNodes,
  modelNames,
  type PlanGoal,
  planCurve,
  planPage,
  planReport,
  planTraining,
  requestedMachine,
  requestedShape,
  servingMachine,
  specFile,
  trainingInput,
} from '../planner/index.ts'
import { writeOutput } from './file-failure.ts'
import {
  amount,
  checked,
  machineRequest,
  modelRequest,
  type PlanFlags,
  requestMix,
  secondsUntil,
  trainingRequest,
} from './plan-flags.ts'
import { planText, servingText } from './plan-print.ts'

/** What the command touches of the outside; tests put their own in place. */
export interface PlanOutside {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  readonly now: () => number
  /** The nodes of the server that the command line leads to; fails where there is no server. */
  readonly liveCluster: () => Promise<LiveCluster>
}

/** Nodes that can compute, and the cluster's levels. */
export interface LiveCluster {
  readonly nodes: readonly NodeDescription[]
  readonly levels: readonly string[]
}

/** `banyan plan`: what training or serving a model takes on a machine; only for the live cluster it needs a server. */
export function planCommand(outside: PlanOutside): Command {
  return new Command('plan')
    .description('say what training or serving a model takes, and the best way to spread it over a machine')
    .argument('[model]', 'a name such as llama3-70b; banyan plan --models lists them')
    .option('--models', 'list the models that are known by name')
    .option('--config <file>', 'a Hugging Face config.json instead of a name')
    .option('--shape <fields>', 'layers=32,hidden=4096,heads=32,kvHeads=8,ffn=14336,... instead of a name')
    .option('--gpus <n>', 'how many GPUs')
    .option('--gpu <name>', 'which GPU; H100 where no cluster is named')
    .option('--cluster <template:nodes>', 'nd-h100-v5:64, gb200-nvl72:18, or live: what the server has')
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
    .action(async (model: string | undefined, flags: PlanFlags & { readonly models?: boolean }) => {
      if (flags.models)
        outside.out(flags.json ? `${JSON.stringify(modelNames())}\n` : `${modelNames().join('\n')}\n`)
      else if (flags.serve) await servingPlan(model, flags, outside)
      else await trainingPlan(model, flags, outside)
    })
}

async function trainingPlan(
  model: string | undefined,
  flags: PlanFlags,
  outside: PlanOutside,
): Promise<void> {
  const request = trainingRequest(model, flags)
  const live = await liveMachine(machineRequest(flags).cluster, outside)
  const input = checked(trainingInput(request, live))
  const isTokensGiven = request.tokens !== undefined || request.steps !== undefined
  const plan = checked(planTraining(input, isTokensGiven, goalOf(flags, outside.now())))
  const curve: Curve | undefined =
    flags.curve || flags.html !== undefined ? planCurve({ ...input, tokens: plan.tokens }) : undefined
  if (flags.html !== undefined) {
    writeOutput(flags.html, planPage(plan, curve))
    outside.err(`wrote ${flags.html}\n`)
  }
  const spec =
    flags.spec === undefined ? undefined : specFile(plan, flags.run === undefined ? {} : { run: flags.run })
  if (spec !== undefined && flags.spec !== '-') {
    writeOutput(flags.spec!, spec)
    outside.err(`wrote ${flags.spec}; submit it with banyan run ${flags.spec}\n`)
  }
  if (flags.json)
    outside.out(`${JSON.stringify({ ...planReport(plan, curve), ...(spec !== undefined && { spec }) })}\n`)
  else if (flags.spec === '-') outside.out(spec!)
  else outside.out(planText(plan, curve))
}

function goalOf(flags: PlanFlags, now: number): PlanGoal {
  return {
    ...(flags.days !== undefined && { days: amount('--days', flags.days) }),
    ...(flags.finishBy !== undefined && { withinSeconds: secondsUntil(flags.finishBy, now) }),
    ...(flags.budget !== undefined && { dollars: amount('--budget', flags.budget) }),
  }
}

/** The machine of the server's nodes, fetched where it is what is planned for. */
async function liveMachine(cluster: string | undefined, outside: PlanOutside) {
  if (cluster !== LIVE) return () => refuse('no live cluster was asked for')
  const { nodes, levels } = await outside.liveCluster()
  return () => machineOfNodes(nodes, levels)
}

async function servingPlan(model: string | undefined, flags: PlanFlags, outside: PlanOutside): Promise<void> {
  const shape = checked(requestedShape(modelRequest(model, flags)))
  const asked = machineRequest({
    ...flags,
    gpus: flags.gpus ?? (flags.cluster === undefined ? '1' : undefined),
  })
  const machine = servingMachine(checked(requestedMachine(asked, await liveMachine(asked.cluster, outside))))
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
