import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import type { WorkloadView } from '../../api/wire/workload.ts'
import { parseSpec } from '../../model/spec/parse-spec.ts'
import { durationText, writtenSpec } from './spec-text.ts'

const SPECS = [
  'type: train\nname: a\ngpus: 1\nrun: ./go',
  'type: train\nname: a\ngpus: 0.25\nrun: [a, b]\nenv: {A: "1"}\ntime: {expected: 90s, limit: 36h}',
  `type: train
name: llama
nodes: 16
gpusPerNode: 8
gpu: {model: [H100, H200], memory: 80GB..150GB}
elastic: {min: 8, max: 32}
topology: {within: {level: block, mode: preferred, wait: 10m}, segment: {nodes: 4, level: rack}, spread: block}
run: python train.py
image: pytorch
checkpoint: {path: ckpt, every: 15m, grace: 1500ms}
dependsOn: [data]
priority: high
retry: {user: 2, platform: 5}`,
  'type: train\nname: sweep\ngpus: 1\nrun: go\narray: 3-4',
  'type: train\nname: p\nnodes: 2\nrun: go\nplan: {model: llama3-8b, tokens: 300B, finishBy: 30d, budget: 2M}',
  'type: serve\nname: chat\ngpus: 2\nrun: serve\nreplicas: 3\nmodel: tiny\nreadiness: {path: /up, every: 5s}',
  'type: machines\nname: dev\ngpus: 1\ncount: 2',
]

test.each(SPECS)('what is written of a spec is read as the same spec: %j', (text) => {
  const options = { file: 'spec', folder: '/job' }
  const first = parseSpec(text, options)
  if (!first.ok) throw new Error(JSON.stringify(first.error))
  for (const spec of first.value.specs) {
    const again = parseSpec(stringify(writtenSpec(spec as WorkloadView['spec'])), options)
    expect(again.ok ? again.value.specs : again.error).toEqual([spec])
  }
})

test.each([
  [undefined, undefined],
  [0, '0s'],
  [1_500, '1500ms'],
  [90_000, '90s'],
  [5_400_000, '90m'],
  [172_800_000, '2d'],
])('%s ms is %s', (ms, text) => {
  expect(durationText(ms)).toBe(text)
})
