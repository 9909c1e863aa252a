import { distance } from 'fastest-levenshtein'

/** Names that other systems use for our fields. */
const HABITS: Readonly<Record<string, string>> = {
  args: 'run',
  cmd: 'run',
  command: 'run',
  commands: 'run',
  container: 'image',
  cwd: 'workdir',
  deadline: 'time',
  dependency: 'dependsOn',
  entrypoint: 'run',
  environment: 'env',
  gpucount: 'gpus',
  gputype: 'gpu',
  accelerator: 'gpu',
  accelerators: 'gpu',
  instances: 'nodes',
  jobname: 'name',
  kind: 'type',
  maxretries: 'retry',
  needs: 'dependsOn',
  nodecount: 'nodes',
  numnodes: 'nodes',
  numgpus: 'gpus',
  ngpus: 'gpus',
  nnodes: 'nodes',
  restarts: 'retry',
  retries: 'retry',
  script: 'run',
  setup: 'run',
  timeout: 'time',
  variables: 'env',
  walltime: 'time',
  workingdirectory: 'workdir',
}

const LONGEST_NAME = 64

/** The allowed name that was most probably meant, if any is near. Case, `_` and `-` do not count. */
function nearestName(found: string, allowed: readonly string[]): string | undefined {
  const plain = plainName(found)
  if (plain === '' || plain.length > LONGEST_NAME) return undefined
  const habit = HABITS[plain]
  if (habit !== undefined && allowed.includes(habit)) return habit
  let best: string | undefined
  let bestDistance = Math.max(Math.min(plain.length - 1, 2), Math.floor(plain.length / 3)) + 1
  for (const name of allowed) {
    const candidate = isScrambled(plain, plainName(name)) ? 1 : distance(plain, plainName(name))
    if (candidate < bestDistance) {
      best = name
      bestDistance = candidate
    }
  }
  return best ?? nearestHabit(plain, allowed)
}

/** What a name of other systems with one slip of the fingers stands for. */
function nearestHabit(plain: string, allowed: readonly string[]): string | undefined {
  const habit = Object.keys(HABITS).find((name) => name.length > 4 && distance(plain, name) === 1)
  const name = habit === undefined ? undefined : HABITS[habit]
  return name !== undefined && allowed.includes(name) ? name : undefined
}

function plainName(name: string): string {
  return name.toLowerCase().replace(/[_\-\s]/g, '')
}

/** The same letters in another order, as fingers write it that are faster than the eye. */
function isScrambled(a: string, b: string): boolean {
  return a.length === b.length && lettersOf(a) === lettersOf(b)
}

/** ` (did you mean "x"?)`, or nothing when no name is near. */
export function didYouMean(found: string, allowed: readonly string[]): string {
  const name = nearestName(found, allowed)
  return name === undefined ? '' : ` (did you mean "${name}"?)`
}

function lettersOf(name: string): string {
  return Array.from(name).sort().join('')
}
