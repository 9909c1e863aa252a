import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import pc from 'picocolors'
import type { AttemptView, Client, LoggedEventView } from '../../src/api/index.ts'
import { formatDuration } from '../../src/base/index.ts'
import type { Narrator } from './narrator.ts'
import { stopEarlier } from './stop-earlier.ts'
import { findWorker } from './worker-process.ts'

export interface Training {
  readonly workload: string
  readonly attempts: number
  readonly steps: number
  readonly firstLoss: number
  readonly lastLoss: number
  /** Steps that were done twice because of the kill. */
  readonly stepsLost: number
  readonly slotHours: number
  readonly lostSlotHours: number
}

interface Options {
  readonly client: Client
  readonly narrator: Narrator
  readonly root: string
  readonly checkpointDir: string
  readonly workers: number
  readonly steps: number
}

interface ProgressNow {
  readonly at: number
  readonly step: number
  readonly totalSteps: number
  readonly loss: number
  readonly tokens: number
}

const GPU_MS_PER_HOUR = 3_600_000
const EXAMPLE = 'examples/tiny-gpt'

/** Trains the example's model, kills one worker once half the steps are done and saved, and follows it to its end. */
export async function trainWithAccident(options: Options): Promise<Training> {
  const { client, narrator, workers, steps } = options
  await stopEarlier(client, narrator)
  const workload = await submit(options)
  narrator.say(
    `${workload}: ${EXAMPLE}/train.yaml, ${workers} workers, ${steps} steps, with a real all-reduce`,
  )

  const follower = new Follower(options, workload)
  for await (const { data } of client.followEvents({ workload, after: 0 })) {
    if (await follower.take(data)) break
  }
  const final = await client.getWorkload({ id: workload })
  if (final.state !== 'succeeded') {
    throw new Error(
      `the training ${final.state}: ${final.stateReason}\nIts log: npm run banyan logs ${workload}`,
    )
  }
  const attempts = await client.listAttempts({ id: workload })
  narrator.say(`${pc.green('done')}: step ${final.progress?.step}, loss ${final.progress?.loss?.toFixed(3)}`)
  return {
    workload,
    attempts: attempts.items.length,
    steps: final.progress?.step ?? 0,
    firstLoss: final.firstLoss ?? Number.NaN,
    lastLoss: final.progress?.loss ?? Number.NaN,
    stepsLost: attempts.items.reduce((lost, attempt) => lost + stepsLostBy(attempt), 0),
    slotHours: final.usage.held / GPU_MS_PER_HOUR,
    lostSlotHours: final.usage.lost / GPU_MS_PER_HOUR,
  }
}

async function submit({ client, root, checkpointDir, workers, steps }: Options): Promise<string> {
  const file = join(root, EXAMPLE, 'train.yaml')
  const submitted = await client.submitWorkload({
    spec: await readFile(file, 'utf8'),
    file,
    folder: join(root, EXAMPLE),
    set: {
      gpus: `${workers}`,
      run: JSON.stringify(`node train.js --steps ${steps}`),
      'checkpoint.path': JSON.stringify(checkpointDir),
    },
  })
  const [workload] = submitted.workloads
  if (!workload) throw new Error('the server took the submission but names no workload')
  return workload.id
}

/** What an attempt that was broken off had done since its last checkpoint. */
function stepsLostBy(attempt: AttemptView): number {
  if (attempt.outcome === 'succeeded') return 0
  const saved = attempt.checkpoint?.step ?? attempt.resumedFromStep ?? 0
  return Math.max(0, (attempt.progress?.step ?? saved) - saved)
}

/** Turns the workload's events into what a person sees, and does the killing. */
class Follower {
  readonly #options: Options
  readonly #workload: string
  #first: ProgressNow | undefined
  #last: ProgressNow | undefined
  #saved = 0
  #killed = false

  constructor(options: Options, workload: string) {
    this.#options = options
    this.#workload = workload
  }

  /** True when the workload is final. */
  async take({ event }: LoggedEventView): Promise<boolean> {
    const { narrator } = this.#options
    switch (event.kind) {
      case 'attempt-planned':
        this.#first = undefined
        narrator.say(
          `attempt ${pc.bold(String(event.attempt))} starts${this.#saved > 0 ? ` from the checkpoint of step ${this.#saved}` : ''}`,
        )
        return false
      case 'attempt-progressed':
        await this.#progressed(event as unknown as ProgressedEvent)
        return false
      case 'attempt-ended':
        this.#ended(event as unknown as EndedEvent)
        return false
      case 'workload-finished':
        narrator.endLine()
        return true
      default:
        return false
    }
  }

  async #progressed({ attempt, progress, checkpoint }: ProgressedEvent): Promise<void> {
    this.#first ??= progress
    this.#last = progress
    if (checkpoint) this.#saved = checkpoint.step
    this.#options.narrator.progress(progressLine(progress, this.#first))
    const enough = progress.step >= this.#options.steps / 2 && progress.step > this.#saved
    if (this.#killed || !enough || this.#saved === 0) return
    this.#killed = true
    const rank = this.#options.workers - 1
    const pid = await findWorker(this.#options.client, this.#workload, attempt, rank)
    this.#options.narrator.say(pc.yellow(`kill -9 ${pid}: worker ${rank}, at step ${progress.step}`))
    process.kill(pid, 'SIGKILL')
  }

  #ended({ attempt, outcome, failure }: EndedEvent): void {
    const { narrator } = this.#options
    if (!failure) return
    narrator.say(
      `attempt ${pc.bold(attempt)} ended: ${pc.red(outcome)}, ${failure.class}: ${failure.message}`,
    )
    const done = this.#last?.step ?? 0
    narrator.say(`the gang restarts from step ${this.#saved}; ${done - this.#saved} steps are lost`)
  }
}

interface ProgressedEvent {
  readonly attempt: string
  readonly progress: ProgressNow
  readonly checkpoint?: { readonly step: number }
}

interface EndedEvent {
  readonly attempt: string
  readonly outcome: string
  readonly failure?: { readonly class: string; readonly message: string }
}

function progressLine(now: ProgressNow, first: ProgressNow): string {
  const elapsedMs = now.at - first.at
  const known = elapsedMs > 0 && now.step > first.step
  const rate = known
    ? `${Math.round((now.tokens - first.tokens) / (elapsedMs / 1000))} tokens/s`
    : '... tokens/s'
  const left = known
    ? formatDuration((elapsedMs / (now.step - first.step)) * (now.totalSteps - now.step))
    : '...'
  return `step ${now.step}/${now.totalSteps}  loss ${now.loss.toFixed(3)}  ${rate}  ETA ${left}`
}
