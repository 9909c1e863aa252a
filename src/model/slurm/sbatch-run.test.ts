import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { scriptRun } from './sbatch-run.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'banyan sbatch '))
})
afterEach(() => rmSync(folder, { recursive: true }))

const TASK = {
  BANYAN_WORKLOAD_ID: 'w7',
  BANYAN_ATTEMPT: '2',
  BANYAN_ARRAY_INDEX: '3',
  RANK: '5',
  LOCAL_RANK: '1',
  NODE_RANK: '1',
  WORLD_SIZE: '8',
  LOCAL_WORLD_SIZE: '4',
  NNODES: '2',
}

function ran(text: string, more: Partial<Parameters<typeof scriptRun>[0]> = {}) {
  return spawnSync('/bin/sh', ['-c', runOf(text, more)], {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, ...TASK },
  })
}

function runOf(text: string, more: Partial<Parameters<typeof scriptRun>[0]> = {}) {
  return scriptRun({
    text,
    arguments: [],
    jobName: 'train',
    output: undefined,
    error: undefined,
    ...more,
  })
}

test('a script sees Slurm’s variables and its arguments', () => {
  const { stdout } = ran(
    '#!/bin/bash\necho $SLURM_JOB_ID $SLURM_PROCID/$SLURM_NTASKS $SLURM_NODEID $SLURM_ARRAY_TASK_ID $SLURM_RESTART_COUNT "$1"\n',
    {
      arguments: ["it's one"],
    },
  )
  expect(stdout).toBe("w7 5/8 1 3 1 it's one\n")
})

test('srun runs its command in place, past its own options', () => {
  const { stdout } = ran(
    'srun -N 2 --ntasks-per-node=4 --gpus-per-node=4 -l echo one "two three"\nsrun echo four\n',
  )
  expect(stdout).toBe('one two three\nfour\n')
})

test('its exit code is that of the script', () => {
  expect(ran('exit 7\n').status).toBe(7)
})

test('what it does when all of its task is warned decides its exit code', async () => {
  const text = "#!/bin/bash\ntrap 'echo warned; exit 5' USR1\necho ready\nwhile :; do sleep 0.02; done\n"
  for (let i = 0; i < 12; i++) {
    const task = spawn('/bin/sh', ['-c', runOf(text, { signal: 'USR1' })], {
      detached: true,
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { PATH: process.env.PATH, ...TASK },
    })
    await once(task.stdout, 'data')
    process.kill(-task.pid!, 'SIGUSR1')
    expect(await once(task, 'exit')).toEqual([5, null])
  }
})

test('a copy of its output goes where it says, and its log stays whole', () => {
  const { stdout, stderr } = ran('echo out; echo err >&2; exit 3\n', {
    output: 'job-%j_%a.out',
    error: 'job-%A.err',
  })
  expect([stdout, stderr]).toEqual(['out\n', 'err\n'])
  expect(readFileSync(join(folder, 'job-w7_3.out'), 'utf8')).toBe('out\n')
  expect(readFileSync(join(folder, 'job-w7.err'), 'utf8')).toBe('err\n')
})

test('both streams share the file that --output names', () => {
  ran('echo out; echo err >&2\n', { output: '%x.log' })
  expect(readFileSync(join(folder, 'train.log'), 'utf8').split('\n').sort()).toEqual(['', 'err', 'out'])
})
