import {
  type Client,
  describeEvent,
  knownEventOf,
  type LoggedEventView,
  type WorkloadView,
} from '../../api/index.ts'
import { formatDuration } from '../../base/index.ts'
import { isFinal } from '../../model/index.ts'
import type { Cli } from '../cli.ts'
import { CliFailure } from '../failure.ts'
import { Interrupted } from '../io.ts'
import { clockTime } from '../render/values.ts'
import { lossText } from '../render/workload.ts'
import { Pace } from './pace.ts'

/** Without a terminal, progress is told at most this often. */
const QUIET_MS = 10_000

/**
 * Tells the life of a workload as it happens, with one live line of progress, until it is over. Throws when it
 * failed; Ctrl-C leaves it running.
 */
export async function follow(cli: Cli, client: Client, workload: WorkloadView): Promise<void> {
  const teller = new Teller(cli, workload)
  teller.say(`${cli.paint.bold(workload.id)} (${workload.spec.name}) submitted`)
  const signal = cli.io.interrupt()
  try {
    if (await tellUntilOver(client, workload, teller, signal)) return await conclude(cli, client, workload.id)
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error
    teller.clear()
    cli.note(
      `${workload.id} goes on; banyan logs -f ${workload.id} shows its output, banyan stop ${workload.id} ends it.`,
    )
    throw error
  }
}

async function tellUntilOver(
  client: Client,
  { id, spec }: WorkloadView,
  teller: Teller,
  signal: AbortSignal,
): Promise<boolean> {
  for await (const { data } of client.followEvents({ workload: id, after: 0 }, { signal })) {
    teller.tell(data)
    const event = knownEventOf(data)
    if (event?.kind === 'workload-finished') return true
    if (event?.kind === 'replica-readiness' && event.ready && spec.type === 'serve') {
      const { readyReplicas = 0 } = await client.getWorkload({ id })
      if (readyReplicas >= spec.replicas) return true
    }
  }
  return false
}

async function conclude(cli: Cli, client: Client, id: string): Promise<void> {
  const workload = await client.getWorkload({ id })
  if (cli.isJson) cli.print(workload, () => '')
  if (!isFinal(workload.state)) {
    if (workload.spec.type === 'serve') cli.note(`Serving. Next: banyan chat ${workload.spec.model}`)
    return
  }
  if (workload.state !== 'succeeded') {
    const reason = workload.stateReason === '' ? '' : `: ${workload.stateReason}`
    throw new CliFailure(
      'workload-failed',
      `${id} ${workload.state}${reason}`,
      `Next: banyan show ${id}, banyan logs ${id}, banyan resubmit ${id}`,
    )
  }
}

/** Writes what happens as lines, and what goes on as one line that is written over. */
class Teller {
  readonly #cli: Cli
  readonly #workload: WorkloadView
  readonly #pace = new Pace()
  #savedStep: number | undefined
  #toldProgressAt = Number.NEGATIVE_INFINITY

  constructor(cli: Cli, workload: WorkloadView) {
    this.#cli = cli
    this.#workload = workload
  }

  tell(logged: LoggedEventView): void {
    const event = knownEventOf(logged)
    if (!event || event.kind === 'workload-submitted') return
    if (event.kind === 'attempt-progressed') {
      this.#pace.add(event.progress)
      this.#progress(logged.at)
      // Each report names the newest checkpoint again.
      if (event.checkpoint === undefined || event.checkpoint.step === this.#savedStep) return
      this.#savedStep = event.checkpoint.step
    }
    // How it failed is told as the command's own error.
    if (event.kind === 'workload-finished' && event.state !== 'succeeded') return
    if (event.kind === 'attempt-planned') this.#pace.reset()
    this.say(`${this.#cli.paint.dim(clockTime(logged.at, this.#cli.now()))} ${this.#words(logged)}`)
  }

  #words(logged: LoggedEventView): string {
    const event = knownEventOf(logged)
    if (event?.kind === 'attempt-progressed') return `checkpoint at step ${event.checkpoint?.step}`
    const text = describeEvent(logged)
    if (event?.kind === 'workload-finished') return this.#cli.paint.green(text)
    if (event?.kind === 'attempt-ended' && event.failure) return this.#cli.paint.red(text)
    return text
  }

  say(line: string): void {
    if (this.#cli.isJson) return
    this.clear()
    this.#cli.io.out(`${line}\n`)
  }

  clear(): void {
    if (this.#isLive) this.#cli.io.out('\r\u001b[K')
  }

  get #isLive(): boolean {
    return this.#cli.io.isTerminal && !this.#cli.isJson
  }

  #progress(at: number): void {
    const line = this.#progressLine()
    if (this.#isLive) this.#cli.io.out(`\r\u001b[K${line.slice(0, this.#cli.io.columns - 1)}`)
    else if (at - this.#toldProgressAt >= QUIET_MS) {
      this.#toldProgressAt = at
      this.say(line)
    }
  }

  #progressLine(): string {
    const { latest, stepsPerSecond, tokensPerSecond, remainingMs } = this.#pace
    if (!latest) return ''
    const total = latest.totalSteps === undefined ? '' : `/${latest.totalSteps}`
    return [
      this.#workload.id,
      `step ${latest.step}${total}`,
      latest.loss === undefined ? '' : `loss ${lossText(latest.loss)}`,
      tokensPerSecond === undefined ? '' : `${rate(tokensPerSecond)} tokens/s`,
      tokensPerSecond !== undefined || stepsPerSecond === undefined ? '' : `${rate(stepsPerSecond)} steps/s`,
      remainingMs === undefined ? '' : `ETA ${formatDuration(Math.round(remainingMs / 1000) * 1000)}`,
    ]
      .filter(Boolean)
      .join('  ')
  }
}

function rate(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toPrecision(3)}M`
  if (value >= 1e4) return `${(value / 1e3).toPrecision(3)}k`
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3)
}
