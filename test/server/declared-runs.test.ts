import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Client } from '../../src/api/index.ts'
import { runCli } from '../../src/cli/run-cli.ts'
import { aTerminal } from '../../src/cli/test-io.ts'
import { h100World } from './h100-world.ts'
import { aServer, type RunningServer, whenIn } from './running-server.ts'

let server: RunningServer
let client: Client
let folder: string
beforeAll(async () => {
  server = await aServer({ slots: 8, change: h100World })
  client = server.client()
  folder = mkdtempSync(join(tmpdir(), 'banyan-declared-'))
})
afterAll(async () => {
  await server.remove()
  rmSync(folder, { recursive: true })
})

async function banyan(line: string) {
  const env = { BANYAN_URL: server.url, BANYAN_TOKEN: server.token }
  const io = aTerminal({ cwd: folder, env, now: Date.now, columns: 300 })
  const code = await runCli(line.split(' ').filter(Boolean), io)
  return { code, ...io.written }
}

async function understood(spec: object) {
  const { specs } = await client.submitWorkload({
    spec: { type: 'train', name: 'sized', run: 'true', ...spec },
    folder,
    dryRun: true,
  })
  const [first] = specs
  if (first?.type !== 'train') throw new Error('a train spec was asked for')
  return first
}

const fault = (spec: object) =>
  understood(spec).then(
    () => 'no fault',
    (error: Error) => error.message,
  )

describe('gpus: auto', () => {
  test('takes more GPUs the sooner it must be done, and says why', async () => {
    const size = async (finishBy: string) => {
      const spec = await understood({ gpus: 'auto', plan: { model: 'llama3.2-1b', tokens: '20B', finishBy } })
      const { shape } = spec.resources
      expect(shape).toEqual({ kind: 'gpus', gpus: spec.planned?.gpus })
      expect(spec.expectedMs).toBe(spec.planned?.wallMs)
      expect(spec.planned?.why).toMatch(/^the cheapest of 4 sizes that is done within/)
      return spec.planned?.gpus ?? 0
    }
    expect(await size('20h')).toBe(8)
    expect(await size('20d')).toBeLessThan(8)
  })

  test('keeps to a budget, and takes what is worth it where nothing is asked', async () => {
    const plan = { model: 'llama3-8b', tokens: '2B' }
    expect((await understood({ gpus: 'auto', plan: { ...plan, budget: 1e6 } })).planned).toMatchObject({
      gpus: 8,
      why: expect.stringMatching(/^the fastest of 4 sizes for no more than \$1,000,000/),
    })
    expect((await understood({ gpus: 'auto', plan })).planned?.why).toMatch(/past which more GPUs cost much/)
  })

  test('tells the program its strategy', async () => {
    const { program, planned } = await understood({
      gpus: 'auto',
      plan: { model: 'llama3-8b', steps: 100, batch: 64, finishBy: '1d' },
    })
    expect(program.env).toMatchObject({ STEPS: '100', GLOBAL_BATCH: '64', SEQUENCE: '8192' })
    expect(planned?.steps).toBe(100)
  })

  test.each([
    ['no plan', { gpus: 'auto' }, /"auto" goes with plan, which is missing/],
    [
      'an unknown model',
      { gpus: 'auto', plan: { model: 'lama3', tokens: 1e9 } },
      /no model is called "lama3"/,
    ],
    [
      'a date that cannot be kept',
      { gpus: 'auto', plan: { model: 'llama3-8b', tokens: '15T', finishBy: '2d' } },
      /no size will do: not within 2.0 days: the fastest of these sizes, 8 GPUs, takes/,
    ],
    [
      'a budget too small',
      { gpus: 'auto', plan: { model: 'llama3-8b', tokens: '1T', budget: 50 } },
      /no size will do: not for \$50/,
    ],
    [
      'a model that fits nowhere',
      { gpus: 'auto', plan: { model: 'llama3-405b', tokens: '1T' } },
      /no size will do: llama3.1-405b does not fit 8 x H100/,
    ],
    [
      'a GPU that is not here',
      { gpus: 'auto', gpu: 'B200', plan: { model: 'llama3-8b', tokens: '1B' } },
      /the cluster has no GPUs called B200/,
    ],
    [
      'no date',
      { gpus: 1, plan: { model: 'llama3-8b', tokens: 1e9, finishBy: 'soon' } },
      /"soon" is no time/,
    ],
  ])('refuses %s', async (_, spec, says) => expect(await fault(spec)).toMatch(says))
})

describe('plan against actual', () => {
  test('shows the steps of a running program beside its plan, and its end by its pace', async () => {
    const shape = 'layers: 2, hidden: 256, heads: 4, ffn: 1024, vocabulary: 1000'
    const report = (step: number) => `echo '{"step":${step}}' >> $BANYAN_PROGRESS_FILE`
    const spec = [
      'type: train',
      'name: small',
      'gpus: 1',
      `plan: {model: small, shape: {${shape}}, steps: 1000, batch: 8, sequence: 512}`,
      'run: |',
      `  ${report(1)}`,
      '  until [ -f go ]; do sleep 0.05; done',
      `  ${report(3)}`,
      '  until [ -f end ]; do sleep 0.05; done',
    ]
    writeFileSync(join(folder, 'small.yaml'), spec.join('\n'))
    const ran = await banyan('run small.yaml')
    expect(ran).toMatchObject({
      code: 0,
      out: expect.stringMatching(/\nplanned 1 x H100-SXM-80 for .*: the size/),
    })
    const [submitted] = (await client.listWorkloads({ name: 'small' })).items
    const { id } = submitted!
    await reported(id, 1)
    expect((await banyan(`show ${id}`)).out).toMatch(/step time +planned 0\.\d+ s within \d+ %\n/)
    writeFileSync(join(folder, 'go'), '')
    await reported(id, 3)
    const workload = await client.getWorkload({ id })
    const { pace, progress, endsAt, timeLeft } = workload
    expect(pace?.measuredStepMs).toBeGreaterThan(0)
    expect(pace?.ratio).toBeCloseTo(pace!.measuredStepMs! / pace!.plannedStepMs)
    expect(endsAt! - progress!.at).toBeCloseTo(997 * pace!.measuredStepMs!, -1)
    expect(timeLeft).toEqual({
      ms: Math.round(997 * pace!.measuredStepMs!),
      at: progress!.at,
      stepMs: pace!.measuredStepMs,
    })
    const { out } = await banyan(`show ${id}`)
    expect(out).toMatch(/planned +1 x H100-SXM-80 for .*: the size that was asked for/)
    expect(out).toMatch(/step time +measured \S+ s, planned \S+ s within \d+ %: \d+ % (slower|faster)/)
    writeFileSync(join(folder, 'end'), '')
    await whenIn(client, id, 'succeeded')
    expect((await banyan(`show ${id}`)).out).toMatch(/step time +measured/)
  })
})

/** Waits until a workload's progress has come as far as this step. */
async function reported(workload: string, step: number): Promise<void> {
  for await (const { data } of client.followEvents({ after: 0, workload })) {
    if (data.event.kind !== 'attempt-progressed') continue
    const { progress } = data.event as unknown as { readonly progress: { readonly step: number } }
    if (progress.step >= step) return
  }
}
