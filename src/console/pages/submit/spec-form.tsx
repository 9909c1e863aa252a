import { parseDocument } from 'yaml'
import { PRIORITY_CLASSES } from '../../../model/policy.ts'
import { WORKLOAD_TYPES } from '../../../model/workload-spec.ts'

interface Props {
  readonly text: string
  readonly onChange: (text: string) => void
}

interface Field {
  readonly path: readonly string[]
  readonly name: string
  readonly hint?: string
  readonly types?: readonly string[]
  readonly choices?: readonly string[]
}

/** What most specs need; the text has the rest. */
const FIELDS: readonly Field[] = [
  { path: ['type'], name: 'Type', choices: WORKLOAD_TYPES },
  { path: ['name'], name: 'Name', hint: 'a-z, 0-9, “.”, “_” and “-”' },
  {
    path: ['gpus'],
    name: 'GPUs',
    hint: 'a share of one too, such as 0.25; “auto” with a plan; empty with nodes',
  },
  { path: ['nodes'], name: 'Nodes', hint: 'whole nodes, in place of GPUs' },
  { path: ['gpu'], name: 'GPU model', hint: 'for example H100; any when empty' },
  { path: ['replicas'], name: 'Replicas', types: ['serve'] },
  { path: ['model'], name: 'Model', hint: 'what clients ask for', types: ['serve'] },
  { path: ['count'], name: 'Machines', types: ['machines'] },
  { path: ['run'], name: 'Command', types: ['train', 'serve'] },
  { path: ['workdir'], name: 'Folder', hint: 'absolute', types: ['train', 'serve'] },
  { path: ['time', 'expected'], name: 'Expected time', hint: '2h, 90m, 1d; a good one starts sooner' },
  { path: ['time', 'limit'], name: 'Time limit', hint: 'when an attempt is stopped' },
  { path: ['priority'], name: 'Priority', choices: ['', ...PRIORITY_CLASSES] },
  { path: ['checkpoint', 'path'], name: 'Checkpoints in', types: ['train'] },
  { path: ['checkpoint', 'every'], name: 'Checkpoint every', hint: '15m', types: ['train'] },
  {
    path: ['plan', 'model'],
    name: 'Trains',
    hint: 'a model such as llama3-8b: Banyan plans it',
    types: ['train'],
  },
  { path: ['plan', 'tokens'], name: 'Tokens', hint: 'such as 300B', types: ['train'] },
  { path: ['plan', 'finishBy'], name: 'Finish by', hint: '2027-03-01, friday, 30d', types: ['train'] },
  { path: ['plan', 'budget'], name: 'Budget, $', hint: 'such as 2M', types: ['train'] },
  { path: ['topology', 'within', 'level'], name: 'Within one', hint: 'a level, such as block' },
]

/** The fields of the text that most specs need; a change leaves the rest of the text, comments too, as it is. */
export function SpecForm({ text, onChange }: Props) {
  const document = parseDocument(text)
  const value = document.errors.length === 0 ? (document.toJS() as unknown) : undefined
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return <p class="muted">The form comes back when the text is YAML again.</p>
  }
  const type = read(value, ['type']) || 'train'
  const set = (path: readonly string[], input: string) => {
    const changed = parseDocument(text)
    if (input === '') removeIn(changed, path)
    else {
      const parent = changed.getIn(path.slice(0, -1), true)
      // A short form such as `time: 8h` gives way to the mapping that the field is part of.
      if (path.length > 1 && (typeof parent !== 'object' || parent === null || !('items' in parent))) {
        changed.setIn(path.slice(0, -1), changed.createNode({}))
      }
      changed.setIn([...path], scalarOf(input))
    }
    onChange(changed.toString({ lineWidth: 0 }))
  }
  return (
    <div class="form">
      {FIELDS.filter(({ types }) => types === undefined || types.includes(type)).map(
        ({ path, name, hint, choices }) => {
          const there = read(value, path)
          const id = `spec-${path.join('-')}`
          return choices ? (
            <label key={id}>
              {name}
              <select value={there} onChange={(event) => set(path, event.currentTarget.value)}>
                {choices.map((choice) => (
                  <option key={choice} value={choice}>
                    {choice || 'normal (when left out)'}
                  </option>
                ))}
              </select>
            </label>
          ) : (
            <label key={id}>
              {name}
              <input value={there} onChange={(event) => set(path, event.currentTarget.value.trim())} />
              {hint && <span class="hint">{hint}</span>}
            </label>
          )
        },
      )}
    </div>
  )
}

function read(value: unknown, path: readonly string[]): string {
  let at = value
  for (const name of path)
    at = typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[name] : undefined
  if (at === undefined || at === null) return ''
  return typeof at === 'string' ? at : JSON.stringify(at)
}

/** Numbers stay numbers; all else is text. */
function scalarOf(input: string): string | number {
  return /^\d+(\.\d+)?$/.test(input) ? Number(input) : input
}

function removeIn(document: ReturnType<typeof parseDocument>, path: readonly string[]): void {
  document.deleteIn([...path])
  const parent = path.slice(0, -1)
  if (
    parent.length > 0 &&
    Object.keys((document.getIn(parent) as { toJSON?: () => object })?.toJSON?.() ?? { kept: 1 }).length === 0
  ) {
    document.deleteIn(parent)
  }
}
