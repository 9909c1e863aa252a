import type { Program, WorkloadType } from '../workload-spec.ts'
import type { Mapping, Place } from './place.ts'
import { readOneOf, readOneOrMore, readText } from './read-values.ts'

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/

/** Set for every task by Banyan itself, so that a value of the user's would be lost or break the gang. */
const OWN_VARIABLES = [
  'RANK',
  'LOCAL_RANK',
  'WORLD_SIZE',
  'LOCAL_WORLD_SIZE',
  'NODE_RANK',
  'GROUP_RANK',
  'NNODES',
  'MASTER_ADDR',
  'MASTER_PORT',
  'CUDA_VISIBLE_DEVICES',
]

/** What the tasks run; `folder` is what a relative or absent working folder is taken from. */
export function readProgram(
  top: Mapping,
  type: WorkloadType,
  folder: string | undefined,
): Program | undefined {
  if (type === 'machines') {
    return { run: [], env: {}, workdir: '/', tasksPer: 'node' }
  }
  const run = top.need('run', 'the command to run, or a list of commands', readOneOrMore(readText))
  const env = top.read('env', (place) => readEnvironment(place, type)) ?? {}
  const workdir = top.has('workdir')
    ? top.read('workdir', (place) => readFolder(place, folder))
    : (folder ?? top.need('workdir', 'an absolute folder, since no spec file says where to run', readText))
  const image = top.read('image', readText)
  const tasksPer = top.read('tasksPer', readOneOf(['gpu', 'node'])) ?? 'gpu'
  if (run === undefined || workdir === undefined) return undefined
  return { run, env, workdir, tasksPer, ...(image === undefined ? {} : { image }) }
}

function readEnvironment(place: Place, type: WorkloadType): Record<string, string> | undefined {
  const entries = place.entries()
  if (!entries) return place.expected('a mapping of names to values')
  const environment: [string, string][] = []
  for (const [name, value] of entries) {
    const text = readValue(value, name, type)
    if (text !== undefined) environment.push([name, text])
  }
  return Object.fromEntries(environment)
}

function readValue(place: Place, name: string, type: WorkloadType): string | undefined {
  if (!VARIABLE.test(name)) return place.fail('is not a name of a variable; use letters, digits and "_"')
  if (OWN_VARIABLES.includes(name) || name.startsWith('BANYAN_') || (type === 'serve' && name === 'PORT')) {
    return place.fail('is set by Banyan for every task; choose another name')
  }
  const { scalar } = place
  if (typeof scalar === 'string') return scalar.includes('\0') ? place.fail('holds a NUL character') : scalar
  if (typeof scalar === 'number' || typeof scalar === 'boolean') return place.scalarText
  return place.fail(
    `needs text or a number, found ${place.found}${scalar === null ? '; write "" for an empty value' : ''}`,
  )
}

function readFolder(place: Place, folder: string | undefined): string | undefined {
  const text = readText(place)
  if (text === undefined) return undefined
  if (text.startsWith('~')) return place.fail(`"~" is not expanded here; write the folder in full`)
  if (text.startsWith('/')) return normalPath(text)
  if (folder === undefined) {
    return place.fail(
      `needs an absolute folder, found ${place.found}; no spec file says what it is relative to`,
    )
  }
  return normalPath(`${folder}/${text}`)
}

/** An absolute path without `.`, `..` and doubled slashes. */
function normalPath(path: string): string {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return `/${parts.join('/')}`
}
