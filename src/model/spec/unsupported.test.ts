import { expect, test } from 'vitest'
import { parseSpec } from './parse-spec.ts'
import { formatSpecProblem } from './problem.ts'
import { type Capabilities, UNSUPPORTED, unsupportedFields } from './unsupported.ts'

const LITTLE: Capabilities = {
  engine: 'local',
  types: ['train', 'serve'],
  levels: ['site', 'node'],
  containers: false,
  elastic: false,
  fractions: false,
  manyNodes: false,
}
const ALL: Capabilities = {
  engine: 'all',
  types: ['train', 'serve', 'machines'],
  levels: ['site', 'block', 'node'],
  containers: true,
  elastic: true,
  fractions: true,
  manyNodes: true,
}

const TRAIN = 'type: train\nname: a\nrun: b\n'
const CASES: readonly (readonly [string, string])[] = [
  [
    'type: machines\nname: a\ngpus: 1',
    'a.yaml:1:7: type: the engine "local" runs train and serve, not machines',
  ],
  [
    `${TRAIN}gpus: 1\nimage: x`,
    'a.yaml:5:8: image: the engine "local" runs processes without containers; leave image out and install what it needs in workdir',
  ],
  [
    `${TRAIN}gpus: 2\nelastic: {min: 1}\ncheckpoint: {path: saves}`,
    'a.yaml:5:10: elastic: gangs are not resized here; leave it out and ask for a fixed size',
  ],
  [`${TRAIN}gpus: 0.5`, 'a.yaml:4:7: gpus: the engine "local" cannot share a GPU; ask for a whole one'],
  [
    `${TRAIN}nodes: 2`,
    'a.yaml:4:8: nodes: the engine "local" has one node; ask for gpus instead, or use an engine with many nodes',
  ],
  [
    `${TRAIN}gpus: 1\ntopology: {within: block}`,
    'a.yaml:5:20: topology.within: this cluster has no level "block"; its levels are site > node',
  ],
  [
    `${TRAIN}nodes: 1\ntopology: {segment: {nodes: 1, level: sites}}`,
    'a.yaml:5:21: topology.segment: this cluster has no level "sites" (did you mean "site"?); its levels are site > node',
  ],
  [
    `${TRAIN}gpus: 1\ntopology: {spread: block}`,
    'a.yaml:5:20: topology.spread: this cluster has no level "block"; its levels are site > node',
  ],
]

function unsupported(text: string, capabilities: Capabilities): string[] {
  const parsed = parseSpec(text, { file: 'a.yaml', folder: '/job' })
  if (!parsed.ok) throw new Error(parsed.error.map(formatSpecProblem).join('\n'))
  return unsupportedFields(parsed.value, capabilities).map(formatSpecProblem)
}

test.each(CASES)(
  '%j is refused where nothing acts on it, and taken where something does',
  (text, message) => {
    expect(unsupported(text, LITTLE)).toEqual([message])
    expect(unsupported(text.replace('sites', 'site'), ALL)).toEqual([])
  },
)

test('a gang that is resized by starting again needs a checkpoint to go on from', () => {
  expect(unsupported(`${TRAIN}gpus: 2\nelastic: {min: 1}`, ALL)).toEqual([
    'a.yaml:5:10: elastic: a gang is resized by starting it again at the other size, so it needs checkpoint.path to go on from',
  ])
})

test('every entry of the table is shown above', () => {
  const shown = CASES.map(([, message]) => message.split(': ')[1])
  expect(UNSUPPORTED.map(({ field }) => field)).toEqual(shown)
})
