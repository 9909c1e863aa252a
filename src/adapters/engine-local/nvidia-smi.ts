/** One GPU as `nvidia-smi -q -x` describes it. */
export interface GpuReport {
  readonly uuid: string
  readonly busId: string
  /** Without its vendor and form factor: `H100-80GB`. */
  readonly model: string
  readonly memoryBytes: number
  /** Set when the GPU cannot be used as it is, in words for an operator. */
  readonly trouble?: string
}

const MIB = 2 ** 20

/**
 * The GPUs in a document of `nvidia-smi -q -x`, in the order of their indices, which is that of their bus ids.
 * Understands nvsmi_device.dtd versions 10 to 13; fields that are not there are taken as healthy.
 */
export function parseGpus(xml: string): GpuReport[] {
  return [...xml.matchAll(/<gpu id="([^"]*)">([\s\S]*?)<\/gpu>/g)].map(([, busId = '', body = '']) => {
    const memoryBytes = mebibytes(field(section(body, 'fb_memory_usage'), 'total'))
    const trouble = troubleOf(body)
    return {
      uuid: field(body, 'uuid'),
      busId,
      model: modelName(field(body, 'product_name'), memoryBytes),
      memoryBytes,
      ...(trouble !== undefined ? { trouble } : {}),
    }
  })
}

/** `NVIDIA H100 80GB HBM3` is `H100-80GB`; a memory size that the name lacks is added from what the GPU reports. */
export function modelName(product: string, memoryBytes: number): string {
  const words = product
    .replace(/\b(?:NVIDIA|Tesla|GeForce|Quadro)\b/g, ' ')
    .split(/[\s-]+/)
    .filter((word) => word !== '' && !/^(?:SXM\d?|PCIe?|PCIE|HBM\d\w*|NVL\d*|Generation)$/.test(word))
  if (!words.some((word) => /^\d+GB$/.test(word))) words.push(`${Math.ceil(memoryBytes / 2 ** 30)}GB`)
  return words.join('-')
}

function troubleOf(gpu: string): string | undefined {
  if (field(gpu, 'current_mig') === 'Enabled') {
    return 'is split by MIG, and Banyan places whole GPUs; turn MIG off with nvidia-smi -mig 0'
  }
  if (field(gpu, 'reset_required') === 'Yes') return 'needs a reset: nvidia-smi --gpu-reset'
  const action = field(gpu, 'gpu_recovery_action')
  if (!['', 'None', 'N/A'].includes(action)) return `needs recovery: ${action}`
  const rows = section(gpu, 'remapped_rows')
  if (field(rows, 'remapped_row_failure') === 'Yes')
    return 'has memory that could not be remapped; replace it'
  if (field(gpu, 'product_name') === 'Unknown Error') return 'does not answer'
  return undefined
}

function section(xml: string, name: string): string {
  return new RegExp(`<${name}>([\\s\\S]*?)</${name}>`).exec(xml)?.[1] ?? ''
}

function field(xml: string, name: string): string {
  return section(xml, name).trim()
}

function mebibytes(text: string): number {
  const match = /^(\d+) MiB$/.exec(text)
  return match ? Number(match[1]) * MIB : 0
}
