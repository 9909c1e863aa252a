import { ok, parseAmount, type Result } from '../../base/index.ts'
import type { ResourceShape } from '../request.ts'
import type {
  DeclaredShape,
  PlanAnswer,
  PlanQuestion,
  PlanRefusal,
  RunDeclaration,
} from '../run-declaration.ts'
import type { WorkloadType } from '../workload-spec.ts'
import type { Mapping, Place } from './place.ts'
import { readOneOf, readText, readWhole } from './read-values.ts'

/** Makes a plan for a declared run; what has none cannot size workloads. */
export type Planner = (question: PlanQuestion) => Result<PlanAnswer, PlanRefusal>

/** What the spec declares of its run, and what is planned for it. */
export class DeclaredRun {
  readonly declaration: RunDeclaration | undefined
  answer: PlanAnswer | undefined
  readonly #place: Place | undefined
  readonly #planner: Planner | undefined
  readonly #type: WorkloadType

  constructor(top: Mapping, type: WorkloadType, planner: Planner | undefined) {
    this.#place = top.place('plan')
    this.#planner = planner
    this.#type = type
    this.declaration = top.read('plan', readDeclaration)
  }

  /** The size that is planned for `gpus: auto`, which stands at `place`; undefined after recording why there is none. */
  sized(place: Place, models: readonly string[] | undefined): ResourceShape | undefined {
    if (this.#type !== 'train') return place.fail('"auto" is for train; give a number')
    if (!this.#place) {
      return place.fail(
        '"auto" goes with plan, which is missing: the model, its tokens or steps, finishBy, budget',
      )
    }
    if (!this.declaration) return undefined
    if (!this.#planner)
      return place.fail('"auto" is sized by a server; give a number (`banyan plan` suggests one)')
    const answer = this.#planner(question(this.declaration, 'auto', models))
    if (!answer.ok) {
      const { about, message } = answer.error
      return about === 'declaration' ? this.#place.fail(message) : place.fail(`no size will do: ${message}`)
    }
    this.answer = answer.value
    return answer.value.size
  }

  /** Plans at the size that was asked for. A machine that the planner does not know is no fault: it then says nothing. */
  planAt(size: ResourceShape, models: readonly string[] | undefined): void {
    if (!this.declaration || this.answer || !this.#planner) return
    const answer = this.#planner(question(this.declaration, size, models))
    if (answer.ok) this.answer = answer.value
    else if (answer.error.about === 'declaration') this.#place!.fail(answer.error.message)
  }
}

function question(
  declaration: RunDeclaration,
  size: ResourceShape | 'auto',
  models: readonly string[] | undefined,
): PlanQuestion {
  return { declaration, size, ...(models && { models }) }
}

/** The `plan` of a workload spec, wherever it stands; its faults are told by their place in such a spec. */
export function readDeclaration(place: Place): RunDeclaration | undefined {
  const fields = place.fields('train')
  if (!fields) return undefined
  const model = fields.need(
    'model',
    'the name of a model such as llama3-70b, or of your own beside shape',
    readText,
  )
  const shape = fields.read('shape', readShape)
  const tokens = fields.read('tokens', readAmount)
  const steps = fields.read('steps', readWhole(1, 1e9))
  const batch = fields.read('batch', readWhole(1))
  const sequence = fields.read('sequence', readWhole(1, 1e8))
  const precision = fields.read('precision', readOneOf(['bf16', 'fp8', 'fp4']))
  const finishBy = fields.read('finishBy', readText)
  const budget = fields.read('budget', readAmount)
  if (!fields.has('tokens') && !fields.has('steps'))
    return place.fail('needs tokens, or steps with batch; found neither')
  if (fields.has('tokens') && fields.has('steps'))
    return fields.place('steps')!.fail('both tokens and steps are given; keep one')
  if (fields.has('steps') && !fields.has('batch'))
    return fields.place('steps')!.fail('goes with batch, which is missing')
  if (model === undefined || (fields.has('shape') && !shape)) return undefined
  return {
    model,
    ...(shape && { shape }),
    ...(tokens !== undefined && { tokens }),
    ...(steps !== undefined && { steps }),
    ...(batch !== undefined && { batch }),
    ...(sequence !== undefined && { sequence }),
    ...(precision !== undefined && { precision }),
    ...(finishBy !== undefined && { finishBy }),
    ...(budget !== undefined && { budget }),
  }
}

/** Fields of a shape that may be left out. */
const OPTIONAL = ['kvHeads', 'ffn', 'vocabulary', 'experts', 'topK', 'expertFfn'] as const

function readShape(place: Place): DeclaredShape | undefined {
  const fields = place.fields('train')
  if (!fields) return undefined
  const layers = fields.need('layers', 'the number of layers', readWhole(1))
  const hidden = fields.need('hidden', 'the hidden width', readWhole(1))
  const heads = fields.need('heads', 'the number of attention heads', readWhole(1))
  const rest: Partial<Record<(typeof OPTIONAL)[number], number>> = {}
  for (const name of OPTIONAL) {
    const value = fields.read(name, readWhole(1))
    if (value !== undefined) rest[name] = value
  }
  if (layers === undefined || hidden === undefined || heads === undefined) return undefined
  return { layers, hidden, heads, ...rest }
}

/** `300B`, `2.5e12`, `$9M` or a plain number. */
function readAmount(place: Place): number | undefined {
  const { scalar } = place
  const amount = typeof scalar === 'number' && scalar > 0 ? ok(scalar) : parseAmount(place.scalarText)
  return amount.ok
    ? amount.value
    : place.fail(`needs a number above 0 such as 300B or 2.5e12, found ${place.found}`)
}
