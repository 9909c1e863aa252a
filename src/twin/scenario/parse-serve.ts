import { PRIORITY_CLASSES } from '../../model/index.ts'
import { modelByName } from '../../planner/index.ts'
import {
  Fields,
  type Place,
  type Reader,
  readBoolean,
  readDuration,
  readNumber,
  readOneOf,
  readSpanOrNone,
  readText,
  readWhole,
} from './read.ts'
import type { ServeSource } from './scenario.ts'

const FIELDS = [
  'name',
  'tenant',
  'model',
  'gpus',
  'replicas',
  'concurrent',
  'outstandingPerReplica',
  'precision',
  'measured',
  'requests',
  'priority',
  'preemptible',
] as const

/** What most servers of models work on at once unless told otherwise (vLLM's `max_num_seqs`). */
const CONCURRENT = 256
/** As the gateway's own. */
const OUTSTANDING_PER_REPLICA = 256

/** A served model and the requests that come for it. */
export const serveAt: Reader<ServeSource> = (place) => {
  const fields = Fields.of(place, FIELDS)
  const model = fields?.need('model', 'the name of a model such as llama3-70b', readText)
  const requests = fields?.need('requests', 'a `file` of requests', requestsAt)
  if (!fields || model === undefined || !requests) return undefined
  const measured = fields.read('measured', measuredAt)
  const gpus = fields.read('gpus', readWhole(1))
  const replicas = fields.read('replicas', readWhole(1))
  if (fields.has('measured')) {
    if (!measured) return undefined
    if (gpus === undefined || replicas === undefined)
      return place.fail('with "measured" it needs "gpus" of a replica and "replicas" too')
  } else {
    const known = modelByName(model)
    if (!known.ok) return place.fail(`${known.error} Or say under "measured" how quickly a replica works`)
  }
  return {
    kind: 'serve',
    name: fields.read('name', readText) ?? `serve-${model}`,
    tenant: fields.read('tenant', readText) ?? 'team',
    model,
    priority: fields.read('priority', readOneOf(PRIORITY_CLASSES)) ?? 'high',
    preemptible: fields.read('preemptible', readBoolean) ?? false,
    concurrent: fields.read('concurrent', readWhole(1)) ?? CONCURRENT,
    outstandingPerReplica: fields.read('outstandingPerReplica', readWhole(1)) ?? OUTSTANDING_PER_REPLICA,
    precision: fields.read('precision', readOneOf(['bf16', 'fp8', 'fp4'])) ?? 'bf16',
    requests,
    ...(gpus !== undefined ? { gpus } : {}),
    ...(replicas !== undefined ? { replicas } : {}),
    ...(measured ? { measured } : {}),
  }
}

const requestsAt = (place: Place): ServeSource['requests'] | undefined => {
  const fields = Fields.of(place, ['file', 'times', 'after', 'lasts'])
  const file = fields?.need('file', 'a CSV with arrival_s, context_tokens and generated_tokens', readText)
  if (!fields || file === undefined) return undefined
  const lastsMs = fields.read('lasts', readDuration)
  return {
    file,
    times: fields.read('times', readWhole(1, 10_000)) ?? 1,
    afterMs: fields.read('after', readSpanOrNone) ?? 0,
    ...(lastsMs !== undefined ? { lastsMs } : {}),
  }
}

const measuredAt = (place: Place): ServeSource['measured'] => {
  const fields = Fields.of(place, ['prefillTokensPerSecond', 'tokenTime'])
  const prefillTokensPerSecond = fields?.need('prefillTokensPerSecond', 'a rate', readNumber(1e-3))
  const tokenMs = fields?.need('tokenTime', 'the span from token to token, such as 25ms', readDuration)
  return prefillTokensPerSecond !== undefined && tokenMs !== undefined
    ? { prefillTokensPerSecond, tokenMs }
    : undefined
}
