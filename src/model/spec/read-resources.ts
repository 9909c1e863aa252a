import { parseBytes } from '../../base/index.ts'
import type {
  Elastic,
  GpuSelector,
  ResourceRequest,
  ResourceShape,
  Segment,
  Spread,
  WithinDomain,
} from '../request.ts'
import type { WorkloadType } from '../workload-spec.ts'
import type { Mapping, Place } from './place.ts'
import type { DeclaredRun } from './read-plan.ts'
import { readDuration, readOneOf, readOneOrMore, readText, readWhole } from './read-values.ts'

/** What one attempt needs, from the top of the spec; undefined after recording faults. */
export function readResources(
  top: Mapping,
  type: WorkloadType,
  declared: DeclaredRun,
): ResourceRequest | undefined {
  const gpu = top.read('gpu', (place) => readGpu(place, type))
  const shape = readShape(top, (place) => declared.sized(place, gpu?.models))
  const elastic = top.read('elastic', (place) => readElastic(place, type, shape))
  const topology = top.read('topology', (place) => readTopology(place, type, shape))
  if (!shape) return undefined
  const part = topology?.segment?.nodes
  if (elastic && part !== undefined && elastic.min % part !== 0) {
    return top.place('elastic')!.fail(`its min of ${elastic.min} nodes cannot be cut into parts of ${part}`)
  }
  declared.planAt(shape, gpu?.models)
  return { shape, ...(gpu ? { gpu } : {}), ...topology, ...(elastic ? { elastic } : {}) }
}

/** `sized` gives the size of `gpus: auto`. */
function readShape(
  top: Mapping,
  sized: (place: Place) => ResourceShape | undefined,
): ResourceShape | undefined {
  const nodes = top.read('nodes', readWhole(1))
  const gpusPerNode = top.read('gpusPerNode', readWhole(1, 1024))
  if (top.has('nodes') && top.has('gpus')) {
    return top
      .place('gpus')!
      .fail('both nodes and gpus are given; keep one (nodes with gpusPerNode says both)')
  }
  if (top.has('gpusPerNode') && !top.has('nodes')) {
    return top.place('gpusPerNode')!.fail('goes with nodes, which is missing; with gpus alone leave it out')
  }
  if (top.has('nodes')) {
    if (nodes === undefined) return undefined
    return { kind: 'nodes', nodes, ...(gpusPerNode === undefined ? {} : { gpusPerNode }) }
  }
  return top.need('gpus', 'nodes or gpus, to say how much it runs on', (place) =>
    place.scalar === 'auto' ? sized(place) : readGpuCount(place),
  )
}

function readGpuCount(place: Place): ResourceShape | undefined {
  const { scalar } = place
  if (typeof scalar !== 'number' || !Number.isFinite(scalar)) {
    return place.expected('a whole number from 1, a share below 1 such as 0.25, or auto')
  }
  if (scalar > 0 && scalar < 1) {
    const milliGpus = Math.round(scalar * 1000)
    if (Math.abs(scalar * 1000 - milliGpus) > 1e-9) {
      return place.fail(`a share is counted in thousandths, found ${place.found}`)
    }
    return { kind: 'fraction', milliGpus }
  }
  const gpus = readWhole(1)(place)
  return gpus === undefined ? undefined : { kind: 'gpus', gpus }
}

function readGpu(place: Place, type: WorkloadType): GpuSelector | undefined {
  if (!place.isMapping) {
    const models = readOneOrMore(readText)(place)
    return models && { models }
  }
  const fields = place.fields(type)
  if (!fields) return undefined
  const models = fields.read('model', readOneOrMore(readText))
  const memory = fields.read('memory', readMemoryRange)
  if (!fields.has('model') && !fields.has('memory')) return place.fail('needs model or memory, found neither')
  return { ...(models ? { models } : {}), ...memory }
}

/**
 * Bounds of a GPU's memory. A GPU sold as 80 GB reports somewhat less than 80 GiB and more than 80 x 10^9 bytes, so
 * that a lower bound in GB is taken as powers of ten and an upper one as powers of two: both let that GPU in.
 */
function readMemoryRange(place: Place): Pick<GpuSelector, 'minMemoryBytes' | 'maxMemoryBytes'> | undefined {
  const text = readText(place)
  if (text === undefined) return undefined
  const [low = '', high = ''] = text.includes('..') ? text.split('..', 2).map((part) => part.trim()) : [text]
  if (low === '' && high === '') return place.fail('needs a bound: 40GB..80GB, 40GB.., ..80GB or 40GB')
  const min = low === '' ? undefined : parseBytes(low)
  const max = high === '' ? undefined : parseBytes(high.replace(/([KMGT])B$/, '$1iB'))
  if (min && !min.ok) return place.fail(min.error)
  if (max && !max.ok) return place.fail(max.error)
  if (min && max && min.value > max.value)
    return place.fail(`the range is the wrong way round: ${place.found}`)
  return { ...(min ? { minMemoryBytes: min.value } : {}), ...(max ? { maxMemoryBytes: max.value } : {}) }
}

function readElastic(
  place: Place,
  type: WorkloadType,
  shape: ResourceShape | undefined,
): Elastic | undefined {
  const fields = place.fields(type)
  if (!fields) return undefined
  const min = fields.read('min', readWhole(1))
  const max = fields.read('max', readWhole(1))
  if (!fields.has('min') && !fields.has('max')) return place.fail('needs min, max or both, found neither')
  if (!shape) return undefined
  if (shape.kind === 'fraction') return place.fail('a share of a GPU cannot grow or shrink')
  const size = shape.kind === 'nodes' ? shape.nodes : shape.gpus
  if (min !== undefined && min > size)
    return fields.place('min')!.fail(`is larger than ${shape.kind}, ${size}`)
  if (max !== undefined && max < size)
    return fields.place('max')!.fail(`is smaller than ${shape.kind}, ${size}`)
  return { min: min ?? size, max: max ?? size }
}

function readTopology(
  place: Place,
  type: WorkloadType,
  shape: ResourceShape | undefined,
): Pick<ResourceRequest, 'within' | 'segment' | 'spread'> | undefined {
  const fields = place.fields(type)
  if (!fields) return undefined
  const within = fields.read('within', (inner) => readWithin(inner, type))
  const segment = fields.read('segment', (inner) => readSegment(inner, type, shape))
  const spread = fields.read('spread', (inner) => readSpread(inner, type))
  return {
    ...(within ? { within } : {}),
    ...(segment ? { segment } : {}),
    ...(spread ? { spread } : {}),
  }
}

function readWithin(place: Place, type: WorkloadType): WithinDomain | undefined {
  if (!place.isMapping) {
    const level = readText(place)
    return level === undefined ? undefined : { level, mode: 'required' }
  }
  const fields = place.fields(type)
  if (!fields) return undefined
  const level = fields.need('level', 'a level of the cluster, for example block', readText)
  const mode = fields.read('mode', readOneOf(['required', 'preferred'])) ?? 'required'
  const waitMs = fields.read('wait', readDuration)
  if (fields.has('wait') && mode === 'required') {
    return fields.place('wait')!.fail('goes with mode: preferred; what is required is waited for without end')
  }
  return level === undefined ? undefined : { level, mode, ...(waitMs === undefined ? {} : { waitMs }) }
}

function readSpread(place: Place, type: WorkloadType): Spread | undefined {
  if (!place.isMapping) {
    const level = readText(place)
    return level === undefined ? undefined : { level, mode: 'preferred' }
  }
  const fields = place.fields(type)
  if (!fields) return undefined
  const level = fields.need('level', 'a level of the cluster, for example block', readText)
  const mode = fields.read('mode', readOneOf(['required', 'preferred'])) ?? 'preferred'
  return level === undefined ? undefined : { level, mode }
}

function readSegment(
  place: Place,
  type: WorkloadType,
  shape: ResourceShape | undefined,
): Segment | undefined {
  const fields = place.fields(type)
  if (!fields) return undefined
  const nodes = fields.need('nodes', 'the number of nodes of one part', readWhole(1))
  const level = fields.need('level', 'a level of the cluster, for example block', readText)
  if (nodes === undefined || level === undefined || !shape) return undefined
  if (shape.kind !== 'nodes') return place.fail('needs nodes, which is missing: a gang of gpus is not cut')
  if (shape.nodes % nodes !== 0) {
    return fields.place('nodes')!.fail(`${shape.nodes} nodes cannot be cut into parts of ${nodes}`)
  }
  return { nodes, level }
}
