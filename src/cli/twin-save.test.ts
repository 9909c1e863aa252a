import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { playOfFlags, type TwinFlags } from './twin-flags.ts'
import { playScenario } from './twin-play.ts'

const folder = mkdtempSync(join(tmpdir(), 'banyan-twin-save-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const at = (name: string) => join(folder, name)
const FLAGS = { load: '0.8', span: '30d' } as const

writeFileSync(
  at('requests.csv'),
  `arrival_s,context_tokens,generated_tokens\n${Array.from({ length: 500 }, (_, i) => `${i * 7},300,40`).join('\n')}\n`,
)
writeFileSync(
  at('scenario.yaml'),
  `cluster: {nodes: 3, gpus: 8}
workloads:
  - jobs: {tenant: small, gpus: 4, run: 12m, count: 200, every: 1m}
  - serve: {tenant: chat, model: llama3-8b, replicas: 2, requests: {file: ${at('requests.csv')}, lasts: 3h}}
startCost: {from: 5s, to: 1m}
checkpoint: {every: 10m, cost: 20s, grace: 1m}
faults: {rates: [llama3], scale: 100, stragglers: {perThousandNodeDays: 200, speed: 0.5, lasts: 3h}}
controlFaults: {crashesPerDay: 20, restart: 1m, lateFacts: 0.1}
`,
)

const play = (file: string | undefined, flags: Partial<TwinFlags>, interruption?: AbortSignal) =>
  playScenario(playOfFlags(file, { ...FLAGS, ...flags }), interruption)

describe('a saved run', () => {
  it('[T26] goes on as if it had never been saved: the same hash, the same report', async () => {
    const whole = await play(at('scenario.yaml'), {})
    const part = await play(at('scenario.yaml'), { horizon: '1h', save: at('run.json') })
    expect(part.report.hash).not.toBe(whole.report.hash)
    const later = await play(undefined, { resume: at('run.json'), horizon: '2h', save: at('run.json') })
    expect(later.report.summary.jobs).toBeGreaterThan(part.report.summary.jobs)
    const resumed = await play(undefined, { resume: at('run.json') })
    expect(resumed.report).toEqual(whole.report)
  }, 30_000)

  it('[T26] is saved when it is interrupted, and says how to go on', async () => {
    const run = play(at('scenario.yaml'), { save: at('cut.json') }, AbortSignal.abort())
    await expect(run).rejects.toMatchObject({
      message: expect.stringMatching(/interrupted after \d+ events; saved to .*cut.json/),
      hint: expect.stringContaining('--resume'),
    })
    const resumed = await play(undefined, { resume: at('cut.json') })
    expect(resumed.report.hash).toBe((await play(at('scenario.yaml'), {})).report.hash)
  }, 30_000)

  it('is refused where it is none, its files have changed, or other flags are given', async () => {
    writeFileSync(at('none.json'), '{"kind": "something"}')
    await expect(async () => play(undefined, { resume: at('none.json') })).rejects.toThrow(/is no run/)
    await expect(async () => play(undefined, { resume: at('gone.json') })).rejects.toThrow(/cannot go on/)
    await expect(async () => play('x.yaml', { resume: at('run.json') })).rejects.toThrow(/leave out x.yaml/)
    await expect(async () => play(undefined, { resume: at('run.json'), seed: '3' })).rejects.toThrow(
      /leave out --seed/,
    )
    writeFileSync(at('requests.csv'), `${readFileSync(at('requests.csv'), 'utf8')}9999,1,1\n`)
    await expect(play(undefined, { resume: at('run.json') })).rejects.toThrow(/has changed since/)
  })
})
