import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { modelName, parseGpus } from './nvidia-smi.ts'

const GIB = 2 ** 30
const fixture = (name: string) => readFileSync(new URL(`./fixtures/${name}`, import.meta.url), 'utf8')

describe('the GPUs in a document of nvidia-smi', () => {
  test('are listed in order with model, memory and bus', () => {
    const gpus = parseGpus(fixture('hgx-h100.xml'))
    expect(gpus).toHaveLength(8)
    expect(gpus[1]).toEqual({
      uuid: 'GPU-0a1b2c3d-0000-4000-8000-000000000001',
      busId: '00000000:29:00.0',
      model: 'H100-80GB',
      memoryBytes: 81559 * 2 ** 20,
    })
  })

  test('say what is wrong with them', () => {
    const gpus = parseGpus(fixture('ailing.xml'))
    expect(gpus.map(({ model }) => model)).toEqual(['A100-40GB', 'L40S-45GB', 'H200-141GB'])
    expect(gpus.map(({ trouble }) => trouble)).toEqual([
      expect.stringContaining('MIG'),
      expect.stringContaining('needs a reset'),
      'needs recovery: Drain and Reset',
    ])
  })

  test('are none in a document without any', () => {
    expect(parseGpus('<nvidia_smi_log><attached_gpus>0</attached_gpus></nvidia_smi_log>')).toEqual([])
  })
})

test.each([
  ['NVIDIA H100 80GB HBM3', 79.6, 'H100-80GB'],
  ['NVIDIA A100-SXM4-80GB', 80, 'A100-80GB'],
  ['NVIDIA A100-PCIE-40GB', 40, 'A100-40GB'],
  ['NVIDIA H100 PCIe', 79.6, 'H100-80GB'],
  ['Tesla V100-SXM2-32GB', 32, 'V100-32GB'],
  ['NVIDIA GeForce RTX 4090', 23.99, 'RTX-4090-24GB'],
  ['NVIDIA B200', 179.1, 'B200-180GB'],
])('the model of "%s" with %d GiB is %s', (product, gibibytes, model) => {
  expect(modelName(product, gibibytes * GIB)).toBe(model)
})
