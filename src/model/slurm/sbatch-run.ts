/** A variable of the shell whose name ends where it ends, whatever follows. */
const braced = (name: string) => `\${${name}}`

interface Script {
  readonly text: string
  readonly arguments: readonly string[]
  readonly jobName: string
  /** What it is warned of its limit by, without SIG. */
  readonly signal?: string | undefined
  /** Patterns of file names as sbatch(1) has them. */
  readonly output: string | undefined
  readonly error: string | undefined
}

/** What `%j` and the like stand for, as variables of the shell. */
const PATTERNS: Readonly<Record<string, string>> = {
  j: braced('SLURM_JOB_ID'),
  J: braced('SLURM_JOB_ID'),
  A: braced('SLURM_ARRAY_JOB_ID'),
  a: braced('SLURM_ARRAY_TASK_ID'),
  x: braced('SLURM_JOB_NAME'),
  N: '$(hostname -s)',
  n: braced('SLURM_NODEID'),
  t: braced('SLURM_PROCID'),
  s: '0',
  u: '$(id -un)',
  '%': '%',
}

/** The variables that Slurm gives the tasks of a step, from those of Banyan. */
const VARIABLES = [
  'SLURM_JOB_ID="$BANYAN_WORKLOAD_ID"',
  'SLURM_JOBID="$SLURM_JOB_ID"',
  'SLURM_PROCID="$RANK"',
  'SLURM_LOCALID="$LOCAL_RANK"',
  'SLURM_NODEID="$NODE_RANK"',
  'SLURM_NTASKS="$WORLD_SIZE"',
  'SLURM_NPROCS="$WORLD_SIZE"',
  'SLURM_NNODES="$NNODES"',
  'SLURM_JOB_NUM_NODES="$NNODES"',
  'SLURM_NTASKS_PER_NODE="$LOCAL_WORLD_SIZE"',
  'SLURM_SUBMIT_DIR="$PWD"',
  'SLURM_RESTART_COUNT="$((BANYAN_ATTEMPT - 1))"',
  'SLURM_JOB_GPUS="$CUDA_VISIBLE_DEVICES"',
]

/** `srun [options] command` in a task that is one of the step already: the command takes the task's place. */
const SRUN = `#!/bin/sh
while [ $# -gt 0 ]; do
  case $1 in
    --) shift; break ;;
    --*=*|--exclusive|--unbuffered|--label|--overlap|--export=*|-l|-u|-K|-v) shift ;;
    --*|-?) shift; [ $# -gt 0 ] && shift ;;
    -*) shift ;;
    *) break ;;
  esac
done
exec "$@"
`

/**
 * The command that runs a batch script in each task with Slurm's variables, `srun` in place, and its output also in
 * the files that it names.
 */
export function scriptRun({
  text,
  arguments: words,
  jobName,
  signal = 'TERM',
  output,
  error,
}: Script): string {
  const hasInterpreter = text.startsWith('#!')
  return [
    'folder=$(mktemp -d) || exit',
    'copies=',
    `trap 'rm -rf "$folder"' EXIT`,
    `export ${VARIABLES.join(' ')} SLURM_JOB_NAME=${quoted(jobName)}`,
    'if [ -n "$BANYAN_ARRAY_INDEX" ]; then export SLURM_ARRAY_TASK_ID="$BANYAN_ARRAY_INDEX" SLURM_ARRAY_JOB_ID="$SLURM_JOB_ID"; fi',
    heredoc('"$folder/srun"', SRUN),
    heredoc('"$folder/script"', hasInterpreter ? text : `#!/bin/sh\n${text}`),
    'chmod +x "$folder/srun" "$folder/script"',
    'export PATH="$folder:$PATH"',
    ...redirections(output, error),
    // Signals go to all processes of the task: the script has them too, and its exit code is waited for whatever comes.
    `trap : ${[...new Set(['TERM', signal])].join(' ')}`,
    `"$folder/script" ${words.map(quoted).join(' ')}`,
    'code=$?',
    'exec >&- 2>&-',
    '[ -z "$copies" ] || wait $copies',
    'exit "$code"',
  ].join('\n')
}

/** Banyan keeps the log itself; what the script names gets a copy. */
function redirections(output: string | undefined, error: string | undefined): string[] {
  const copy = (stream: 'out' | 'err', pattern: string, back: string) => [
    `mkfifo "$folder/${stream}" && { tee -a "${fileName(pattern)}" <"$folder/${stream}" ${back} & copies="$copies $!"; }`,
  ]
  if (output === undefined && error === undefined) return []
  const lines: string[] = []
  if (output !== undefined) lines.push(...copy('out', output, ''))
  if (error !== undefined) lines.push(...copy('err', error, '>&2'))
  if (output !== undefined && error !== undefined) return [...lines, 'exec >"$folder/out" 2>"$folder/err"']
  return [...lines, output !== undefined ? 'exec >"$folder/out" 2>&1' : 'exec 2>"$folder/err"']
}

function fileName(pattern: string): string {
  return pattern.replace(/%(\d*)([a-zA-Z%])|["$`\\]/g, (found: string, _width?: string, letter?: string) => {
    if (letter === undefined) return `\\${found}`
    return PATTERNS[letter] ?? found
  })
}

function heredoc(into: string, text: string): string {
  let end = 'BANYAN_END'
  while (text.includes(end)) end += '_'
  return `cat >${into} <<'${end}'\n${text.endsWith('\n') ? text : `${text}\n`}${end}`
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
