import type { ClusterTemplate } from './cluster-template.ts'

const GIB = 2 ** 30
const GBIT = 1e9 / 8

/**
 * A block is the nodes under one rail group of leaf switches: half the ports of a leaf go down, so 20 nodes with
 * 40-port HDR switches and 32 with 64-port NDR switches. A pod is what a two-tier fat tree of them carries.
 */
const HDR_RAILS: ClusterTemplate['levels'] = [
  { level: 'pod', holds: 40 },
  { level: 'block', holds: 20 },
]
const NDR_RAILS: ClusterTemplate['levels'] = [
  { level: 'pod', holds: 64 },
  { level: 'block', holds: 32 },
]
/** A scalable unit of 32 nodes is a block, and four of them a pod of two tiers (NVIDIA DGX SuperPOD reference architecture). */
const SCALABLE_UNITS: ClusterTemplate['levels'] = [
  { level: 'pod', holds: 4 },
  { level: 'block', holds: 32 },
]
/** 18 trays in one NVLink domain, 8 racks in a scalable unit (NVIDIA DGX SuperPOD GB200 reference architecture). */
const NVL72: ClusterTemplate['levels'] = [
  { level: 'pod', holds: 16 },
  { level: 'block', holds: 8 },
  { level: 'nvlink', holds: 18 },
]
/** EC2 UltraClusters are told apart by names only; AWS prints no number of nodes for a level. */
const ULTRACLUSTER: ClusterTemplate['levels'] = [{ level: 'block', holds: 4096 }]

/** Every kind of machine that is known by name: what the twin builds and what the planner plans for. */
export const CLUSTER_TEMPLATES: readonly ClusterTemplate[] = [
  machine(
    'nd-a100-v4',
    'Azure ND96asr A100 v4 (Azure documentation)',
    HDR_RAILS,
    ['A100', 40, 8],
    [96, 900],
    [8, 200],
  ),
  machine(
    'ndm-a100-v4',
    'Azure ND96amsr A100 v4 (Azure documentation)',
    HDR_RAILS,
    ['A100', 80, 8],
    [96, 1900],
    [8, 200],
  ),
  machine(
    'nd-h100-v5',
    'Azure ND96isr H100 v5 (Azure documentation)',
    NDR_RAILS,
    ['H100', 80, 8],
    [96, 1900],
    [8, 400],
  ),
  machine(
    'nd-h200-v5',
    'Azure ND96isr H200 v5 (Azure documentation)',
    NDR_RAILS,
    ['H200', 141, 8],
    [96, 1850],
    [8, 400],
  ),
  machine(
    'nd-gb200-v6',
    'Azure ND128isr GB200 v6 (Azure documentation)',
    NVL72,
    ['GB200', 192, 4],
    [128, 900],
    [4, 400],
  ),
  machine(
    'nd-gb300-v6',
    'Azure ND128isr GB300 v6 (Azure documentation)',
    NVL72,
    ['GB300', 288, 4],
    [128, 900],
    [4, 800],
  ),
  machine(
    'dgx-a100',
    'NVIDIA DGX A100 80 GB (data sheet)',
    HDR_RAILS,
    ['A100', 80, 8],
    [128, 2048],
    [8, 200],
  ),
  machine('dgx-h100', 'NVIDIA DGX H100 (data sheet)', SCALABLE_UNITS, ['H100', 80, 8], [112, 2048], [8, 400]),
  machine(
    'dgx-h200',
    'NVIDIA DGX H200 (data sheet)',
    SCALABLE_UNITS,
    ['H200', 141, 8],
    [112, 2048],
    [8, 400],
  ),
  machine(
    'dgx-b200',
    'NVIDIA DGX B200 (data sheet)',
    SCALABLE_UNITS,
    ['B200', 180, 8],
    [112, 2048],
    [8, 400],
  ),
  machine(
    'dgx-b300',
    'NVIDIA DGX B300 (data sheet)',
    SCALABLE_UNITS,
    ['B300', 288, 8],
    [144, 2048],
    [8, 800],
  ),
  machine(
    'dgx-superpod',
    'DGX SuperPOD of DGX H100 (NVIDIA reference architecture)',
    SCALABLE_UNITS,
    ['H100', 80, 8],
    [112, 2048],
    [8, 400],
  ),
  machine(
    'gb200-nvl72',
    'GB200 NVL72 (NVIDIA DGX SuperPOD GB200 reference architecture)',
    NVL72,
    ['GB200', 192, 4],
    [144, 960],
    [4, 400],
  ),
  machine(
    'gb300-nvl72',
    'GB300 NVL72 (NVIDIA DGX SuperPOD GB300 reference architecture)',
    NVL72,
    ['GB300', 288, 4],
    [144, 960],
    [4, 800],
  ),
  machine(
    'p4de',
    'AWS p4de.24xlarge: EFA of 4 x 100 Gb/s (AWS documentation)',
    ULTRACLUSTER,
    ['A100', 80, 8],
    [96, 1152],
    [4, 100],
  ),
  machine(
    'p5',
    'AWS p5.48xlarge: EFA of 32 x 100 Gb/s (AWS documentation)',
    ULTRACLUSTER,
    ['H100', 80, 8],
    [192, 2048],
    [32, 100],
  ),
]

/** A template of `gpu` (model, GB, how many a node), `host` (CPUs, GiB) and `network` (links, Gb/s of each). */
function machine(
  name: string,
  what: string,
  levels: ClusterTemplate['levels'],
  [gpu, gpuGb, gpuCount]: readonly [string, number, number],
  [cpuCount, memoryGib]: readonly [number, number],
  [nicCount, gbits]: readonly [number, number],
): ClusterTemplate {
  return {
    name,
    description: `${what}: ${gpuCount} ${gpu} of ${gpuGb} GB, ${cpuCount} CPUs, ${memoryGib} GiB, ${nicCount} links of ${gbits} Gb/s`,
    levels,
    node: {
      gpuModel: `${gpu}-${gpuGb}GB`,
      gpuCount,
      gpuMemoryBytes: gpuGb * GIB,
      cpuCount,
      memoryBytes: memoryGib * GIB,
      nicCount,
    },
    fabric: { nodeBytesPerSecond: nicCount * gbits * GBIT, oversubscription: {} },
  }
}
