import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { refuse } from '../../base/index.ts'
import { SPEC_FIELDS } from './fields.ts'
import { type ParseOptions, parseSpec } from './parse-spec.ts'
import { formatSpecProblem } from './problem.ts'
import type { Planner } from './read-plan.ts'
import { specReference } from './reference.ts'

const OPTIONS: ParseOptions = { file: 'a.yaml', folder: '/home/ann/job' }
const MINIMAL = 'type: train\nname: a\ngpus: 1\nrun: ./go'

function specOf(text: string, options: Partial<ParseOptions> = {}) {
  const parsed = parseSpec(text, { ...OPTIONS, ...options })
  if (!parsed.ok) throw new Error(parsed.error.map(formatSpecProblem).join('\n'))
  return parsed.value
}

function problemsOf(text: string, options: Partial<ParseOptions> = {}): string[] {
  const parsed = parseSpec(text, { ...OPTIONS, ...options })
  return parsed.ok ? [] : parsed.error.map(formatSpecProblem)
}

const TRAIN_NAMES =
  'type, name, team, priority, preemptible, nodes, gpusPerNode, gpus, gpu, elastic, topology, run, tasksPer, env, workdir, image, time, onlyNodes, exceptNodes, retry, checkpoint, plan, dependsOn, array'

describe('a spec that is right', () => {
  test('needs little; the rest has defaults', () => {
    const { specs, team } = specOf(MINIMAL)
    expect(team).toBeUndefined()
    expect(specs).toEqual([
      {
        type: 'train',
        name: 'a',
        priority: 'normal',
        preemptible: true,
        resources: { shape: { kind: 'gpus', gpus: 1 } },
        program: { run: ['./go'], env: {}, workdir: '/home/ann/job', tasksPer: 'gpu' },
        retry: { user: 0, platform: 100 },
        dependsOn: [],
      },
    ])
  })

  test('a gang with everything', () => {
    const text = `
type: train
name: llama-70b
team: acme/research
priority: high
preemptible: false
nodes: 16
gpusPerNode: 8
gpu: {model: [H100, H200], memory: 80GB..150GB}
elastic: {min: 8, max: 32}
topology:
  within: {level: block, mode: preferred, wait: 10m}
  segment: {nodes: 4, level: nvlink}
  spread: block
run: [pip install -r requirements.txt, torchrun train.py]
tasksPer: node
env: {LR: 3e-4, DEBUG: true, TAG: "", STEPS: 0x10}
workdir: ../src
image: pytorch/pytorch:2.9
time: {expected: 36h, limit: 2-00:00:00}
retry: {user: 2, platform: 5}
checkpoint: {path: ckpt, every: 15m, grace: 2m}
dependsOn: [data, w3]
`
    const { specs, team } = specOf(text)
    expect(team).toBe('acme/research')
    expect(specs).toEqual([
      {
        type: 'train',
        name: 'llama-70b',
        priority: 'high',
        preemptible: false,
        resources: {
          shape: { kind: 'nodes', nodes: 16, gpusPerNode: 8 },
          gpu: { models: ['H100', 'H200'], minMemoryBytes: 80e9, maxMemoryBytes: 150 * 2 ** 30 },
          within: { level: 'block', mode: 'preferred', waitMs: 600_000 },
          segment: { nodes: 4, level: 'nvlink' },
          spread: { level: 'block', mode: 'preferred' },
          elastic: { min: 8, max: 32 },
        },
        program: {
          run: ['pip install -r requirements.txt', 'torchrun train.py'],
          env: { LR: '3e-4', DEBUG: 'true', TAG: '', STEPS: '0x10' },
          workdir: '/home/ann/src',
          image: 'pytorch/pytorch:2.9',
          tasksPer: 'node',
        },
        retry: { user: 2, platform: 5 },
        expectedMs: 36 * 3_600_000,
        limitMs: 48 * 3_600_000,
        checkpoint: { path: 'ckpt', everyMs: 900_000, graceMs: 120_000 },
        dependsOn: ['data', 'w3'],
      },
    ])
  })

  test('a served model', () => {
    const { specs } = specOf('type: serve\nname: chat\ngpus: 2\nrun: serve --port $PORT\nreplicas: 3')
    expect(specs[0]).toMatchObject({
      type: 'serve',
      model: 'chat',
      replicas: 3,
      readiness: { path: '/health', timeoutMs: 5000, everyMs: 2000 },
      retry: { user: 5, platform: 100 },
    })
  })

  test('machines', () => {
    const { specs } = specOf('type: machines\nname: dev\ngpus: 1\ncount: 2')
    expect(specs[0]).toMatchObject({ type: 'machines', count: 2, preemptible: false })
  })

  test.each([
    ['gpus: 0.25', { kind: 'fraction', milliGpus: 250 }],
    ['gpus: 3', { kind: 'gpus', gpus: 3 }],
    ['nodes: 2', { kind: 'nodes', nodes: 2 }],
  ])('%s', (line, shape) => {
    expect(specOf(MINIMAL.replace('gpus: 1', line)).specs[0].resources.shape).toEqual(shape)
  })

  test.each([
    ['gpu: H100', { models: ['H100'] }],
    ['gpu: {memory: 40GB}', { minMemoryBytes: 40e9 }],
    ['gpu: {memory: ..80GB}', { maxMemoryBytes: 80 * 2 ** 30 }],
    ['gpu: {memory: 40GiB..}', { minMemoryBytes: 40 * 2 ** 30 }],
  ])('%s', (line, gpu) => {
    expect(specOf(`${MINIMAL}\n${line}`).specs[0].resources.gpu).toEqual(gpu)
  })

  test.each([
    ['0-3', [0, 1, 2, 3]],
    ['0-9:4', [0, 4, 8]],
    ['"7,1,3-4"', [1, 3, 4, 7]],
    ['[2, 0, 2]', [0, 2]],
    ['5', [5]],
  ])('array: %s', (array, indices) => {
    const { specs } = specOf(`${MINIMAL}\narray: ${array}`)
    expect(specs.map((spec) => spec.type === 'train' && spec.arrayIndex)).toEqual(indices)
    expect(specs.map(({ name }) => name)).toEqual(indices.map((index) => `a-${index}`))
  })

  test('anchors are values like others', () => {
    const { specs } = specOf('type: train\nname: &n a\ngpus: 1\nrun: [*n, go]\nenv: &e {A: *n}')
    expect(specs[0].program).toMatchObject({ run: ['a', 'go'], env: { A: 'a' } })
  })

  test('JSON is YAML', () => {
    expect(specOf('{"type":"train","name":"a","gpus":1,"run":"./go"}')).toEqual(
      expect.objectContaining({ specs: specOf(MINIMAL).specs }),
    )
  })

  test('set puts values in, also where there was nothing', () => {
    const set = { gpus: '4', 'checkpoint.path': 'ckpt', 'checkpoint.every': '5m', run: '[a, b]' }
    const { specs } = specOf(MINIMAL, { set })
    expect(specs[0]).toMatchObject({
      resources: { shape: { kind: 'gpus', gpus: 4 } },
      checkpoint: { path: 'ckpt', everyMs: 300_000 },
      program: { run: ['a', 'b'] },
    })
  })
})

describe('a spec with one fault names place, field, what was found and what is allowed', () => {
  test.each([
    ['', 'a.yaml:1:1: is empty; it begins with `type:` and `name:`'],
    ['# nothing yet\n', 'a.yaml:1:1: is empty; it begins with `type:` and `name:`'],
    ['- a\n- b', 'a.yaml:1:1: needs a mapping that begins with `type:` and `name:`, found a list of 2 items'],
    ['hello', 'a.yaml:1:1: needs a mapping that begins with `type:` and `name:`, found "hello"'],
    ['name: a', 'a.yaml:1:1: type: missing; needs train, serve or machines'],
    [
      'type: trian',
      'a.yaml:1:7: type: needs train, serve or machines, found "trian" (did you mean "train"?)',
    ],
    ['type:\nname: a', 'a.yaml:1:6: type: needs train, serve or machines, found nothing'],
    ['type: train\n\tname: a', 'a.yaml:2:1: a tab indents this line; YAML wants spaces'],
    [
      'type: train\nname: "a\n',
      'a.yaml:3:1: something is missing before here: a closing quote, a bracket or a ":"',
    ],
    ['type: train\nname: [a\nrun: b', 'a.yaml:3:1: a bracket that was opened before here is not closed'],
    [
      'type: train\nname a\nrun: b',
      'a.yaml:2:1: a field name reaches over two lines; is a ":" or a quote missing?',
    ],
    [
      `${MINIMAL}\n---\n${MINIMAL}`,
      'a.yaml:5:1: holds 2 documents; put each workload into a file of its own',
    ],
    [`${MINIMAL}\nname: b`, 'a.yaml:5:1: this field stands twice in the same mapping; keep one'],
    [MINIMAL.replace('name: a', 'name: !x a'), 'a.yaml:2:7: this tag (!) is not understood; leave it out'],
    [MINIMAL.replace('name: a', 'name: *x'), 'a.yaml:2:7: the alias *x stands before its anchor'],
    [MINIMAL.replace('./go', '&r [*r]'), 'a.yaml:4:10: the alias *r holds itself'],
  ])('%j', (text, message) => {
    expect(problemsOf(text)).toEqual([message])
  })

  test.each([
    ['nodez: 3', 'nodez: unknown field (did you mean "nodes"?); known here: NAMES'],
    ['num_gpus: 3', 'num_gpus: unknown field (did you mean "gpus"?); known here: NAMES'],
    ['command: x', 'command: unknown field (did you mean "run"?); known here: NAMES'],
    ['comand: x', 'comand: unknown field (did you mean "run"?); known here: NAMES'],
    ['depends_on: x', 'depends_on: unknown field (did you mean "dependsOn"?); known here: NAMES'],
    ['zebra: x', 'zebra: unknown field; known here: NAMES'],
    ['replicas: 3', 'replicas: not a field of type train; it belongs to serve'],
    [
      'scale: {max: 3}',
      'scale: replicas are not scaled by load yet; set `replicas`, and change it with `banyan scale`',
    ],
    [
      '<<: {a: 1}',
      '<<: merge keys are not understood; write the fields out, or use an anchor for each value',
    ],
    ['nodes: 2', 'gpus: both nodes and gpus are given; keep one (nodes with gpusPerNode says both)', 3, 7],
    ['gpusPerNode: 8', 'gpusPerNode: goes with nodes, which is missing; with gpus alone leave it out', 5, 14],
    [
      'priority: hihg',
      'priority: needs low, normal, high or critical, found "hihg" (did you mean "high"?)',
      5,
      11,
    ],
    ['preemptible: yes', 'preemptible: needs true or false, found "yes"', 5, 14],
    ['team: 7', 'team: needs text, found the number 7; write it in quotes', 5, 7],
    ['workdir: ~/x', 'workdir: "~" is not expanded here; write the folder in full', 5, 10],
    ['env: [A=1]', 'env: needs a mapping of names to values, found a list of 1 item', 5, 6],
    ['env: {RANK: 1}', 'env.RANK: is set by Banyan for every task; choose another name', 5, 13],
    ['env: {BANYAN_X: 1}', 'env.BANYAN_X: is set by Banyan for every task; choose another name', 5, 17],
    ['env: {A-B: 1}', 'env.A-B: is not a name of a variable; use letters, digits and "_"', 5, 12],
    ['env: {A: }', 'env.A: needs text or a number, found nothing; write "" for an empty value', 5, 10],
    ['env: {A: {B: 1}}', 'env.A: needs text or a number, found a mapping of 1 field', 5, 10],
    [
      'time: 30',
      'time: needs a time span with its unit, found the number 30; write for example 30s or 30m',
      5,
      7,
    ],
    ['time: soon', 'time: "soon" is not a duration; write for example 90s, 1h30m, 2d or 1-12:00:00', 5, 7],
    [
      'time: {limit: 5 parsecs}',
      'time.limit: "parsecs" is not a unit of time; use ms, s, m, h, d or w',
      5,
      15,
    ],
    ['time: 0s', 'time: must be longer than nothing, found "0s"', 5, 7],
    [
      'time: {expected: 2h, limit: 1h}',
      'time.expected: is longer than time.limit, at which it would be stopped',
      5,
      18,
    ],
    ['retry: -1', 'retry: must be at least 0, found the number -1', 5, 8],
    ['retry: {user: 1.5}', 'retry.user: needs a whole number from 0, found the number 1.5', 5, 15],
    [
      'checkpoint: {every: 5m}',
      'checkpoint.path: missing; needs the folder that the program saves to',
      5,
      13,
    ],
    ['checkpoint: ckpt', 'checkpoint: needs a mapping of path, every, grace, found "ckpt"', 5, 13],
    ['gpu: []', 'gpu: the list is empty', 5, 6],
    ['gpu: {}', 'gpu: needs model or memory, found neither', 5, 6],
    ['gpu: {memory: 80}', 'gpu.memory: needs text, found the number 80; write it in quotes', 5, 15],
    [
      'gpu: {memory: 80 GPUs}',
      'gpu.memory: "80 GPUs" is not a size; write for example 80GB or 512MiB',
      5,
      15,
    ],
    ['gpu: {memory: 80GB..40GB}', 'gpu.memory: the range is the wrong way round: "80GB..40GB"', 5, 15],
    ['gpu: {memory: ..}', 'gpu.memory: needs a bound: 40GB..80GB, 40GB.., ..80GB or 40GB', 5, 15],
    ['elastic: {min: 2}', 'elastic.min: is larger than gpus, 1', 5, 16],
    ['elastic: {}', 'elastic: needs min, max or both, found neither', 5, 10],
    [
      'topology: {within: {levl: rack, level: rack}}',
      'topology.within.levl: unknown field (did you mean "level"?); known here: level, mode, wait',
      5,
      21,
    ],
    [
      'topology: {within: {mode: required}}',
      'topology.within.level: missing; needs a level of the cluster, for example block',
      5,
      20,
    ],
    [
      'topology: {within: {level: rack, wait: 5m}}',
      'topology.within.wait: goes with mode: preferred; what is required is waited for without end',
      5,
      40,
    ],
    [
      'topology: {segment: {nodes: 2, level: rack}}',
      'topology.segment: needs nodes, which is missing: a gang of gpus is not cut',
      5,
      21,
    ],
    ['dependsOn: [a, 3]', 'dependsOn[1]: needs text, found the number 3; write it in quotes', 5, 16],
    ['array: 9-0', 'array: the range 9-0 is the wrong way round', 5, 8],
    [
      'array: 0-9%2',
      'array: "0-9%2": a bound of how many run at once (%) is not built yet; leave it out',
      5,
      8,
    ],
    ['array: 0-9:0', 'array: the step of 0-9:0 must be at least 1', 5, 8],
    ['array: a', 'array: needs indices such as 0-9, 0-9:2 or 1,3,7-9, found "a"', 5, 8],
    ['array: 0-1000000', 'array: makes more than 10000 workloads; cut it into several submissions', 5, 8],
    ['array: []', 'array: the list is empty', 5, 8],
  ])('%s', (line, message, atLine = 5, atColumn = 1) => {
    const expected = `a.yaml:${atLine}:${atColumn}: ${message.replace('NAMES', TRAIN_NAMES)}`
    expect(problemsOf(`${MINIMAL}\n${line}`)).toEqual([expected])
  })

  test.each([
    ['gpus: 0', 'gpus: must be at least 1, found the number 0'],
    ['gpus: -0.5', 'gpus: needs a whole number from 1, found the number -0.5'],
    ['gpus: 1.5', 'gpus: needs a whole number from 1, found the number 1.5'],
    ['gpus: 0.0001', 'gpus: a share is counted in thousandths, found the number 0.0001'],
    ['gpus: "4"', 'gpus: needs a whole number from 1, a share below 1 such as 0.25, or auto, found "4"'],
    [
      'gpus: auto',
      'gpus: "auto" goes with plan, which is missing: the model, its tokens or steps, finishBy, budget',
    ],
    [
      'gpus: .inf',
      'gpus: needs a whole number from 1, a share below 1 such as 0.25, or auto, found the number .inf',
    ],
    ['gpus: 2000000', 'gpus: must be at most 1000000, found the number 2000000'],
    ['nodes: "4"', 'nodes: needs a whole number from 1, found "4"; write it without quotes', 8],
  ])('%s', (line, message, column = 7) => {
    expect(problemsOf(MINIMAL.replace('gpus: 1', line))).toEqual([`a.yaml:3:${column}: ${message}`])
  })

  test.each([
    [
      'My Run',
      '"My Run" is not a name; use at most 63 of a-z, 0-9, ".", "_" and "-", with a letter or digit at both ends',
    ],
    ['-', 'needs text, found a list of 1 item'],
    ['""', 'needs text, found only blanks'],
    ['42', 'needs text, found the number 42; write it in quotes'],
    [
      'a/../b',
      '"a/../b" is not a name; use at most 63 of a-z, 0-9, ".", "_" and "-", with a letter or digit at both ends',
    ],
  ])('name: %s', (name, message) => {
    const text =
      name === '-' ? 'type: train\nname:\n - b\ngpus: 1\nrun: c' : MINIMAL.replace('name: a', `name: ${name}`)
    expect(problemsOf(text)).toEqual([expect.stringContaining(`name: ${message}`)])
  })

  test('a segment must divide the gang', () => {
    const text = `${MINIMAL.replace('gpus: 1', 'nodes: 16')}\ntopology: {segment: {nodes: 3, level: block}}`
    expect(problemsOf(text)).toEqual([
      'a.yaml:5:29: topology.segment.nodes: 16 nodes cannot be cut into parts of 3',
    ])
  })

  test('a segment must divide what an elastic gang shrinks to', () => {
    const text = `${MINIMAL.replace('gpus: 1', 'nodes: 16')}\nelastic: {min: 6}\ntopology: {segment: {nodes: 4, level: block}}`
    expect(problemsOf(text)).toEqual([
      'a.yaml:5:10: elastic: its min of 6 nodes cannot be cut into parts of 4',
    ])
  })

  test('without a spec file there is no folder to run in', () => {
    const parsed = parseSpec(MINIMAL, { file: 'spec' })
    expect(!parsed.ok && parsed.error.map(formatSpecProblem)).toEqual([
      'spec:1:1: workdir: missing; needs an absolute folder, since no spec file says where to run',
    ])
  })

  test.each([
    [
      { gpus: 'many' },
      '--set gpus: gpus: needs a whole number from 1, a share below 1 such as 0.25, or auto, found "many"',
    ],
    [{ 'name.x': '1' }, '--set name.x: name.x: cannot be set: what stands above it is not a mapping'],
    [
      { run: '[' },
      '--set run: run: "[" is not a YAML value: something is missing before here: a closing quote, a bracket or a ":"',
    ],
    [{ gpsu: '4' }, `--set gpsu: gpsu: unknown field (did you mean "gpus"?); known here: ${TRAIN_NAMES}`],
  ])('set %j', (set, message) => {
    expect(problemsOf(MINIMAL, { set })).toEqual([message])
  })
})

test('all faults are told at once, in the order of the text', () => {
  const text = 'type: train\nname: A\nnodes: 0\nrun: 5\ntime: 3\nfoo: 1\n'
  expect(problemsOf(text).map((problem) => problem.split(': ').slice(0, 2).join(' '))).toEqual([
    'a.yaml:2:7 name',
    'a.yaml:3:8 nodes',
    'a.yaml:4:6 run',
    'a.yaml:5:7 time',
    'a.yaml:6:1 foo',
  ])
})

describe('a text that is built to hurt is refused before it is parsed', () => {
  test.each([
    ['too large', `${MINIMAL}\n#${'x'.repeat(2 ** 20)}`, /is larger than 1 MiB/],
    ['a million brackets', '['.repeat(1_000_000), /nested more than 32 deep/],
    ['a million dashes', '- '.repeat(500_000), /nested more than 32 deep/],
    [
      'a staircase',
      Array.from({ length: 1400 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
      /nested more than 32 deep/,
    ],
    ['a crowd', `${MINIMAL}\nenv: [${'{},'.repeat(300_000)}]`, /more than 20000 parts/],
    [
      'a bomb',
      `a: &a [x]\n${Array.from({ length: 60 }, (_, i) => `b${i}: [*a,*a]`).join('\n')}`,
      /more than 100 aliases/,
    ],
  ])('%s', (_, text, message) => {
    const problems = problemsOf(text)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatch(message)
  })

  test('at most fifty faults are told', () => {
    const problems = problemsOf(`${MINIMAL}\ndependsOn: [${'1,'.repeat(1000)}]`)
    expect(problems).toHaveLength(51)
    expect(problems.at(-1)).toMatch(/950 more problems follow$/)
  })
})

describe('docs/spec.md', () => {
  const text = readFileSync(new URL('../../../docs/spec.md', import.meta.url), 'utf8')

  test('ends with the reference of all fields (write it anew with `npx tsx scripts/write-spec-reference.ts`)', () => {
    expect(text.slice(text.indexOf('## Every type'))).toBe(specReference())
  })

  test('has examples that are right', () => {
    const examples = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml]) => yaml!)
    expect(examples.length).toBeGreaterThan(2)
    const planner: Planner = () => refuse({ about: 'machine', message: 'no machine' })
    for (const example of examples) {
      // Only a server can size what is declared; here it is enough that the declaration is right.
      const sized = example.replace('gpus: auto', 'gpus: 8')
      expect(problemsOf(sized, { planner })).toEqual([])
    }
  })
})

test('every field of the reference is taken by the parser', () => {
  for (const { path, types } of SPEC_FIELDS) {
    for (const type of types) {
      // A list is wrong for every scalar field and may be right for others: either way the name must be known.
      const set = { [path]: '[]', ...(path === 'type' ? {} : { type }) }
      expect(problemsOf('name: a', { set }).filter((problem) => /unknown|not a field/.test(problem))).toEqual(
        [],
      )
    }
  }
})
