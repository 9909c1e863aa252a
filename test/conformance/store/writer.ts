import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as pass } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** A process of its own that runs `writer-process.ts`. */
export class Writer {
  lastAcknowledged = 0
  readonly refusals: string[] = []
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  readonly #lines: string[] = []
  readonly #errors: string[] = []
  #heard: () => void = () => {}

  constructor(location: string, acknowledged: number, seed: number) {
    const script = fileURLToPath(new URL('./writer-process.ts', import.meta.url))
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', script, location, `${acknowledged}`, `${seed}`],
      {
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    this.#child = child
    this.#ended = once(child, 'close')
    createInterface({ input: child.stdout }).on('line', (line) => this.#hear(line))
    createInterface({ input: child.stderr }).on('line', (line) => this.#errors.push(line))
  }

  /** The next line that begins with one of these words; throws when the process ends before it says one. */
  async said(...words: string[]): Promise<string> {
    for (;;) {
      const line = this.#lines.shift()
      if (line === undefined) {
        const heard = new Promise<'heard'>((resolve) => {
          this.#heard = () => resolve('heard')
        })
        if ((await Promise.race([heard, this.#ended])) !== 'heard' && this.#lines.length === 0) {
          throw new Error(`the writer ended:\n${this.#errors.join('\n')}`)
        }
      } else if (words.some((word) => line.startsWith(word))) return line
    }
  }

  /** Kills it -9 after this time, which is part of the trial and not a wait for anything. */
  async killAfter(ms: number): Promise<void> {
    await pass(ms)
    this.#child.kill('SIGKILL')
    await this.#ended
    if (this.#errors.length > 0) throw new Error(`the writer failed:\n${this.#errors.join('\n')}`)
  }

  #hear(line: string): void {
    const [word, value] = line.split(' ')
    if (word === 'acked') this.lastAcknowledged = Number(value)
    if (word === 'refused') this.refusals.push(value ?? '')
    this.#lines.push(line)
    this.#heard()
  }
}
