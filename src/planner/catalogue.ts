import { ok, present, type Result, refuse } from '../base/index.ts'
import { didYouMean } from '../model/spec/index.ts'
import catalogue from './data/models.json' with { type: 'json' }
import { type ModelShape, modelShape, type ShapeInput } from './model-shape.ts'

interface Entry extends ShapeInput {
  readonly name: string
  readonly aliases: readonly string[]
  readonly source: string
}

const ENTRIES = catalogue.models as readonly Entry[]
const BY_NAME = new Map(
  ENTRIES.flatMap((entry) => [entry.name, ...entry.aliases].map((name) => [plain(name), entry] as const)),
)

/** Names of the models that the data file knows, in the file's order. */
export function modelNames(): readonly string[] {
  return ENTRIES.map((entry) => entry.name)
}

/** The shape of a model by name, whatever its case and punctuation, or the names that come nearest. */
export function modelByName(name: string): Result<ModelShape, string> {
  const entry = BY_NAME.get(plain(name))
  if (!entry) {
    const near = modelNames().filter((known) => plain(known).includes(plain(name).slice(0, 5)))
    const hint =
      near.length > 0
        ? `; did you mean ${near.join(', ')}?`
        : `${didYouMean(name, modelNames())}; banyan plan --models lists those that are.`
    return refuse(`no model is called "${name}"${hint} Or give --config with a Hugging Face config.json`)
  }
  const shape = modelShape(entry)
  return ok(present(shape.ok ? shape.value : undefined, `shape of ${entry.name} in the model catalogue`))
}

/** Where the shape is from: the source of the model that it is in the data file; undefined for a shape of one's own, whatever its name. */
export function sourceOfModel(shape: ModelShape): string | undefined {
  const entry = BY_NAME.get(plain(shape.name))
  const known = entry && modelShape(entry)
  return known?.ok && JSON.stringify(known.value) === JSON.stringify(shape) ? entry?.source : undefined
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9.]/g, '')
}
