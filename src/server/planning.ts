import type { ContractOf, HandlerInput, PlanView, ServingPlanView } from '../api/index.ts'
import type { Result } from '../base/index.ts'
import {
  estimateServing,
  type Machine,
  machineOfNodes,
  planCurve,
  planReport,
  planTraining,
  requestedMachine,
  requestedShape,
  servingGrounds,
  servingMachine,
  servingSpecFile,
  specFile,
  trainingGrounds,
  trainingInput,
} from '../planner/index.ts'
import type { CallContext } from './context.ts'
import { ProblemError } from './problem-error.ts'

type TrainingQuestion = HandlerInput<ContractOf<'planTraining'>>
type ServingQuestion = HandlerInput<ContractOf<'planServing'>>

const HINT = 'GET /v1/openapi.json describes the fields; banyan plan --models lists the models known by name.'

/** What a training run takes on the live cluster, or on the machine that is named. */
export function trainingPlan(context: CallContext, question: TrainingQuestion): PlanView {
  const { measuredStepMs, days, finishBy, dollars, ...rest } = question
  const now = context.clock.now()
  if (finishBy !== undefined && finishBy <= now) {
    throw new ProblemError('invalid-request', `finishBy ${finishBy} is past; it is ${now} now.`)
  }
  const input = understood(
    trainingInput(
      {
        ...rest,
        ...(measuredStepMs !== undefined && { measuredStepSeconds: measuredStepMs / 1000 }),
      },
      () => liveMachine(context),
    ),
  )
  const isTokensGiven = question.tokens !== undefined || question.steps !== undefined
  const found = planTraining(input, isTokensGiven, {
    ...(days !== undefined && { days }),
    ...(finishBy !== undefined && { withinSeconds: (finishBy - now) / 1000 }),
    ...(dollars !== undefined && { dollars }),
  })
  const plan = possible(found)
  return {
    ...planReport(plan, question.curve ? planCurve({ ...input, tokens: plan.tokens }) : undefined),
    grounds: trainingGrounds(input),
    spec: specFile(plan),
  }
}

/** What serving a model takes on GPUs of the live cluster, or on those that are named. */
export function servingPlan(context: CallContext, question: ServingQuestion): ServingPlanView {
  const { firstTokenMs, perTokenMs, gpusPerReplica, dollarsPerGpuHour } = question
  const model = understood(requestedShape(question))
  const named =
    question.gpu !== undefined && question.gpus === undefined ? { ...question, gpus: 1 } : question
  const machine = servingMachine(understood(requestedMachine(named, () => liveMachine(context))))
  const plan = possible(
    estimateServing({
      shape: model,
      machine,
      precision: question.precision,
      mix: {
        inputTokens: question.inputTokens,
        outputTokens: question.outputTokens,
        requestsPerSecond: question.requestsPerSecond,
        ...(firstTokenMs !== undefined && { maxFirstTokenSeconds: firstTokenMs / 1000 }),
        ...(perTokenMs !== undefined && { maxSecondsPerToken: perTokenMs / 1000 }),
      },
      ...(gpusPerReplica !== undefined && { gpusPerReplica }),
      ...(dollarsPerGpuHour !== undefined && { dollarsPerGpuHour }),
    }),
  )
  return {
    model: model.name,
    gpu: machine.gpu.name,
    ...plan,
    grounds: servingGrounds({
      shape: model,
      machine,
      precision: question.precision,
      ...(dollarsPerGpuHour !== undefined && { dollarsPerGpuHour }),
    }),
    spec: servingSpecFile(model, machine.gpu.name, plan),
  }
}

/** The machine that the nodes make which are not down, of the GPUs named or of the kind that there is most of. */
export function liveMachine({ ledger }: CallContext, models?: readonly string[]): Result<Machine, string> {
  const { nodes, cluster } = ledger.state
  const usable = [...nodes.values()].filter(({ state }) => state !== 'down')
  return machineOfNodes(usable, cluster.levels, models)
}

function understood<Value>(result: Result<Value, string>): Value {
  if (result.ok) return result.value
  throw new ProblemError('invalid-request', sentence(result.error), { hint: HINT })
}

function possible<Value>(result: Result<Value, string>): Value {
  if (result.ok) return result.value
  throw new ProblemError('unsatisfiable', sentence(result.error))
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.?]$/.test(text) ? '' : '.'}`
}
