import { isMap, parseDocument } from 'yaml'
import type { Submitted } from '../../../api/wire/workload.ts'
import { STRATEGY_VARIABLES } from '../../../model/run-declaration.ts'

type Spec = Submitted['specs'][number]

/** What a spec says of the size of a run that it declares under `plan`; undefined where it declares none, or is no YAML. */
export function declaredSize(text: string): 'auto' | 'fixed' | undefined {
  const document = parseDocument(text)
  if (document.errors.length > 0 || !isMap(document.contents) || !document.has('plan')) return undefined
  return document.get('gpus') === 'auto' ? 'auto' : 'fixed'
}

/** The same spec with its size left to the planner, and without the strategy of another size. */
export function withoutSize(text: string): string {
  const document = parseDocument(text)
  setFields(document, { gpus: 'auto', nodes: undefined, gpusPerNode: undefined })
  if (isMap(document.get('env'))) for (const name of STRATEGY_VARIABLES) document.deleteIn(['env', name])
  return document.toString({ lineWidth: 0 })
}

/** The same spec at the size that was planned, with the strategy in its environment; all else stays as it is written. */
export function withSize(text: string, planned: Spec): string {
  const document = parseDocument(text)
  const { shape } = planned.resources
  const { nodes, gpusPerNode } = shape.kind === 'nodes' ? shape : {}
  setFields(document, { gpus: shape.kind === 'gpus' ? shape.gpus : undefined, nodes, gpusPerNode })
  if (!isMap(document.get('env'))) document.set('env', document.createNode({}))
  for (const name of STRATEGY_VARIABLES) document.setIn(['env', name], planned.program.env[name])
  return document.toString({ lineWidth: 0 })
}

/** Fields that are there keep their place. */
function setFields(
  document: ReturnType<typeof parseDocument>,
  fields: Readonly<Record<string, string | number | undefined>>,
): void {
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) document.delete(name)
    else document.set(name, value)
  }
}
