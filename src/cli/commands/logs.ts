import type { Client, LogChunkView } from '../../api/index.ts'
import { type Allocation, taskCount } from '../../model/index.ts'
import type { Cli } from '../cli.ts'
import { CliFailure } from '../failure.ts'

export interface LogsOptions {
  readonly follow?: boolean
  readonly attempt?: number
  readonly task?: number
  readonly tail?: number
}

/** Enough for this many lines of usual length; a longer line is shown from somewhere in its middle. */
const BYTES_PER_LINE = 200

/** Prints the logs of a workload's tasks; with more than one task each line begins with its rank. */
export async function logs(cli: Cli, id: string, options: LogsOptions): Promise<void> {
  const client = await cli.client()
  if (options.follow) return followLogs(cli, client, id, options)
  const workload = await client.getWorkload({ id })
  const attempts = (await client.listAttempts({ id: workload.id })).items
  const attempt =
    options.attempt === undefined
      ? attempts.at(-1)
      : attempts.find(({ number }) => number === options.attempt)
  if (!attempt) {
    throw new CliFailure(
      'not-found',
      options.attempt === undefined
        ? `${workload.id} has not started yet: it is ${workload.state}`
        : `${workload.id} has no attempt ${options.attempt}; it has had ${attempts.length}`,
      options.attempt === undefined
        ? `banyan explain ${workload.id} says why; logs -f waits for it.`
        : undefined,
    )
  }
  const tasks = Array.from(
    { length: taskCount(workload.spec.program, attempt.allocation as Allocation) },
    (_, rank) => rank,
  )
  const wanted = options.task === undefined ? tasks : [options.task]
  const printer = new LogPrinter(cli, wanted.length > 1)
  for (const task of wanted) {
    const where = { id: workload.id, attempt: attempt.number, task }
    let from = options.tail === undefined ? 0 : -(options.tail * BYTES_PER_LINE)
    for (;;) {
      const chunk = await client.readLog({ ...where, from })
      printer.print(options.tail === undefined ? chunk : lastLines(chunk, options.tail))
      if (chunk.next === chunk.from || chunk.ended || options.tail !== undefined) break
      from = chunk.next
    }
    printer.endLines()
  }
}

async function followLogs(cli: Cli, client: Client, id: string, options: LogsOptions): Promise<void> {
  const { attempt, task, tail } = options
  const { spec, liveAttempts } = await client.getWorkload({ id })
  const signal = cli.io.interrupt()
  const printer = new LogPrinter(cli, task === undefined && mayHaveManyTasks(spec, liveAttempts.length))
  const query = { id, attempt, task, tail: tail === undefined ? undefined : tail * BYTES_PER_LINE }
  for await (const event of client.followLog(query, { signal })) {
    if (event.type === 'log') printer.print(event.data)
    else {
      printer.endLines()
      cli.note(cli.paint.dim(`(${event.data.reason})`))
    }
  }
}

function mayHaveManyTasks(
  { resources: { shape }, type }: { resources: { shape: { kind: string; gpus?: number } }; type: string },
  liveAttempts: number,
): boolean {
  if (type === 'serve' && liveAttempts > 1) return true
  return shape.kind === 'nodes' || (shape.kind === 'gpus' && (shape.gpus ?? 1) > 1)
}

function lastLines(chunk: LogChunkView, count: number): LogChunkView {
  const ends = chunk.text.endsWith('\n')
  const lines = chunk.text.split('\n')
  const kept = lines.slice(-(count + (ends ? 1 : 0)))
  return { ...chunk, text: kept.join('\n') }
}

/** Prints chunks of several logs without tearing lines: a line is held back until it is whole. */
class LogPrinter {
  readonly #cli: Cli
  readonly #isPrefixed: boolean
  readonly #rest = new Map<string, string>()
  #attempt: string | undefined

  constructor(cli: Cli, isPrefixed: boolean) {
    this.#cli = cli
    this.#isPrefixed = isPrefixed
  }

  print(chunk: LogChunkView): void {
    if (this.#cli.isJson) {
      this.#cli.io.out(`${JSON.stringify(chunk)}\n`)
      return
    }
    this.#announce(chunk.attempt)
    if (!this.#isPrefixed) {
      this.#cli.io.out(chunk.text)
      return
    }
    const prefix = `[${chunk.task}] `
    const lines = ((this.#rest.get(prefix) ?? '') + chunk.text).split('\n')
    this.#rest.set(prefix, lines.pop() ?? '')
    for (const line of lines) this.#cli.io.out(`${this.#cli.paint.dim(prefix)}${line}\n`)
  }

  /** Prints what was held back because its line had not ended. */
  endLines(): void {
    for (const [prefix, rest] of this.#rest) {
      if (rest !== '') this.#cli.io.out(`${this.#cli.paint.dim(prefix)}${rest}\n`)
    }
    this.#rest.clear()
  }

  #announce(attempt: string): void {
    if (this.#attempt !== undefined && this.#attempt !== attempt) {
      this.endLines()
      this.#cli.note(this.#cli.paint.dim(`(${attempt})`))
    }
    this.#attempt = attempt
  }
}
