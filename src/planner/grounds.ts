import { CALIBRATION, type Resolved, resolveConstants } from './calibration.ts'
import { sourceOfModel } from './catalogue.ts'
import { DEFAULT_FAILURES } from './failures.ts'
import { type Machine, type Precision, sourceOfGpu } from './gpu.ts'
import type { ModelShape } from './model-shape.ts'
import { countParameters } from './parameters.ts'
import { LOAD_SHARE, SERVING_MATMUL, USABLE_MEMORY } from './serving.ts'

/** One figure that a plan rests on, and where it is from. */
export interface Ground {
  readonly name: string
  readonly value: number
  readonly unit: GroundUnit
  readonly source: string
}

type GroundUnit = 'parameters' | 'FLOP/s' | 'bytes/s' | 'bytes' | '$/GPU-hour' | 'share' | 'failures/node-day'

/** What is asked about, as far as the figures depend on it. */
interface Subject {
  readonly shape: ModelShape
  readonly machine: Machine
  readonly precision: Precision
  readonly software?: string
  readonly dollarsPerGpuHour?: number
}

const FITTED = `fitted to ${CALIBRATION.version}; docs/planner.md`

/** The figures that a plan of training rests on. */
export function trainingGrounds(subject: Subject): Ground[] {
  const { errorBand } = CALIBRATION
  return [
    ...commonGrounds(subject),
    share(
      'Two thirds of predictions are off by at most',
      subject.shape.blocks.moe > 0 ? errorBand.moe : errorBand.dense,
      'sources that were left out of the fit; docs/planner.md',
    ),
    {
      name: 'Failures of a node',
      value: DEFAULT_FAILURES.failuresPerNodeDay,
      unit: 'failures/node-day',
      source: 'arXiv 2410.21680, section 3',
    },
  ]
}

/** The figures that a plan of serving rests on. */
export function servingGrounds(subject: Subject): Ground[] {
  return [
    ...commonGrounds(subject),
    share(
      'Of the rate of training’s multiplies, serving keeps',
      SERVING_MATMUL,
      'fitted to 90 throughputs of TensorRT-LLM 1.0 that NVIDIA printed; docs/planner.md',
    ),
    share('Of the memory, weights and cache may take', USABLE_MEMORY, 'default of vLLM'),
    share('Of what a replica can do, it is given', LOAD_SHARE, 'a choice: queues stay short'),
  ]
}

function commonGrounds({ shape, machine, precision, software, dollarsPerGpuHour }: Subject): Ground[] {
  const { gpu } = machine
  const sheet = sourceOfGpu(gpu)
  const constants = resolveConstants(gpu, software)
  const isListPrice = dollarsPerGpuHour === undefined
  return [
    {
      name: 'Parameters',
      value: countParameters(shape).total,
      unit: 'parameters',
      source: sourceOfModel(shape) ?? 'as asked',
    },
    {
      name: `Peak in ${precision.toUpperCase()}`,
      value: gpu.flops[precision] ?? gpu.flops.bf16,
      unit: 'FLOP/s',
      source: sheet,
    },
    share('Of the peak, large multiplies reach', matmulShare(constants, precision), FITTED),
    { name: 'Memory of a GPU', value: gpu.memoryBytes, unit: 'bytes', source: sheet },
    { name: 'Memory bandwidth', value: gpu.memoryBandwidth, unit: 'bytes/s', source: sheet },
    share('Of the memory bandwidth, kernels reach', constants.memory, FITTED),
    { name: 'NVLink, one way', value: gpu.nvlinkBandwidth, unit: 'bytes/s', source: sheet },
    share('Of NVLink, collectives reach', constants.nvlink, FITTED),
    { name: 'Network of a GPU', value: machine.nicBandwidth, unit: 'bytes/s', source: sheet },
    share('Of the network, collectives reach', constants.network, FITTED),
    {
      name: isListPrice ? 'List price' : 'Price',
      value: dollarsPerGpuHour ?? gpu.dollarsPerHour,
      unit: '$/GPU-hour',
      source: isListPrice ? sheet : 'as asked',
    },
  ]
}

function share(name: string, value: number, source: string): Ground {
  return { name, value, unit: 'share', source }
}

function matmulShare({ matmulBf16, matmulFp8, matmulFp4 }: Resolved, precision: Precision): number {
  return { bf16: matmulBf16, fp8: matmulFp8, fp4: matmulFp4 }[precision]
}
