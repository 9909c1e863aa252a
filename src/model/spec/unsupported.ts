import type { WorkloadSpec, WorkloadType } from '../workload-spec.ts'
import { didYouMean } from './nearest.ts'
import type { ParsedSpec } from './parse-spec.ts'
import type { SpecProblem } from './problem.ts'

/** What the engine and the scheduler of one cluster can act on. */
export interface Capabilities {
  /** For messages: `local`. */
  readonly engine: string
  readonly types: readonly WorkloadType[]
  /** Levels of the cluster, outermost first, the last `node`. */
  readonly levels: readonly string[]
  /** Whether tasks can run in an image. */
  readonly containers: boolean
  /** Whether gangs may start at any of their sizes, and be started again at another. */
  readonly elastic: boolean
  /** Whether several workloads can share one GPU. */
  readonly fractions: boolean
  /** Whether one attempt may have more than one node. */
  readonly manyNodes: boolean
}

interface UnsupportedField {
  readonly field: string
  /** Why this cluster does not act on it, and what to do; undefined when it does, or when the spec has no such field. */
  readonly reason: (spec: WorkloadSpec, capabilities: Capabilities) => string | undefined
}

/** Every field that is understood and that some cluster does not act on. It is refused there, never ignored. */
export const UNSUPPORTED: readonly UnsupportedField[] = [
  {
    field: 'type',
    reason: ({ type }, { types, engine }) =>
      types.includes(type) ? undefined : `the engine "${engine}" runs ${types.join(' and ')}, not ${type}`,
  },
  {
    field: 'image',
    reason: ({ program }, { containers, engine }) =>
      program.image === undefined || containers
        ? undefined
        : `the engine "${engine}" runs processes without containers; leave image out and install what it needs in workdir`,
  },
  {
    field: 'elastic',
    reason: (spec, { elastic }) => {
      if (!spec.resources.elastic) return undefined
      if (!elastic) return 'gangs are not resized here; leave it out and ask for a fixed size'
      return spec.type === 'train' && spec.checkpoint
        ? undefined
        : 'a gang is resized by starting it again at the other size, so it needs checkpoint.path to go on from'
    },
  },
  {
    field: 'gpus',
    reason: ({ resources }, { fractions, engine }) =>
      resources.shape.kind === 'fraction' && !fractions
        ? `the engine "${engine}" cannot share a GPU; ask for a whole one`
        : undefined,
  },
  {
    field: 'nodes',
    reason: ({ resources: { shape } }, { manyNodes, engine }) =>
      shape.kind === 'nodes' && shape.nodes > 1 && !manyNodes
        ? `the engine "${engine}" has one node; ask for gpus instead, or use an engine with many nodes`
        : undefined,
  },
  {
    field: 'topology.within',
    reason: ({ resources }, { levels }) => unknownLevel(resources.within?.level, levels),
  },
  {
    field: 'topology.segment',
    reason: ({ resources }, { levels }) => unknownLevel(resources.segment?.level, levels),
  },
  {
    field: 'topology.spread',
    reason: ({ resources }, { levels }) => unknownLevel(resources.spread?.level, levels),
  },
]

function unknownLevel(level: string | undefined, levels: readonly string[]): string | undefined {
  if (level === undefined || levels.includes(level)) return undefined
  return `this cluster has no level "${level}"${didYouMean(level, levels)}; its levels are ${levels.join(' > ')}`
}

/** A problem for each field of the spec that this cluster does not act on. */
export function unsupportedFields(
  parsed: Pick<ParsedSpec, 'specs' | 'placeOf'>,
  capabilities: Capabilities,
): readonly SpecProblem[] {
  const [spec] = parsed.specs
  return UNSUPPORTED.flatMap(({ field, reason }) => {
    const message = reason(spec, capabilities)
    return message === undefined ? [] : [{ ...parsed.placeOf(field), field, message }]
  })
}
