import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { id, type NodeId } from '../base/index.ts'
import { parseSpec } from '../model/spec/index.ts'
import { type LiveCluster, planCommand } from './plan-command.ts'

const NOW = Date.UTC(2026, 10, 24, 12)

/** Two nodes of GB200s in one NVLink domain. */
const LIVE_CLUSTER: LiveCluster = {
  levels: ['site', 'nvlink', 'node'],
  nodes: ['a', 'b'].map((name) => ({
    id: id<NodeId>(name),
    domains: ['site-1', 'rack-1'],
    gpuModel: 'GB200-192GB',
    gpuCount: 4,
    gpuMemoryBytes: 192 * 2 ** 30,
    cpuCount: 144,
    memoryBytes: 2 ** 40,
    nicCount: 4,
    address: name,
  })),
}

async function plan(...args: string[]): Promise<{ out: string; err: string }> {
  let out = ''
  let err = ''
  const command = planCommand({
    out: (text) => {
      out += text
    },
    err: (text) => {
      err += text
    },
    now: () => NOW,
    liveCluster: async () => LIVE_CLUSTER,
  }).exitOverride()
  await command.parseAsync(args, { from: 'user' })
  return { out, err }
}

const folder = () => mkdtempSync(join(tmpdir(), 'banyan-plan-'))

describe('banyan plan', () => {
  it('shows strategy, time, cost, where a step goes and the runners-up', async () => {
    const { out } = await plan('llama3-70b', '--gpus', '512', '--tokens', '1T')
    expect(out).toMatch(/model +llama3-70b, 70\.6 B parameters/)
    expect(out).toMatch(/machine +512 x H100-SXM-80 on 64 nodes/)
    expect(out).toMatch(/time +\d+d/)
    expect(out).toMatch(/matrix multiplies +\d+\.\d % █+/)
    expect(out).toMatch(/memory \d+\.\d GiB of 80\.0 GiB/)
    expect(out).toMatch(/best of [\d,]+ strategies/)
  })

  it('gives one JSON object, with the curve where it was asked for', async () => {
    const { out } = await plan('llama3-8b', '--cluster', 'nd-h100-v5:8', '--json', '--curve')
    const json = JSON.parse(out)
    expect(json).toMatchObject({ model: 'llama3-8b', machine: { gpu: 'H100-SXM-80', gpuCount: 64 } })
    expect(json.curve.at(-1).gpuCount).toBe(64)
    expect(json.curve.filter((point: { knee: boolean }) => point.knee)).toHaveLength(1)
    const { total, ...parts } = json.step
    expect(Object.values(parts as Record<string, number>).reduce((a, b) => a + b)).toBeCloseTo(total)
  })

  it('keeps to what is fixed, and says what cannot be', async () => {
    const { out } = await plan('llama3-70b', '--gpus', '64', '--fixed', 'tp=8,pp=2,recompute=full', '--json')
    expect(JSON.parse(out).strategy).toMatchObject({ tensor: 8, pipeline: 2, recompute: 'full' })
    await expect(plan('llama3-70b', '--gpus', '64', '--fixed', 'tp=3')).rejects.toThrow(/divisible/)
    await expect(plan('llama3-70b', '--gpus', '64', '--fixed', 'xp=3')).rejects.toThrow(/knows no "xp"/)
    await expect(plan('llama3-70b', '--gpus', '8')).rejects.toThrow(/does not fit 8 x H100/)
    await expect(plan('llama3-70b', '--cluster', 'cray:4')).rejects.toThrow(/no node type is called "cray"/)
    await expect(plan('lama3-70b', '--gpus', '8')).rejects.toThrow(/no model is called/)
  })

  it('plans for the live cluster where it or no machine is named', async () => {
    const machine = { gpu: 'GB200-186', gpuCount: 8, gpusPerNode: 4, gpuMemoryBytes: 186 * 2 ** 30 }
    expect(JSON.parse((await plan('llama3-8b', '--json')).out).machine).toEqual(machine)
    const { out } = await plan('llama3-8b', '--cluster', 'live', '--gpus', '4', '--json')
    expect(JSON.parse(out).machine).toEqual({ ...machine, gpuCount: 4 })
    await expect(plan('llama3-8b', '--cluster', 'live', '--gpus', '16')).rejects.toThrow(
      /the cluster has 8 x GB200-186, and 16 were asked for/,
    )
  })

  it('reads a config.json and a shape', async () => {
    const file = join(folder(), 'config.json')
    const config = {
      hidden_size: 2048,
      num_hidden_layers: 16,
      num_attention_heads: 32,
      num_key_value_heads: 8,
    }
    writeFileSync(
      file,
      JSON.stringify({ ...config, intermediate_size: 8192, vocab_size: 128256, tie_word_embeddings: true }),
    )
    const read = JSON.parse((await plan('--config', file, '--gpus', '8', '--json')).out)
    expect(read.tokens / 20).toBe(1_235_814_400)
    const shape = 'layers=16,hidden=2048,heads=32,kvHeads=8,ffn=8192,vocabulary=128256'
    const shaped = JSON.parse((await plan('mine', '--shape', shape, '--gpus', '8', '--json')).out)
    expect(shaped.model).toBe('mine')
    await expect(plan('--config', 'nowhere.json', '--gpus', '8')).rejects.toThrow(
      /nowhere.json cannot be read/,
    )
  })

  it('turns a date and a budget into a spec that banyan run takes', async () => {
    const file = join(folder(), 'run.yaml')
    const args = ['llama3-70b', '--cluster', 'nd-h100-v5:256', '--tokens', '1T', '--finish-by', '2026-12-31']
    const { err } = await plan(...args, '--budget', '$9M', '--spec', file)
    expect(err).toMatch(/submit it with banyan run/)
    const parsed = parseSpec(readFileSync(file, 'utf8'), { file, folder: '/' })
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.error))
    const [spec] = parsed.value.specs
    expect(spec).toMatchObject({ type: 'train', name: 'llama3-70b' })
    expect(spec.expectedMs).toBeLessThan(Date.UTC(2026, 11, 31) - NOW)
    await expect(plan(...args, '--budget', '1000')).rejects.toThrow(/not for \$1,000/)
    await expect(plan('llama3-70b', '--gpus', '64', '--tokens', '15T', '--days', '3')).rejects.toThrow(
      /not within/,
    )
  })

  it('sets a measured step against the plan, and counts the run by it', async () => {
    const args = ['llama3-70b', '--gpus', '512', '--tokens', '1T']
    const planned = JSON.parse((await plan(...args, '--json')).out)
    const measured = JSON.parse((await plan(...args, '--measured', '30s', '--json')).out)
    expect(measured.actual.ratio).toBeCloseTo(30 / planned.step.total)
    expect(measured.actual.withinBand).toBe(false)
    expect(measured.trainingSeconds).toBe(measured.steps * 30)
    expect((await plan(...args, '--measured', '30s')).out).toMatch(
      /measured +30\.00 s, .* slower than planned: outside/,
    )
  })

  it('says which flag is wrong', async () => {
    await expect(plan('llama3-8b', '--gpus', '8', '--tokens', 'lots')).rejects.toThrow(
      /--tokens: "lots" is no number/,
    )
    await expect(plan('llama3-8b', '--gpus', '8', '--finish-by', '2020-01-01')).rejects.toThrow(
      /--finish-by: 2020-01-01 is past/,
    )
  })

  it('says how many tokens so many days train', async () => {
    const json = JSON.parse((await plan('llama3-8b', '--gpus', '64', '--days', '10', '--json')).out)
    expect(json.wallSeconds / 86_400).toBeCloseTo(10, 1)
  })

  it('writes a page that stands alone, the same each time', async () => {
    const [first, second] = [join(folder(), 'a.html'), join(folder(), 'b.html')]
    await plan('llama3-8b', '--gpus', '64', '--html', first)
    await plan('llama3-8b', '--gpus', '64', '--html', second)
    const page = readFileSync(first, 'utf8')
    expect(page).toBe(readFileSync(second, 'utf8'))
    expect(page).toMatch(/<svg/)
    expect(page).not.toMatch(/<script|https?:/)
  })

  it('plans serving', async () => {
    const args = ['llama3-70b', '--serve', '--precision', 'fp8', '--rate', '20', '--per-token', '40ms']
    const { out } = await plan(...args)
    expect(out).toMatch(/replicas +\d+ of \d+ x H100/)
    const json = JSON.parse((await plan(...args, '--json')).out)
    expect(json.secondsPerToken).toBeLessThanOrEqual(0.04)
  })

  it('lists the models it knows', async () => {
    expect((await plan('--models')).out.split('\n')).toContain('deepseek-v3')
  })
})
