import { PRIORITY_CLASSES } from '../../model/index.ts'
import {
  Fields,
  type Reader,
  readBoolean,
  readDuration,
  readNumber,
  readOneOf,
  readSpanOrNone,
  readText,
  readWhole,
  spanAt,
} from './read.ts'
import type { MachinesSource } from './scenario.ts'

const FIELDS = [
  'name',
  'tenant',
  'nodes',
  'gpus',
  'held',
  'used',
  'count',
  'every',
  'perDay',
  'span',
  'priority',
  'preemptible',
] as const

/** Machines that people hold for a time. */
export const machinesAt: Reader<MachinesSource> = (place) => {
  const fields = Fields.of(place, FIELDS)
  const held = fields?.need('held', 'how long they are held, such as 8h or {from: 1h, to: 12h}', spanAt)
  if (!fields || !held) return undefined
  if (held.fromMs === 0) return place.fail('"held" must be longer than nothing')
  const nodes = fields.read('nodes', readWhole(1))
  const gpus = fields.read('gpus', readWhole(1))
  if ((nodes === undefined) === (gpus === undefined)) return place.fail('needs either "nodes" or "gpus"')
  const isAtRandom = fields.has('perDay') || fields.has('span')
  if (isAtRandom && (fields.has('count') || fields.has('every')))
    return place.fail('needs either "count" and "every", or "perDay" and "span"')
  const perDay = isAtRandom ? fields.need('perDay', 'how many a day', readNumber(0.001, 100_000)) : undefined
  const spanMs = isAtRandom ? fields.need('span', 'for how long people come', readDuration) : undefined
  const used = fields.read('used', readNumber(0, 1))
  return {
    kind: 'machines',
    name: fields.read('name', readText) ?? 'machines',
    tenant: fields.read('tenant', readText) ?? 'team',
    size: nodes !== undefined ? { nodes } : { gpus: gpus! },
    held,
    asked:
      perDay !== undefined && spanMs !== undefined
        ? { perDay, spanMs }
        : {
            count: fields.read('count', readWhole(1, 1_000_000)) ?? 1,
            everyMs: fields.read('every', readSpanOrNone) ?? 0,
          },
    priority: fields.read('priority', readOneOf(PRIORITY_CLASSES)) ?? 'normal',
    preemptible: fields.read('preemptible', readBoolean) ?? false,
    ...(used !== undefined ? { used } : {}),
  }
}
