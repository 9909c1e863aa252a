import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { compareRuns } from './twin-compare.ts'
import { playOfFlags, type TwinFlags } from './twin-flags.ts'
import { playScenario } from './twin-play.ts'

const folder = mkdtempSync(join(tmpdir(), 'banyan-twin-save-'))
afterEach(() => vi.restoreAllMocks())
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

  it('is kept as it goes on, and a place that cannot be written stops it neither then nor at its end', async () => {
    const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    mkdirSync(at('full.json.new'))
    await expect(async () => play(at('scenario.yaml'), { save: at('full.json') })).rejects.toThrow(
      /is a folder/,
    )
    rmdirSync(at('full.json.new'))
    const begun = playOfFlags(at('scenario.yaml'), { ...FLAGS, save: at('full.json'), saveEvery: '1ms' })
    mkdirSync(at('full.json.new'))
    const whole = await playScenario(begun)
    expect(said.mock.calls.join()).toMatch(/cannot save to .*full.json: it is a folder; the run goes on/)
    expect(whole.unsaved?.message).toMatch(/cannot save/)
    expect(whole.report.hash).toBe((await play(at('scenario.yaml'), {})).report.hash)
  }, 30_000)

  it('is the whole run once it has ended, and gives its report again', async () => {
    const whole = await play(at('scenario.yaml'), { save: at('ended.json') })
    expect((await play(undefined, { resume: at('ended.json') })).report).toEqual(whole.report)
  }, 30_000)

  it('is refused where it was cut short, changed or written by another version', async () => {
    await play(at('scenario.yaml'), { save: at('good.json') })
    const text = readFileSync(at('good.json'), 'utf8')
    const refusalOf = async (changed: string) => {
      writeFileSync(at('bad.json'), changed)
      try {
        await play(undefined, { resume: at('bad.json') })
        return 'taken'
      } catch (error) {
        return (error as Error).message
      }
    }
    expect(await refusalOf('')).toMatch(/no run that --save wrote/)
    for (const length of [12, 30, 200, text.length >> 1, text.length - 2])
      expect(await refusalOf(text.slice(0, length))).toMatch(/cut short/)
    expect(await refusalOf(text.replace('"steps":', '"steps":1'))).toMatch(/cut short or damaged/)
    expect(await refusalOf(text.replace('"version":2', '"version":1'))).toMatch(/another version/)
    expect(await refusalOf(text.replace(/"banyan":"[^"]*"/, '"banyan":"0.0.0"'))).toMatch(
      /\(0\.0\.0, this is/,
    )
    expect(await refusalOf(text)).toBe('taken')
  }, 30_000)

  it('takes the place of no other file, and of no run that has not ended', async () => {
    const save = (file: string) => play(at('scenario.yaml'), { save: file, horizon: '1h' })
    writeFileSync(at('mine.yaml'), 'mine: 1\n')
    await expect(async () => save(at('mine.yaml'))).rejects.toThrow(/no saved run/)
    await expect(async () => save('/dev/null')).rejects.toThrow(/no saved run/)
    await expect(async () => save(at('nowhere/run.json'))).rejects.toThrow(/no such folder/)
    await save(at('half.json'))
    await expect(async () => save(at('half.json'))).rejects.toThrow(/has not ended/)
    await expect(async () => play(at('scenario.yaml'), { saveEvery: '1m' })).rejects.toThrow(/--save FILE/)
  }, 30_000)

  it('is refused where it is none, its files have changed, or other flags are given', async () => {
    writeFileSync(at('none.json'), '{"kind": "something"}')
    await expect(async () => play(undefined, { resume: at('none.json') })).rejects.toThrow(
      /no run that --save wrote/,
    )
    await expect(async () => play(undefined, { resume: at('gone.json') })).rejects.toThrow(/cannot go on/)
    await expect(async () => play('x.yaml', { resume: at('run.json') })).rejects.toThrow(/leave out x.yaml/)
    await expect(async () => play(undefined, { resume: at('run.json'), seed: '3' })).rejects.toThrow(
      /leave out --seed/,
    )
    writeFileSync(at('requests.csv'), `${readFileSync(at('requests.csv'), 'utf8')}9999,1,1\n`)
    await expect(play(undefined, { resume: at('run.json') })).rejects.toThrow(/has changed since/)
  })
})

describe('a comparison that keeps its runs', () => {
  const compared = async (what: string[], seeds: string) => {
    const out = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
    const err = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    await compareRuns(what, { ...FLAGS, seeds, json: true, save: at('runs.jsonl') })
    const said = [out.mock.calls.join(''), err.mock.calls.join('')] as const
    vi.restoreAllMocks()
    return said
  }

  it('plays only what is missing, also after a line was cut short', async () => {
    const file = at('scenario.yaml')
    const [whole, none] = await compared([file, 'fifo', 'default'], '3')
    expect(none).toBe('')
    const text = readFileSync(at('runs.jsonl'), 'utf8')
    expect(text.split('\n').length).toBe(7)
    const lines = text.split('\n')
    writeFileSync(at('runs.jsonl'), `${lines.slice(0, 3).join('\n')}\n${lines[3]!.slice(0, 500)}`)
    expect(await compared([file, 'fifo', 'default'], '3')).toEqual([
      whole,
      `3 of 6 runs are from ${at('runs.jsonl')}\n`,
    ])
    expect(await compared([file, 'fifo', 'default'], '3')).toEqual([whole, expect.stringContaining('6 of 6')])
    expect((await compared([file, 'sjf'], '3'))[1]).toBe('')
    writeFileSync(at('requests.csv'), `${readFileSync(at('requests.csv'), 'utf8')}99999,1,1\n`)
    expect((await compared([file, 'fifo'], '1'))[1]).toBe('')
  }, 60_000)

  it('keeps them in no file that is something else', async () => {
    const save = at('other.csv')
    writeFileSync(save, 'a,b\n')
    await expect(compareRuns(['fifo'], { ...FLAGS, save })).rejects.toThrow(/holds no compared runs/)
  })
})
