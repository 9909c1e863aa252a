import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseTopologyMatrix } from './topology-matrix.ts'

const fixture = (name: string) => readFileSync(new URL(`./fixtures/${name}`, import.meta.url), 'utf8')

test('a matrix with network cards names them by device and knows every link', () => {
  const { gpus, nics, links } = parseTopologyMatrix(fixture('hgx-h100-topology.txt'))
  expect(gpus).toHaveLength(8)
  expect(nics).toEqual(Array.from({ length: 10 }, (_, index) => `mlx5_${index}`))
  expect(links.get('GPU0')?.get('GPU7')).toBe('NV18')
  expect(links.get('GPU0')?.get('mlx5_0')).toBe('PIX')
  expect(links.get('GPU0')?.get('mlx5_9')).toBe('SYS')
  expect(links.get('mlx5_0')?.get('GPU0')).toBe('PIX')
})

test('a matrix without network cards has none', () => {
  const { gpus, nics, links } = parseTopologyMatrix(fixture('workstation-topology.txt'))
  expect(gpus).toEqual(['GPU0', 'GPU1'])
  expect(nics).toEqual([])
  expect(links.get('GPU1')?.get('GPU0')).toBe('PHB')
})

test('what is no matrix gives nothing', () => {
  expect(parseTopologyMatrix('Failed to initialize NVML\n')).toMatchObject({ gpus: [], nics: [] })
})
