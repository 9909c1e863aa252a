import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ApiProblem, Client } from '../../src/api/index.ts'
import { DAY_MS } from '../../src/base/index.ts'
import { h100World } from './h100-world.ts'
import { aServer, type RunningServer } from './running-server.ts'

let server: RunningServer
let client: Client
beforeAll(async () => {
  server = await aServer({ slots: 8, change: h100World })
  client = server.client()
})
afterAll(() => server.remove())

/** The problem with which a call is refused. */
async function refusal(call: Promise<unknown>) {
  const problem = (await call.then(
    () => undefined,
    (error: unknown) => error,
  )) as ApiProblem | undefined
  return { status: problem?.status, detail: problem?.message }
}

describe('planTraining', () => {
  test('plans for the live cluster when no machine is named', async () => {
    const plan = await client.planTraining({ model: 'llama3-8b', tokens: 10e9 })
    expect(plan.machine).toMatchObject({ gpu: 'H100-SXM-80', gpuCount: 8, gpusPerNode: 8 })
    expect(plan.memory.total).toBeLessThan(80 * 2 ** 30)
    const { total, ...parts } = plan.step
    expect(Object.values(parts).reduce((a, b) => a + b)).toBeCloseTo(total)
  })

  test('plans for part of it, for templates and for GPUs', async () => {
    const count = async (input: Parameters<Client['planTraining']>[0]) =>
      (await client.planTraining({ model: 'llama3-8b', tokens: 10e9, ...input })).machine
    expect((await count({ gpus: 4 })).gpuCount).toBe(4)
    expect(await count({ cluster: 'gb200-nvl72:18' })).toMatchObject({ gpu: 'GB200-186', gpuCount: 72 })
    expect(await count({ gpu: 'A100', gpus: 16 })).toMatchObject({ gpu: 'A100-SXM-80', gpuCount: 16 })
  })

  test('finds the cheapest size that is in time, with the curve', async () => {
    const plan = await client.planTraining({
      model: 'llama3-70b',
      cluster: 'nd-h100-v5:128',
      tokens: 1e12,
      finishBy: Date.now() + 60 * DAY_MS,
      curve: true,
    })
    expect(plan.wallSeconds * 1000).toBeLessThan(60 * DAY_MS)
    expect(plan.curve?.filter(({ knee }) => knee)).toHaveLength(1)
  })

  test('says what it rests on, each figure with its source, and gives a spec of the same size', async () => {
    const plan = await client.planTraining({ model: 'llama3-8b', tokens: 10e9, dollarsPerGpuHour: 3 })
    expect(plan.grounds.every(({ source }) => source !== '')).toBe(true)
    expect(plan.grounds).toContainEqual({ name: 'Price', value: 3, unit: '$/GPU-hour', source: 'as asked' })
    const { specs } = await client.submitWorkload({ spec: plan.spec, folder: '/srv', dryRun: true })
    expect(specs[0]).toMatchObject({ planned: { gpus: 8, stepMs: plan.step.total * 1000 } })
  })

  test('takes a shape and a config.json', async () => {
    const shape = { layers: 16, hidden: 2048, heads: 32, kvHeads: 8, ffn: 8192 }
    expect((await client.planTraining({ model: 'mine', shape, tokens: 1e9 })).model).toBe('mine')
    const config = { hidden_size: 2048, num_hidden_layers: 16, num_attention_heads: 32, vocab_size: 32_000 }
    expect((await client.planTraining({ config, tokens: 1e9 })).steps).toBeGreaterThan(0)
  })

  test.each([
    ['an unknown model', { model: 'lama3-8b' }, 400, /no model is called "lama3-8b"/i],
    ['no model', {}, 400, /no model is named/i],
    [
      'more GPUs than there are',
      { model: 'llama3-8b', gpus: 16 },
      400,
      /cluster has 8 x H100-SXM-80, and 16/,
    ],
    ['an unknown cluster', { model: 'llama3-8b', cluster: 'cray:4' }, 400, /no node type is called "cray"/i],
    ['steps without a batch', { model: 'llama3-8b', steps: 10 }, 400, /batch/],
    ['a date that is past', { model: 'llama3-8b', finishBy: 1 }, 400, /past/],
    ['what fits no GPU here', { model: 'llama3-405b' }, 422, /does not fit 8 x H100/],
    [
      'a split that cannot be',
      { model: 'llama3-8b', fixed: { tensor: 3 } },
      422,
      /not divisible by tensor 3/,
    ],
    ['a budget too small', { model: 'llama3-8b', tokens: 1e12, dollars: 10 }, 422, /not for \$10/i],
  ])('refuses %s', async (_, input, status, says) => {
    expect(await refusal(client.planTraining(input))).toEqual({
      status,
      detail: expect.stringMatching(says),
    })
  })
})

describe('planServing', () => {
  test('plans for the GPUs of the live cluster when none are named', async () => {
    const plan = await client.planServing({ model: 'llama3-8b', requestsPerSecond: 2, perTokenMs: 20 })
    expect(plan.gpu).toBe('H100-SXM-80')
    expect(plan.secondsPerToken).toBeLessThanOrEqual(0.02)
    expect(plan.grounds.map(({ name }) => name)).toContain('Memory bandwidth')
    const { specs } = await client.submitWorkload({ spec: plan.spec, folder: '/srv', dryRun: true })
    expect(specs[0]).toMatchObject({ type: 'serve', replicas: plan.replicas })
  })

  test('refuses latencies that nothing keeps', async () => {
    expect(await refusal(client.planServing({ model: 'llama3-70b', gpu: 'A100', perTokenMs: 0.1 }))).toEqual({
      status: 422,
      detail: expect.stringMatching(/latencies/),
    })
  })
})

describe('listPlanSubjects', () => {
  test('names models, GPUs, clusters and software, all of which can be planned for', async () => {
    const { models, gpus, clusters, software } = await client.listPlanSubjects()
    expect([...models, ...gpus, ...clusters].every(({ source }) => source !== '')).toBe(true)
    const [cluster] = clusters.filter(({ name }) => name === 'nd-h100-v5')
    expect(cluster).toMatchObject({ gpu: 'H100-SXM-80', gpusPerNode: 8 })
    const plan = await client.planTraining({
      model: models[0]!.name,
      gpu: gpus.at(-1)!.name,
      gpus: 8,
      software: software.at(-1)!.name,
    })
    expect(plan.machine.gpu).toBe(gpus.at(-1)!.name)
  })
})
