import type { Client } from '../../../api/client/client.ts'
import { parseAmount } from '../../../base/amount.ts'
import { parseMoment } from '../../../base/moment.ts'
import { parseDuration } from '../../../base/units.ts'

export type TrainingQuestion = Parameters<Client['planTraining']>[0]
export type ServingQuestion = Parameters<Client['planServing']>[0]

type Precision = 'bf16' | 'fp8' | 'fp4'

/** What the reader wrote, field by field, as it stands in the address. */
export type Written = Readonly<Record<string, string>>

/** Fields that cannot be read, with what to write instead. */
export type Faults = Readonly<Record<string, string>>

export type Read<Question> =
  | { readonly question: Question; readonly faults?: undefined }
  | { readonly faults: Faults }

/** The value of `on` that means the cluster as it is. */
export const LIVE = 'live'

/** The training run that is asked about; `now` is the server's clock, which spans such as `30d` count from. */
export function trainingQuestion(written: Written, now: number): Read<TrainingQuestion> {
  const fields = new Fields(written)
  const by = fields.read('by', (text) => parseMoment(text, now))
  return fields.done({
    ...subjectOf(fields),
    ...given('tokens', fields.amount('tokens')),
    ...given('batch', fields.whole('batch')),
    ...given('sequence', fields.whole('sequence')),
    ...given('software', fields.text('software')),
    ...given('finishBy', by),
    ...given('dollars', fields.amount('budget')),
    ...given('measuredStepMs', fields.read('measured', parseDuration)),
    curve: true,
  })
}

export function servingQuestion(written: Written): Read<ServingQuestion> {
  const fields = new Fields(written)
  return fields.done({
    ...subjectOf(fields),
    ...given('inputTokens', fields.amount('input')),
    ...given('outputTokens', fields.amount('output')),
    ...given('requestsPerSecond', fields.amount('rate')),
    ...given('firstTokenMs', fields.read('first', parseDuration)),
    ...given('perTokenMs', fields.read('each', parseDuration)),
    ...given('gpusPerReplica', fields.whole('replica')),
  })
}

function subjectOf(fields: Fields) {
  const on = fields.text('on') ?? LIVE
  const nodes = fields.whole('nodes') ?? 1
  return {
    ...given('model', fields.text('model')),
    ...given('cluster', on === LIVE ? undefined : `${on}:${nodes}`),
    ...given('gpus', fields.whole('gpus')),
    ...given('precision', fields.text('precision') as Precision | undefined),
    ...given('dollarsPerGpuHour', fields.amount('price')),
  }
}

type Parsed<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly error: string }

/** Reads what was written field by field, and keeps what is wrong with it. */
class Fields {
  readonly #written: Written
  readonly #faults: Record<string, string> = {}

  constructor(written: Written) {
    this.#written = written
  }

  text(name: string): string | undefined {
    return this.#written[name]?.trim() || undefined
  }

  amount(name: string): number | undefined {
    return this.read(name, parseAmount)
  }

  whole(name: string): number | undefined {
    const value = this.amount(name)
    if (value === undefined || Number.isInteger(value)) return value
    this.#faults[name] = 'give a whole number'
    return undefined
  }

  read<Value>(name: string, parse: (text: string) => Parsed<Value>): Value | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    const parsed = parse(text)
    if (parsed.ok) return parsed.value
    this.#faults[name] = parsed.error
    return undefined
  }

  done<Question>(question: Question): Read<Question> {
    return Object.keys(this.#faults).length > 0 ? { faults: this.#faults } : { question }
  }
}

function given<Name extends string, Value>(
  name: Name,
  value: Value | undefined,
): { readonly [Key in Name]?: Value } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [Key in Name]?: Value }
}
