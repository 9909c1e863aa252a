import { compareIds } from '../base/index.ts'
import type { Failure, Outcome } from '../model/index.ts'
import type { FailureClass, FailureClasses } from './failure-classes.ts'
import type { EngineCause, TaskExit } from './ports/index.ts'

/** What an engine says of an attempt's end. */
export interface AttemptEnd {
  readonly exits: readonly TaskExit[]
  readonly cause?: EngineCause
}

/** How an attempt ended. `cancelled` means that it was stopped; who asked decides between cancelled and preempted. */
export interface Verdict {
  readonly outcome: Exclude<Outcome, 'preempted'>
  readonly failure?: Failure
}

/**
 * The outcome of an attempt. The engine's own cause counts first, then the first task that failed by itself; tasks
 * that the engine ended decide nothing. Of failures in the same millisecond a signal counts before an exit code, since
 * peers notice a killed task and give up; then the rank decides.
 */
export function classifyExit(end: AttemptEnd, classes: FailureClasses): Verdict {
  if (end.cause) return verdictOfCause(end.cause)
  const failed = end.exits.filter((exit) => !exit.stopped && exit.exitCode !== 0).sort(byFirstFailure)
  const verdicts = failed.map((exit) => ({ exit, match: matchOf(exit, classes) }))
  const decisive = verdicts.find(({ match }) => !match?.found.echo) ?? verdicts[0]
  if (decisive) return verdictOfExit(decisive.exit, decisive.match)
  return { outcome: end.exits.some((exit) => exit.stopped) ? 'cancelled' : 'succeeded' }
}

/** The signal that ended a task, also where a shell between reported it as exit code 128 + number. */
function signalOf(exit: Pick<TaskExit, 'exitCode' | 'signal'>): string | undefined {
  return exit.signal ?? (exit.exitCode === undefined ? undefined : SHELL_SIGNALS[exit.exitCode - 128])
}

/** Numbers of POSIX.1 and, where it names none, of Linux on x86 and Arm. */
const SHELL_SIGNALS: Readonly<Record<number, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  4: 'SIGILL',
  5: 'SIGTRAP',
  6: 'SIGABRT',
  7: 'SIGBUS',
  8: 'SIGFPE',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  13: 'SIGPIPE',
  14: 'SIGALRM',
  15: 'SIGTERM',
  31: 'SIGSYS',
}

const EVIDENCE_CHARACTERS = 300

interface Match {
  readonly found: FailureClass
  readonly evidence?: string
}

function byFirstFailure(a: TaskExit, b: TaskExit): number {
  return (
    a.at - b.at ||
    Number(signalOf(a) === undefined) - Number(signalOf(b) === undefined) ||
    a.task - b.task ||
    compareIds(a.node, b.node)
  )
}

function matchOf(exit: TaskExit, classes: FailureClasses): Match | undefined {
  const lines = exit.logTail.split('\n')
  const signal = signalOf(exit)
  for (const found of classes) {
    const isHit = (line: string) => found.patterns.some((pattern) => pattern.test(line))
    const line = found.last ? lines.findLast(isHit) : lines.find(isHit)
    if (line !== undefined) return { found, evidence: line }
    if (signal !== undefined && found.signals.includes(signal)) return { found }
    if (exit.exitCode !== undefined && found.exitCodes.includes(exit.exitCode)) {
      return withEvidence(found, lastLine(lines))
    }
  }
  return undefined
}

function verdictOfCause(cause: EngineCause): Verdict {
  return {
    outcome: cause.blame === 'user' ? 'user-failure' : 'platform-failure',
    failure: {
      class: cause.kind,
      message: cause.message,
      ...(cause.node !== undefined ? { node: cause.node } : {}),
    },
  }
}

function verdictOfExit(exit: TaskExit, match: Match | undefined): Verdict {
  const who = `task ${exit.task} on ${exit.node}`
  const signal = signalOf(exit)
  const detail = {
    task: exit.task,
    ...(exit.exitCode !== undefined ? { exitCode: exit.exitCode } : {}),
    ...(signal !== undefined ? { signal } : {}),
  }
  if (match) {
    const how = signal ?? `exit code ${exit.exitCode}`
    const isPlatform = match.found.blame === 'platform'
    return {
      outcome: isPlatform ? 'platform-failure' : 'user-failure',
      failure: {
        class: match.found.class,
        message: `${who} ${match.found.what} (${how}); ${match.found.next}`,
        ...detail,
        ...(isPlatform ? { node: exit.node } : {}),
        ...(match.evidence !== undefined ? { evidence: shortened(match.evidence) } : {}),
      },
    }
  }
  if (exit.exitCode === undefined && signal === undefined) {
    return {
      outcome: 'platform-failure',
      failure: {
        class: 'unseen-end',
        message: `${who} is gone and nobody saw how it ended; this is not charged to the user`,
        ...detail,
        node: exit.node,
      },
    }
  }
  const how = exit.exitCode === undefined ? `was ended by ${signal}` : `ended with exit code ${exit.exitCode}`
  const evidence = lastLine(exit.logTail.split('\n'))
  return {
    outcome: 'user-failure',
    failure: {
      class: exit.exitCode === undefined ? 'signal' : 'exit-code',
      message: `${who} ${how}; see its log`,
      ...detail,
      ...(evidence !== undefined ? { evidence: shortened(evidence) } : {}),
    },
  }
}

function withEvidence(found: FailureClass, evidence: string | undefined): Match {
  return evidence === undefined ? { found } : { found, evidence }
}

function lastLine(lines: readonly string[]): string | undefined {
  return lines.findLast((line) => line.trim() !== '')
}

function shortened(line: string): string {
  const text = line.trim()
  return text.length <= EVIDENCE_CHARACTERS ? text : `${text.slice(0, EVIDENCE_CHARACTERS - 1)}…`
}
