import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { id, type NodeId } from '../base/index.ts'
import { classifyExit } from './classify-exit.ts'
import { type FailureClasses, parseFailureClasses } from './failure-classes.ts'
import type { TaskExit } from './ports/index.ts'

const classes = shippedClasses()

function shippedClasses(): FailureClasses {
  const parsed = parseFailureClasses(
    readFileSync(new URL('./data/failure-classes.json', import.meta.url), 'utf8'),
  )
  if (!parsed.ok) throw new Error(parsed.error)
  return parsed.value
}

function anExit(exit: Partial<TaskExit>): TaskExit {
  return { task: 0, node: id<NodeId>('node-7'), at: 1_000, logTail: '', stopped: false, ...exit }
}

function judge(...exits: TaskExit[]) {
  return classifyExit({ exits }, classes)
}

describe('one task', () => {
  test.each([
    ['succeeded', undefined, { exitCode: 0 }],
    ['user-failure', 'exit-code', { exitCode: 3, logTail: 'all is lost\n' }],
    ['user-failure', 'command-not-found', { exitCode: 127, logTail: 'sh: 1: trian: not found\n' }],
    ['user-failure', 'command-not-executable', { exitCode: 126 }],
    ['user-failure', 'crashed', { signal: 'SIGSEGV' }],
    ['user-failure', 'crashed', { exitCode: 139 }],
    ['user-failure', 'signal', { signal: 'SIGUSR1' }],
    ['platform-failure', 'killed', { signal: 'SIGKILL' }],
    ['platform-failure', 'killed', { exitCode: 137 }],
    ['platform-failure', 'terminated', { signal: 'SIGTERM' }],
    ['platform-failure', 'unseen-end', {}],
    [
      'user-failure',
      'exception',
      { exitCode: 1, logTail: 'Traceback (most recent call last):\n  File "t.py"\nKeyError: 3\n' },
    ],
    [
      'user-failure',
      'gpu-out-of-memory',
      {
        exitCode: 1,
        logTail:
          'Traceback (most recent call last):\ntorch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB\n',
      },
    ],
    ['user-failure', 'out-of-memory', { exitCode: 1, logTail: 'MemoryError\n' }],
    [
      'user-failure',
      'out-of-memory',
      { signal: 'SIGKILL', logTail: 'slurmstepd: error: Detected 1 oom_kill event in StepId=7.0.\n' },
    ],
    [
      'platform-failure',
      'gpu-xid',
      { exitCode: 1, logTail: 'RuntimeError: CUDA error: uncorrectable ECC error encountered\n' },
    ],
    [
      'platform-failure',
      'gpu-xid',
      { signal: 'SIGABRT', logTail: 'NVRM: Xid (PCI:0000:3b:00): 79, pid=88, GPU has fallen off the bus.\n' },
    ],
    [
      'user-failure',
      'gpu-program-error',
      { exitCode: 1, logTail: 'NVRM: Xid (PCI:0000:3b:00): 31, pid=88, MMU Fault\n' },
    ],
    [
      'platform-failure',
      'nccl-timeout',
      {
        signal: 'SIGABRT',
        logTail:
          '[Rank 1] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=41) ran for 600000 ms\n',
      },
    ],
    [
      'platform-failure',
      'system-disk-full',
      { exitCode: 1, logTail: "OSError: [Errno 28] No space left on device: '/tmp/torch_x/blob'\n" },
    ],
    [
      'user-failure',
      'disk-full',
      { exitCode: 1, logTail: "OSError: [Errno 28] No space left on device: '/home/ada/ckpt/7.pt'\n" },
    ],
    ['user-failure', 'disk-quota', { exitCode: 1, logTail: 'OSError: [Errno 122] Disk quota exceeded\n' }],
    ['user-failure', 'port-taken', { exitCode: 1, logTail: 'Error: listen EADDRINUSE: 0.0.0.0:8080\n' }],
  ] as const)('%s, %s: %o', (outcome, failureClass, exit) => {
    const verdict = judge(anExit(exit))
    expect(verdict.outcome).toBe(outcome)
    expect(verdict.failure?.class).toBe(failureClass)
  })

  test('a platform failure names the node to avoid, a user failure does not', () => {
    expect(judge(anExit({ signal: 'SIGKILL' })).failure?.node).toBe('node-7')
    expect(judge(anExit({ exitCode: 1 })).failure).not.toHaveProperty('node')
  })

  test('the message names the task, its node and what to do; the evidence is the line that gave it away', () => {
    const { failure } = judge(
      anExit({ task: 3, exitCode: 1, logTail: 'step 4\nValueError: negative batch\nbye\n' }),
    )
    expect(failure).toMatchObject({ task: 3, exitCode: 1, evidence: 'ValueError: negative batch' })
    expect(failure?.message).toBe('task 3 on node-7 ended with an error (exit code 1); see its log')
  })
})

describe('a gang', () => {
  test('the first task that failed decides, and the others that the engine ended do not', () => {
    const { failure } = judge(
      anExit({ task: 0, signal: 'SIGTERM', stopped: true, at: 900 }),
      anExit({ task: 1, signal: 'SIGKILL', at: 1_000 }),
      anExit({ task: 2, exitCode: 1, at: 1_005 }),
    )
    expect(failure).toMatchObject({ class: 'killed', task: 1 })
  })

  test('in the same millisecond a signal counts before an exit code, then the lower rank', () => {
    expect(
      judge(anExit({ task: 0, exitCode: 1 }), anExit({ task: 1, signal: 'SIGKILL' })).failure?.task,
    ).toBe(1)
    expect(judge(anExit({ task: 2, exitCode: 1 }), anExit({ task: 1, exitCode: 1 })).failure?.task).toBe(1)
  })

  test('a task that only heard of its peer is blamed when no other failed', () => {
    const heard = anExit({
      task: 0,
      exitCode: 1,
      at: 10,
      logTail: 'Connection closed by peer [10.0.0.2]:41\n',
    })
    expect(judge(heard).failure?.class).toBe('peer-lost')
    expect(judge(heard, anExit({ task: 1, exitCode: 7, at: 20 })).failure).toMatchObject({
      task: 1,
      class: 'exit-code',
    })
  })

  test('stopped as a whole, it is cancelled, whatever its tasks answered', () => {
    expect(
      judge(anExit({ exitCode: 0, stopped: true }), anExit({ task: 1, signal: 'SIGKILL', stopped: true })),
    ).toEqual({ outcome: 'cancelled' })
  })
})

test('what the engine itself knows counts before any exit', () => {
  const cause = {
    kind: 'node-lost',
    message: 'node-7 left',
    node: id<NodeId>('node-7'),
    blame: 'platform',
  } as const
  expect(classifyExit({ exits: [anExit({ exitCode: 1 })], cause }, classes)).toEqual({
    outcome: 'platform-failure',
    failure: { class: 'node-lost', message: 'node-7 left', node: 'node-7' },
  })
})

describe('a document of failure classes', () => {
  test.each([
    ['{', /JSON/],
    ['{}', /expected a list/],
    ['[{"class":"x","blame":"user","what":"a","next":"b"}]', /entry 1: nothing to recognise it by/],
    ['[{"class":"x","blame":"nobody","what":"a","next":"b","signals":["SIGKILL"]}]', /blame must be/],
    ['[{"class":"x","blame":"user","what":"a","next":"b","patterns":["("]}]', /entry 1: pattern "\("/],
    ['[{"class":"x","colour":1}]', /unknown key "colour"/],
  ])('%s is refused and says why', (text, why) => {
    const parsed = parseFailureClasses(text)
    expect(parsed.ok ? '' : parsed.error).toMatch(why)
  })
})
