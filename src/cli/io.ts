import { homedir } from 'node:os'
import { createInterface } from 'node:readline/promises'
import { text as textOf } from 'node:stream/consumers'

/** Everything of the outside that a command may touch; tests put their own in place. */
export interface Io {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  /** Whether a person looks at what `out` gets. */
  readonly isTerminal: boolean
  readonly hasColour: boolean
  /** Characters a line. */
  readonly columns: number
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly home: string
  readonly now: () => number
  /** Whether standard input is something other than a keyboard. */
  readonly isPiped: boolean
  readonly readInput: () => Promise<string>
  /** One line from the keyboard; undefined at its end. */
  readonly ask: (question: string) => Promise<string | undefined>
  /** Aborted by Ctrl-C; asking for it takes Ctrl-C over from Node's default. */
  readonly interrupt: () => AbortSignal
}

/** The terminal and process that the command was started in. */
export function processIo(): Io {
  const isTerminal = process.stdout.isTTY === true
  const { env } = process
  let interrupted: AbortController | undefined
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    isTerminal,
    hasColour: wantsColour(env, isTerminal),
    columns: Number(env.COLUMNS) || process.stdout.columns || 80,
    env,
    cwd: process.cwd(),
    home: homedir(),
    now: Date.now,
    isPiped: process.stdin.isTTY !== true,
    readInput: () => textOf(process.stdin),
    ask: askKeyboard,
    interrupt: () => {
      if (!interrupted) {
        const controller = new AbortController()
        interrupted = controller
        process.once('SIGINT', () => controller.abort(new Interrupted()))
      }
      return interrupted.signal
    },
  }
}

/** Ctrl-C while something went on that can be left alone. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
}

/** https://no-color.org, and FORCE_COLOR for pipes that want it. */
function wantsColour(env: Io['env'], isTerminal: boolean): boolean {
  if (env.NO_COLOR) return false
  if (env.FORCE_COLOR) return env.FORCE_COLOR !== '0'
  return isTerminal && env.TERM !== 'dumb'
}

/** Lines of one paste beyond the one that was asked for; the next questions get them. */
const pastedLines: string[] = []

async function askKeyboard(question: string): Promise<string | undefined> {
  const pasted = pastedLines.shift()
  if (pasted !== undefined) {
    process.stderr.write(`${question}${pasted}\n`)
    return pasted
  }
  const keyboard = createInterface({ input: process.stdin, output: process.stderr })
  keyboard.on('line', (line) => pastedLines.push(line))
  const ended = new Promise<undefined>((resolve) => keyboard.once('close', () => resolve(undefined)))
  try {
    return await Promise.race([keyboard.question(question), ended])
  } finally {
    keyboard.close()
  }
}
