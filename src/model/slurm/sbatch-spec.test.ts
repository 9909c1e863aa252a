import { describe, expect, it } from 'vitest'
import { parseSpec } from '../spec/index.ts'
import { readOptionWords, readScriptOptions } from './sbatch-options.ts'
import { type SlurmNames, specOfScript } from './sbatch-spec.ts'

function translated(lines: readonly string[], { words = [] as string[], names = {} as SlurmNames } = {}) {
  const text = `#!/bin/bash\n${lines.map((line) => `#SBATCH ${line}`).join('\n')}\n\nsrun python train.py\n`
  const inScript = readScriptOptions(text)
  if (!inScript.ok) return { ok: false as const, problems: inScript.error }
  const line = readOptionWords(words, 'command line')
  if (!line.ok) return { ok: false as const, problems: [line.error] }
  return specOfScript({
    options: [...inScript.value, ...line.value.options],
    text,
    arguments: [],
    file: 'train.sh',
    levels: ['site', 'block', 'node'],
    names,
  })
}

function spec(lines: readonly string[], more: Parameters<typeof translated>[1] = {}) {
  const read = translated(lines, more)
  if (!read.ok) throw new Error(read.problems.join('\n'))
  const { run, ...rest } = read.spec
  const parsed = parseSpec(JSON.stringify(read.spec), { file: 'spec.json', folder: '/work', set: {} })
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error))
  return rest
}

describe('a batch script', () => {
  it('becomes a spec that Banyan reads', () => {
    const lines = [
      '-J Llama_70B',
      '--nodes=4',
      '--gpus-per-node=h100:8',
      '--ntasks-per-node=8',
      '-t 2-00:00:00',
    ]
    expect(spec([...lines, '--account=research', '--qos=high', '--requeue', '--comment="a run"'])).toEqual({
      type: 'train',
      name: 'llama_70b',
      nodes: 4,
      gpusPerNode: 8,
      gpu: 'h100',
      tasksPer: 'gpu',
      time: { limit: '172800000ms' },
      team: 'research',
      priority: 'high',
      env: { SLURM_JOB_COMMENT: 'a run' },
    })
  })

  it.each<[readonly string[], object]>([
    [['--gpus=2'], { gpus: 2, tasksPer: 'node' }],
    [
      ['-N2', '-G', '8', '-n', '2'].slice(0, 1).concat('--gpus=8', '--ntasks=2'),
      { nodes: 2, gpusPerNode: 4, tasksPer: 'node' },
    ],
    [['--gres=gpu:2', '--exclusive'], { nodes: 1 }],
    [
      ['--nodes=2', '--exclusive', '--switches=1@10:00'],
      { topology: { within: { level: 'block', mode: 'preferred', wait: '600000ms' } } },
    ],
    [['--nodes=8', '--segment=4'], { topology: { segment: { nodes: 4, level: 'block' } } }],
    [['--gpus=1', '--array=0-9:2'], { array: '0-9:2' }],
    [['--gpus=1', '--dependency=afterok:12:w7'], { dependsOn: ['w12', 'w7'] }],
    [['--gpus=1', '--no-requeue'], { retry: { platform: 0 } }],
    [['--gpus=1', '--constraint=h100|h200'], { gpu: ['h100', 'h200'] }],
  ])('with %o asks for %o', (lines, wanted) => {
    expect(spec(lines)).toMatchObject(wanted)
  })

  it('gives way to the command line', () => {
    expect(spec(['--gpus=2', '-J one'], { words: ['--gpus', '4', '-Jtwo'] })).toMatchObject({
      gpus: 4,
      name: 'two',
    })
  })

  it('names the nodes that it is to run on, and those that it is not', () => {
    expect(spec(['-w gpu-[001-003]', '--gpus-per-node=8', '-x gpu-009'])).toMatchObject({
      nodes: 3,
      onlyNodes: ['gpu-001', 'gpu-002', 'gpu-003'],
      exceptNodes: ['gpu-009'],
    })
    expect(spec(['-w gpu-001', '--gpus=2'])).toMatchObject({ gpus: 2, onlyNodes: ['gpu-001'] })
    const read = translated(['-N 4', '-w gpu-[001-003]', '--gpus-per-node=8'])
    expect(read.ok ? '' : read.problems.join()).toMatch(
      /--nodelist: 3 nodes are listed and --nodes asks for 4/,
    )
  })

  it('says when it may start, and how it is warned of its limit', () => {
    const lines = ['--gpus=8', '-t 60', '--begin=2026-12-24T08:00:00.000Z', '--signal=B:USR1@120']
    expect(spec(lines)).toMatchObject({
      time: {
        limit: '3600000ms',
        notBefore: '2026-12-24T08:00:00.000Z',
        warn: { signal: 'SIGUSR1', before: '120000ms' },
      },
    })
    expect(spec(['--gpus=8', '-t 60', '--signal=12'])).toMatchObject({
      time: { warn: { signal: 'SIGUSR2', before: '60000ms' } },
    })
    expect(spec(['--gpus=8', '--signal=USR1', '--begin=now'])).not.toHaveProperty('time')
  })

  it('knows what a site means by its partitions', () => {
    const names = { partitions: { big: { gpu: 'H200', priority: 'low' } } }
    expect(spec(['--gpus=1', '-p big'], { names })).toMatchObject({ gpu: 'H200', priority: 'low' })
  })

  it.each([
    ['--time-min=10', /line 3: --time-min: Banyan never shortens/],
    ['--nodes=2-4', /--nodes: a range/],
    ['--signal=R:USR1@90', /--signal: one of HUP, INT/],
    ['--signal=KILL', /--signal: one of HUP, INT/],
    ['--nodelist=gpu-[001-004]', /--nodelist: a list of several nodes goes with --gpus-per-node/],
    ['--nodelist=gpu-[1-', /--nodelist: in the hostlist/],
    ['--exclude=gpu-[1', /--exclude: in the hostlist/],
    ['--partition=nope', /--partition: "nope" means nothing here/],
    ['--array=0-9%2', /--array: a limit/],
    ['--dependency=singleton', /--dependency: only afterok/],
    ['--ntasks-per-node=3', /--ntasks-per-node: Banyan starts one task/],
    ['--mem=64G', /--mem: CPUs and memory go with the GPUs/],
    ['--constraint=[a*2&b]', /--constraint: names of GPU models/],
    ['--switches=4', /--switches: only 1/],
    ['--gres=shard:2', /--gres: "shard:2": of generic resources only gpu/],
    ['--time=soon', /--time: "soon" is no time/],
    ['--mail-type=END', /line 3: Banyan cannot honour --mail-type/],
    ['--nodez=3', /cannot honour --nodez.*did you mean "?nodes/i],
  ])('with %s is refused by name', (line, why) => {
    const read = translated(['--gpus=8', line])
    expect(read.ok ? '' : read.problems.join('\n')).toMatch(why)
  })

  it('is told all of its problems at once', () => {
    const read = translated(['--time-min=10', '--array=0-9%2'])
    expect(read.ok ? [] : read.problems).toHaveLength(3)
  })
})
