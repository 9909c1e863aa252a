import { type Elastic, PRIORITY_CLASSES, type RunDeclaration } from '../../model/index.ts'
import { requestedShape, requestOfDeclaration } from '../../planner/index.ts'
import { SHAPE_NAMES } from '../traces/generate.ts'
import { parseMoment } from './moment.ts'
import { machinesAt } from './parse-machines.ts'
import { serveAt } from './parse-serve.ts'
import {
  Fields,
  type Place,
  type Reader,
  readBoolean,
  readDeclaration,
  readDuration,
  readNumber,
  readOneOf,
  readSpanOrNone,
  readText,
  readWhole,
} from './read.ts'
import type { CheckpointChoice, Moment, WorkloadSource } from './scenario.ts'

/** One source of work. */
export const workloadAt: Reader<WorkloadSource> = (place) => {
  const kinds = ['trace', 'generate', 'jobs', 'serve', 'machines'] as const
  const fields = Fields.of(place, kinds)
  if (!fields) return undefined
  if (fields.has('trace')) return fields.read('trace', traceAt)
  if (fields.has('generate')) return fields.read('generate', generateAt)
  if (fields.has('jobs')) return fields.read('jobs', jobsAt)
  if (fields.has('serve')) return fields.read('serve', serveAt)
  if (fields.has('machines')) return fields.read('machines', machinesAt)
  return place.fail(`needs one of ${kinds.join(', ')}`)
}

const momentAt: Reader<Moment> = (place) => {
  const moment = parseMoment(place.scalarText)
  return moment.ok ? moment.value : place.fail(moment.error)
}

const traceAt: Reader<WorkloadSource> = (place) => {
  const fields = Fields.of(place, ['file', 'format', 'from', 'to'])
  const file = fields?.need('file', 'a CSV or the output of sacct -P', readText)
  if (!fields || file === undefined) return undefined
  const from = fields.read('from', momentAt)
  const to = fields.read('to', momentAt)
  return {
    kind: 'trace',
    file,
    format: fields.read('format', readOneOf(['auto', 'csv', 'sacct'])) ?? 'auto',
    ...(from ? { from } : {}),
    ...(to ? { to } : {}),
  }
}

const generateAt: Reader<WorkloadSource> = (place) => {
  const fields = Fields.of(place, ['shape', 'load', 'span', 'largestGpus'])
  const shape = fields?.need('shape', SHAPE_NAMES.join(', '), readOneOf(SHAPE_NAMES))
  const spanMs = fields?.need('span', 'how long jobs arrive, such as 30d', readDuration)
  if (!fields || shape === undefined || spanMs === undefined) return undefined
  const largestGpus = fields.read('largestGpus', readWhole(1))
  return {
    kind: 'generate',
    shape,
    spanMs,
    load: fields.read('load', readNumber(0.001, 10)) ?? 0.8,
    ...(largestGpus !== undefined ? { largestGpus } : {}),
  }
}

const jobsAt: Reader<WorkloadSource> = (place) => {
  const fields = Fields.of(place, [
    'name',
    'tenant',
    'count',
    'every',
    'nodes',
    'gpus',
    'elastic',
    'run',
    'plan',
    'priority',
    'preemptible',
    'retryUser',
    'checkpoint',
    'traffic',
  ])
  if (!fields) return undefined
  if (fields.has('run') === fields.has('plan'))
    return place.fail('needs either "run", the run time at full speed, or "plan", the model that it trains')
  const runMs = fields.read('run', readDuration)
  const plan = fields.read('plan', planAt)
  if (runMs === undefined && !plan) return undefined
  const nodes = fields.read('nodes', readWhole(1))
  const gpus = fields.read('gpus', readWhole(1))
  if ((nodes === undefined) === (gpus === undefined)) return place.fail('needs either "nodes" or "gpus"')
  const elastic = fields.read('elastic', (inner) => elasticAt(inner, nodes ?? gpus ?? 1))
  const checkpoint = fields.read('checkpoint', checkpointAt)
  const traffic = fields.read('traffic', trafficAt)
  return {
    kind: 'jobs',
    name: fields.read('name', readText) ?? 'job',
    tenant: fields.read('tenant', readText) ?? 'team',
    count: fields.read('count', readWhole(1)) ?? 1,
    everyMs: fields.read('every', readSpanOrNone) ?? 0,
    size: nodes !== undefined ? { nodes } : { gpus: gpus! },
    ...(elastic ? { elastic } : {}),
    work: plan ? { plan } : { runMs: runMs! },
    priority: fields.read('priority', readOneOf(PRIORITY_CLASSES)) ?? 'normal',
    preemptible: fields.read('preemptible', readBoolean) ?? true,
    retryUser: fields.read('retryUser', readWhole(0)) ?? 0,
    ...(checkpoint ? { checkpoint } : {}),
    ...(traffic ? { traffic } : {}),
  }
}

function elasticAt(place: Place, size: number): Elastic | undefined {
  const fields = Fields.of(place, ['min', 'max'])
  if (!fields) return undefined
  const min = fields.read('min', readWhole(1)) ?? size
  const max = fields.read('max', readWhole(1)) ?? size
  if (min <= size && size <= max && min < max) return { min, max }
  return place.fail(`needs a min of at most ${size}, a max of at least ${size}, and the two to differ`)
}

const planAt: Reader<RunDeclaration> = (place) => {
  const plan = readDeclaration(place)
  const shape = plan && requestedShape(requestOfDeclaration(plan))
  return shape && !shape.ok ? place.fail(shape.error) : plan
}

const trafficAt = (place: Place) => {
  const fields = Fields.of(place, ['pattern', 'share'])
  const pattern = fields?.need(
    'pattern',
    'ring, tree or all-to-all',
    readOneOf(['ring', 'tree', 'all-to-all']),
  )
  const share = fields?.need('share', 'the share of a step that waits for it, such as 0.2', readNumber(0, 1))
  return pattern && share !== undefined ? { pattern, share } : undefined
}

export const checkpointAt: Reader<CheckpointChoice> = (place) => {
  const fields = Fields.of(place, ['every', 'cost', 'grace'])
  if (!fields) return undefined
  const everyMs = fields.read('every', readDuration)
  return {
    costMs: fields.read('cost', readSpanOrNone) ?? 0,
    graceMs: fields.read('grace', readSpanOrNone) ?? 0,
    ...(everyMs !== undefined ? { everyMs } : {}),
  }
}
