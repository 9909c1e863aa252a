import { describe, expect, it } from 'vitest'
import { HOUR_MS, MINUTE_MS } from '../../base/index.ts'
import { Insight } from '../report/insight.ts'
import { World } from '../world/world.ts'
import { assemble } from './assemble.ts'
import { EMPTY_SCENARIO } from './defaults.ts'
import { parseMoment } from './moment.ts'
import { parseScenario } from './parse-scenario.ts'
import { POLICY_NAMES, policyByName } from './policies.ts'
import { formatSpecProblem } from './read.ts'
import { readPolicy } from './read-policy.ts'

const WHOLE = `name: all of it
seed: 7
horizon: 10d
cluster: {nodes: 4, gpus: 8}
policy: {base: backfill, name: mine, minimumRun: 30m}
workloads:
  - trace: {file: jobs.csv, from: 2026-01-01, to: 30d}
  - generate: {shape: rsc, load: 0.5, span: 2d, largestGpus: 16}
  - jobs: {name: big, tenant: llm, nodes: 2, run: 5h, count: 3, every: 1h, traffic: {pattern: ring, share: 0.2}}
startCost: {from: 5s, to: 1m}
checkpoint: {every: 10m, cost: 3s, grace: 30s}
queues: [{tenant: llm, guaranteed: 16, weight: 2}]
faults: {rates: [llama3, hpn], scale: 2, lemons: {nodes: 0.1, failures: 0.5}}
controlFaults: {crashesPerDay: 4, restart: 2m, lostContactPerDay: 3, storeStallsPerDay: 2, lateFacts: 0.2, doubledFacts: 0.1}
fabric: {nodeBytesPerSecond: 1000, oversubscription: {site: 3}}
`

describe('parseScenario', () => {
  it('[T10] reads every field', () => {
    const parsed = parseScenario(WHOLE, 'all.yaml')
    expect(parsed).toMatchObject({
      ok: true,
      value: {
        name: 'all of it',
        seed: 7,
        horizonMs: 240 * HOUR_MS,
        cluster: { kind: 'plain', nodes: 4, gpus: 8 },
        policy: { name: 'mine', ordering: 'fifo', backfill: 'holds', minimumRunMs: 30 * MINUTE_MS },
        workloads: [
          { kind: 'trace', from: { kind: 'date', wholeDay: true }, to: { kind: 'seconds' } },
          { kind: 'generate', shape: 'rsc', load: 0.5, largestGpus: 16 },
          { kind: 'jobs', size: { nodes: 2 }, count: 3, traffic: { pattern: 'ring', share: 0.2 } },
        ],
        startCost: { fromMs: 5000, toMs: MINUTE_MS },
        checkpoint: { everyMs: 10 * MINUTE_MS, costMs: 3000, graceMs: 30_000 },
        queues: [{ tenant: 'llm', settings: { guaranteedGpus: 16, weight: 2 } }],
        faults: { rates: ['llama3', 'hpn'], scale: 2 },
        controlFaults: { crashesPerDay: 4, restartMs: 120_000, lateShare: 0.2, duplicateShare: 0.1 },
        fabric: { nodeBytesPerSecond: 1000, oversubscription: { site: 3 } },
      },
    })
  })

  it.each([
    [
      'cluster: {nodes: 4, gpus: 8}\nworkloads:\n  - jobs: {nodes: 2, run: 1h, elastic: {min: 3}}',
      's.yaml:3:40: workloads[0].jobs.elastic: needs a min of at most 2, a max of at least 2, and the two to differ',
    ],
    [
      'cluster: {nodes: 4}\nworkloads: []',
      's.yaml:1:10: cluster: "gpus" is missing; it needs GPUs of each node',
    ],
    [
      'cluster: {nodes: 1, gpus: 8}\nworkloads:\n  - generate: {shape: rcs, span: 1d}',
      's.yaml:3:23: workloads[0].generate.shape: needs philly, rsc or kalos, found "rcs" (did you mean "rsc"?)',
    ],
    [
      'cluster: {nodes: 1, gpus: 8}\nworkloads: []\npolcy: fifo',
      's.yaml:3:8: polcy: unknown field (did you mean "policy"?); known here: name, seed,',
    ],
    [
      'cluster: {nodes: 1, gpus: 8}\nworkloads:\n  - jobs: {nodes: 1, gpus: 2, run: 1h}',
      's.yaml:3:11: workloads[0].jobs: needs either "nodes" or "gpus"',
    ],
    [
      'cluster: {nodes: 1, gpus: 8}\nworkloads: []\nfaults: {rates: [llama4]}',
      'faults.rates[0]: needs llama3, llama3-planned, rsc1, rsc2 or hpn, found "llama4" (did you mean "llama3"?)',
    ],
    ['cluster: {nodes: 1, gpus: 8}\nworkloads: []\nhorizon: 10', 'write for example 10s or 10m'],
  ])('[T10] refuses %j and says where and what is allowed', (text, message) => {
    const parsed = parseScenario(text, 's.yaml')
    expect(parsed.ok).toBe(false)
    if (!parsed.ok) expect(parsed.error.map(formatSpecProblem).join('\n')).toContain(message)
  })
})

describe('policies', () => {
  it('[T10] are known by name and can be changed in a file', () => {
    for (const name of POLICY_NAMES) expect(policyByName(name)?.policy.name).toBe(name)
    expect(policyByName('toString')).toBeUndefined()
    expect(readPolicy('base: srsf\nserviceLevels: [1, 4]', 'p.yaml')).toMatchObject({
      value: { ordering: 'shortest-service', serviceLevels: [1, 4] },
    })
    expect(readPolicy('ordering: fast', 'p.yaml')).toMatchObject({ ok: false })
  })
})

describe('assemble', () => {
  const scenario = (from: string) => ({
    ...EMPTY_SCENARIO,
    workloads: [{ kind: 'trace', file: 'x/jobs.csv', format: 'auto', from: momentOf(from) } as const],
  })
  const texts = new Map([['x/jobs.csv', 'submit_s,gpus,duration_s,tenant\n0,9,5,A b\n1,8,5,\n2,1,5,a-B\n']])

  it('[T4] leaves out what the cluster can never run, and counts it', () => {
    const made = assemble(scenario('0'), { texts })
    expect(made).toMatchObject({
      ok: true,
      value: { gpuCount: 8, skipped: { 'more GPUs than the cluster has': 1 }, setup: { jobs: [{}, {}] } },
    })
  })

  it('[T4] begins what has no times of its own with the first trace', () => {
    const jobs = { file: 'x/jobs.csv', kind: 'trace', format: 'auto' } as const
    const parsed = parseScenario('cluster: {nodes: 1, gpus: 8}\nworkloads: [{jobs: {gpus: 1, run: 1h}}]', 's')
    if (!parsed.ok) throw new Error('not read')
    const workloads = [jobs, ...parsed.value.workloads]
    const later = new Map([['x/jobs.csv', 'submit_s,gpus,duration_s\n1500000000,8,5\n1500000009,8,5\n']])
    const made = assemble({ ...parsed.value, workloads }, { texts: later })
    if (!made.ok) throw new Error(made.error)
    expect(made.value.setup.jobs.map(({ submitMs }) => submitMs - made.value.setup.startMs)).toEqual([
      0, 0, 9000,
    ])
  })

  it.each([
    ['submit_s,gpus,duration_s\n-5,1,1\n', /line 2: submit_s is -5; expected seconds from 0/],
    ['submit_s,gpus,duration_s\n1,1,1e300\n', /line 2: 1e\+300 are too many seconds/],
    ['\0\u0001', /line 1: this is not a text/],
    ['submit_s,gpus,duration_s\n1,1,1\n', /nothing was submitted in the span.*go from 1 to 1/],
  ])('[T4] refuses %j', (text, message) => {
    expect(assemble(scenario('10d'), { texts: new Map([['x/jobs.csv', text]]) })).toMatchObject({
      ok: false,
      error: expect.stringMatching(message),
    })
  })

  it('[T4] wants to know when a trace was before it clips it by dates', () => {
    expect(assemble(scenario('2026-01-01'), { texts })).toMatchObject({
      ok: false,
      error: expect.stringMatching(/x\/jobs.csv: .*give its date with --epoch/),
    })
    const epochMs = Date.parse('2025-12-31T23:59:59Z')
    expect(assemble(scenario('2026-01-01'), { texts, epochMs })).toMatchObject({
      ok: true,
      value: { setup: { jobs: [{}, {}] } },
    })
  })
})

function momentOf(text: string) {
  const moment = parseMoment(text)
  if (!moment.ok) throw new Error(moment.error)
  return moment.value
}

it('[T14] a scenario turns the faults of the control plane: all work still ends, once, and later', () => {
  const text = (faults: string) => `cluster: {nodes: 2, gpus: 8}
workloads:
  - jobs: {name: each, tenant: a, gpus: 4, run: 2h, count: 40, every: 15m}
${faults}`
  const play = (faults: string) => {
    const parsed = parseScenario(text(faults), 's.yaml')
    const assembled = parsed.ok ? assemble(parsed.value, { texts: new Map() }) : parsed
    if (!assembled.ok) throw new Error('not read')
    const insight = new Insight(assembled.value.setup, 0)
    const world = new World(assembled.value.setup, [insight])
    world.run()
    return insight.report(world)
  }
  const sound = play('')
  const failing = play(
    'controlFaults: {crashesPerDay: 48, restart: 20m, lostContactPerDay: 24, lateFacts: 0.3, doubledFacts: 0.3}',
  )
  expect(failing.states).toEqual({ succeeded: 40 })
  expect(sound.states).toEqual({ succeeded: 40 })
  expect(failing.summary.meanCompletionS).toBeGreaterThan(sound.summary.meanCompletionS)
})
