import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Client, MachineView } from '../../src/api/index.ts'
import { HOUR_MS } from '../../src/base/index.ts'
import type { TwinOptions } from '../../src/server/twin/twin-options.ts'
import { aServer, type RunningServer, whenIn } from './running-server.ts'
import { ServerProcess } from './server-process.ts'

const SMALL: TwinOptions = {
  template: 'nd-h100-v5',
  nodes: 24,
  speed: 3000,
  load: 0.9,
  seed: 7,
  faults: 100,
  controlFaults: 0,
  historyMs: 6 * HOUR_MS,
}

describe('a live twin', () => {
  let server: RunningServer
  let client: Client
  beforeAll(async () => {
    server = await aServer({ twin: SMALL })
    client = server.client()
  })
  afterAll(() => server.remove())

  test('is in use when it is first looked at: tenants with guarantees, work that runs, a past', async () => {
    const { twin, engines } = await client.getVersion()
    expect(twin).toMatchObject({ template: 'nd-h100-v5', nodes: 24, seed: 7, speed: 3000 })
    expect(engines).toEqual(['twin'])
    const machine = await client.getMachine()
    expect(machine.nodes).toHaveLength(24)
    expect(heldGpus(machine)).toBeGreaterThan(24 * 8 * 0.4)
    const queues = (await client.listQueues()).items
    const guaranteed = queues.filter(({ parent }) => parent).map(({ guaranteedGpus }) => guaranteedGpus)
    expect(guaranteed.reduce((sum, gpus) => sum + gpus, 0)).toBeGreaterThan(24 * 8 * 0.6)
    const { items: ended } = await client.listWorkloads({ state: ['succeeded', 'failed'], limit: 1000 })
    expect(ended.length).toBeGreaterThan(10)
    const span = machine.at - Math.min(...ended.map(({ submittedAt }) => submittedAt))
    expect(span).toBeGreaterThan(5.5 * HOUR_MS)
    const serving = (await client.listWorkloads({ limit: 1000 })).items.filter(
      ({ spec }) => spec.type === 'serve',
    )
    expect(serving.length).toBeGreaterThan(0)
    const ready = serving.find(({ state }) => state === 'running')
    const model = ready?.spec.type === 'serve' ? ready.spec.model : ''
    const messages = [{ role: 'user', content: 'Since when?' }] as const
    let answer = ''
    for await (const piece of client.chat({ model, messages: [...messages] })) answer += piece
    expect(answer).toMatch(/This is a twin/)
  })

  test('goes on: people submit, work starts, tells its loss, and ends; nodes break and are repaired', async () => {
    const wanted = new Set([
      'workload-submitted',
      'attempt-planned',
      'attempt-running',
      'attempt-ended',
      'workload-finished',
      'node-moved down',
      'node-moved ready',
      'progress with loss',
    ])
    const over = new AbortController()
    const { lastTime } = await followUntil(client, over, (event) => {
      wanted.delete(event.kind === 'node-moved' ? `node-moved ${String(event.to)}` : event.kind)
      if (event.kind === 'attempt-progressed' && (event.progress as { loss?: number }).loss)
        wanted.delete('progress with loss')
      return wanted.size === 0
    })
    expect(wanted).toEqual(new Set())
    const { startedAt } = await client.getVersion()
    expect(lastTime).toBeGreaterThan(startedAt)
  })

  test('runs what its user submits, as long as its environment says, and keeps its log', async () => {
    const spec = {
      type: 'train',
      name: 'own',
      nodes: 2,
      priority: 'critical',
      run: 'torchrun train.py',
      env: { TWIN_RUN_FOR: '30m' },
      checkpoint: { path: 'ckpt', every: '5m' },
      time: { expected: '30m' },
    }
    const { outlook } = await client.submitWorkload({ spec, folder: '/', dryRun: true })
    expect(outlook).toHaveLength(1)
    const { workloads } = await client.submitWorkload({ spec, folder: '/' })
    const id = workloads[0]?.id ?? ''
    expect((await client.explainWorkload({ id })).workload).toBe(id)
    const done = await whenIn(client, id, 'succeeded', 'failed')
    expect(done.state).toBe('succeeded')
    const { items } = await client.listAttempts({ id })
    const last = items.at(-1)
    const ranMs = (last?.endedAt ?? 0) - (last?.runningAt ?? 0)
    expect(ranMs).toBeGreaterThan(0.9 * 30 * 60_000 * (items.length === 1 ? 1 : 0))
    const { text } = await client.readLog({ id, attempt: last?.number ?? 1, task: 0 })
    expect(text).toMatch(/would run: torchrun train.py/)
    expect(text).toMatch(/step \d+ loss \d\.\d+/)
  })

  test('fails a program that its user made fail, with what it said', async () => {
    const env = { TWIN_RUN_FOR: '5m', TWIN_EXIT: '3' }
    const spec = { type: 'train', name: 'broken', gpus: 1, priority: 'critical', run: 'python x.py', env }
    const { workloads } = await client.submitWorkload({ spec, folder: '/' })
    const id = workloads[0]?.id ?? ''
    expect((await whenIn(client, id, 'failed', 'succeeded')).state).toBe('failed')
    const { items } = await client.listAttempts({ id })
    expect(items.at(-1)?.failure?.exitCode).toBe(3)
  })

  test('serves models through the gateway, by a stand-in that says what it is', async () => {
    const spec = {
      type: 'serve',
      name: 'own-model',
      model: 'own',
      gpus: 1,
      priority: 'critical',
      run: 'serve',
    }
    const { workloads } = await client.submitWorkload({ spec, folder: '/' })
    const id = workloads[0]?.id ?? ''
    const over = new AbortController()
    await followUntil(
      client,
      over,
      (event) => event.kind === 'replica-readiness' && event.attempt === `${id}.1` && event.ready === true,
      id,
    )
    let answer = ''
    for await (const piece of client.chat({
      model: 'own',
      messages: [{ role: 'user', content: 'Who are you?' }],
    }))
      answer += piece
    expect(answer).toMatch(/This is a twin: no model runs here/)
    const { items } = await client.listEndpoints()
    const traffic = items.find(({ workload }) => workload === id)?.traffic
    expect(traffic).toMatchObject({ errors: 0, requestsPerSecond: expect.any(Number) })
    expect(traffic!.firstTokenMs!.p50).toBeLessThan(traffic!.latencyMs!.p50)
  })

  test('takes operators and what-ifs as any machine does', async () => {
    const { items } = await client.listNodes()
    const node = items.find(({ state }) => state === 'ready')
    const drained = await client.drainNode({ id: node?.id ?? '', reason: 'a test' })
    expect(['draining', 'cordoned']).toContain(drained.state)
    const spec = { type: 'train', name: 'thought-of', gpus: 1, run: 'true', priority: 'critical' }
    const { effects } = await client.askWhatIf({
      edits: [
        { kind: 'add-nodes', count: 4 },
        { kind: 'submit', spec },
      ],
    })
    expect(effects.map(({ effect }) => effect)).toContain('new')
  })
})

describe('a live twin whose machine is out of reach now and then', () => {
  test('says so of every node and of logs, ends nothing by it, and has them back', async () => {
    const server = await aServer({ twin: { ...SMALL, speed: 600, faults: 0, controlFaults: 20 } })
    try {
      const client = server.client()
      const stateOf = async (contact: string) =>
        (await client.listNodes()).items.filter((node) => node.contact === contact).length
      const isContact = (contact: string) => (event: EventFields) =>
        event.kind === 'node-contact' && event.contact === contact
      const { revision } = await client.getMachine()
      await followUntil(client, new AbortController(), isContact('lost'), undefined, revision)
      expect(await stateOf('lost')).toBe(24)
      const [running] = (await client.listWorkloads({ state: ['running'], limit: 1 })).items
      await expect(client.readLog({ id: running?.id ?? '', task: 0 })).rejects.toMatchObject({
        code: 'unavailable',
        message: expect.stringMatching(/log cannot be read now.*out of reach/),
      })
      await followUntil(client, new AbortController(), isContact('connected'), undefined, revision)
      const ended = (await wholeLog(client)).filter(
        ({ sequence, event }) => sequence > revision && event.kind === 'attempt-ended',
      )
      expect(JSON.stringify(ended)).not.toMatch(/platform-failure/)
    } finally {
      await server.remove()
    }
  }, 120_000)
})

describe('a live twin keeps to its data folder', () => {
  const folder = mkdtempSync(join(tmpdir(), 'banyan-twin-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const OF_EIGHT = '--twin nd-h100-v5:8 --seed 3 --history 2h --speed 20000 --faults 0'.split(' ')
  const twinArgs = (more: readonly string[] = []) => [...OF_EIGHT, ...more]
  const start = (args: readonly string[]) => new ServerProcess({ dataDir: join(folder, 'data'), args })

  test('is killed, starts again, and goes on: nothing lost, nothing twice, nothing ended by it', async () => {
    const first = start(twinArgs())
    const before = await first.client()
    const over = new AbortController()
    let ended = 0
    await followUntil(before, over, (event) => event.kind === 'attempt-ended' && ++ended >= 3)
    await first.end('SIGKILL')

    const second = start(twinArgs(['--speed', '15000']))
    const after = await second.client()
    const log = await wholeLog(after)
    const keys = log.flatMap(({ event }) =>
      event.kind === 'workload-submitted' ? [(event.submission as { key: string } | undefined)?.key] : [],
    )
    expect(new Set(keys).size).toBe(keys.length)
    expect(JSON.stringify(log)).not.toMatch(/engine-restarted|no record of it/)
    const last = log.at(-1)?.sequence ?? 0
    const again = new AbortController()
    let finished = 0
    const { lastTime } = await followUntil(
      after,
      again,
      (event) => event.kind === 'workload-finished' && ++finished >= 3,
      undefined,
      last,
    )
    expect(lastTime).toBeGreaterThan(log.at(-1)?.at ?? 0)
    expect(finished).toBe(3)
    await second.end()
  }, 180_000)

  test('is refused as another twin, as a real machine, and what it is not asked for', async () => {
    const other = start(twinArgs(['--seed', '4']))
    expect(await other.exited).toMatchObject({ code: 1 })
    expect(other.said).toMatch(/belongs to another twin: its seed is 3, not 4/)
    const real = start(['--slots', '2'])
    expect(await real.exited).toMatchObject({ code: 1 })
    expect(real.said).toMatch(/is a twin's; start it with --twin nd-h100-v5:8/)
    const slurm = start(twinArgs(['--engine', 'slurm']))
    expect(await slurm.exited).toMatchObject({ code: 2 })
    expect(slurm.said).toMatch(/--engine is of a real machine; leave it out with --twin/)
    const unknown = start(['--twin', 'nd-h100:8'])
    expect(await unknown.exited).toMatchObject({ code: 2 })
    expect(unknown.said).toMatch(
      /there is no template "nd-h100"; did you mean "nd-h100-v5"|there is no template "nd-h100"/,
    )
  })
})

type EventFields = Readonly<Record<string, unknown>> & { readonly kind: string }

/** Follows the events from now on, or after that one, until one is what was waited for. */
async function followUntil(
  client: Client,
  over: AbortController,
  isIt: (event: EventFields) => boolean,
  workload?: string,
  after?: number,
): Promise<{ readonly lastTime: number }> {
  const from = workload === undefined ? after : 0
  try {
    const events = client.followEvents({ workload, after: from }, { signal: over.signal })
    for await (const { data } of events) if (isIt(data.event)) return { lastTime: data.at }
    throw new Error('the events ended')
  } finally {
    over.abort()
  }
}

/** All events up to now. */
async function wholeLog(client: Client) {
  const { revision } = await client.getMachine()
  const all = []
  for (let after = 0; after < revision; ) {
    const { items, last } = await client.listEvents({ after, limit: 1000 })
    all.push(...items)
    after = last
  }
  return all
}

function heldGpus({ nodes }: MachineView): number {
  let held = 0
  for (const { held: parts } of nodes) {
    for (const { gpus } of parts) {
      for (const range of gpus.split(',')) {
        const [from = 0, to = from] = range.split('-').map(Number)
        held += to - from + 1
      }
    }
  }
  return held
}
