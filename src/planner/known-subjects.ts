import { CLUSTER_TEMPLATES } from '../fabric/index.ts'
import { CALIBRATION } from './calibration.ts'
import { modelByName, modelNames, sourceOfModel } from './catalogue.ts'
import { gpuByName, knownGpus } from './gpu.ts'
import { countParameters } from './parameters.ts'

/** What can be planned for by name: models, GPUs, clusters and generations of training software, with their sources. */
export function knownSubjects() {
  return {
    models: modelNames().flatMap((name) => {
      const shape = modelByName(name)
      if (!shape.ok) return []
      const { total, active } = countParameters(shape.value)
      return {
        name,
        parameters: total,
        activeParameters: active,
        sequence: shape.value.sequence,
        source: sourceOfModel(shape.value) ?? '',
      }
    }),
    gpus: knownGpus().map(({ name, memoryBytes, dollarsPerHour, source }) => ({
      name,
      memoryBytes,
      dollarsPerHour,
      source,
    })),
    clusters: CLUSTER_TEMPLATES.flatMap(({ name, description, node }) => {
      const gpu = gpuByName(node.gpuModel)
      return gpu.ok ? { name, gpu: gpu.value.name, gpusPerNode: node.gpuCount, source: description } : []
    }),
    software: CALIBRATION.software.map(({ name, title }) => ({ name, title })),
  }
}
