import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { DurationMs } from '../../base/index.ts'
import { shellQuoted } from './shell-quoted.ts'

export interface Command {
  readonly program: string
  readonly words: readonly string[]
  readonly input: string
  /** All of its environment. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** After so long it is ended. */
  readonly patienceMs: DurationMs
}

export interface Ended {
  /** As a shell has it: 127 when there is no such program, 124 when it was ended after its patience. */
  readonly code: number
  readonly output: string
  readonly trouble: string
}

/**
 * Runs programs from one small shell that it keeps. A fork copies the page tables of the process that forks and holds
 * it up meanwhile: 24 ms each from a server with the embedded database, under 1 ms from a shell.
 */
export class CommandShell {
  readonly #waiting = new Map<number, { done: (code: number) => void; fail: (error: Error) => void }>()
  #folder: string | undefined
  #shell: ChildProcess | undefined
  #commands = 0

  /** Rejects when no shell can be had, or when it is gone before the program has ended. */
  async run({ program, words, input, environment, patienceMs }: Command): Promise<Ended> {
    const shell = this.#open()
    const number = ++this.#commands
    const [output, trouble] = ['out', 'err'].map((kind) => join(this.#folder ?? '', `${number}.${kind}`))
    // As assignments, not by `env`: nobody may read a token from a command line.
    const variables = Object.entries(environment).flatMap(([name, value]) =>
      value === undefined || !/^[A-Za-z_]\w*$/.test(name) ? [] : `${name}=${shellQuoted(value)}`,
    )
    const command = ['timeout', String(patienceMs / 1000), program, ...words].map(shellQuoted)
    const files = [`>${shellQuoted(output!)}`, `2>${shellQuoted(trouble!)}`]
    const line = [...variables, ...command, ...files].join(' ')
    const ended = new Promise<number>((done, fail) => this.#waiting.set(number, { done, fail }))
    shell.stdin?.write(`{ printf %s ${shellQuoted(input)} | ${line}; echo ${number} $?; } &\n`)
    const code = await ended
    const [said, complained] = await Promise.all([output!, trouble!].map((path) => readFile(path, 'utf8')))
    await Promise.all([output!, trouble!].map((path) => rm(path, { force: true })))
    return { code, output: said!, trouble: complained! }
  }

  close(): void {
    this.#shell?.stdin?.end()
    this.#shell = undefined
  }

  #open(): ChildProcess {
    if (this.#shell) return this.#shell
    const folder = mkdtempSync(join(tmpdir(), 'banyan-slurm-commands-'))
    this.#folder = folder
    const shell = spawn('/bin/sh', [], { env: {}, stdio: ['pipe', 'pipe', 'ignore'] })
    this.#shell = shell
    // It sees the end of this process, however that comes.
    shell.stdin.write(`trap ${shellQuoted(`rm -rf ${shellQuoted(folder)}`)} EXIT\n`)
    const gone = (error: Error) => {
      if (this.#shell === shell) this.#shell = undefined
      for (const { fail } of this.#waiting.values()) fail(error)
      this.#waiting.clear()
    }
    shell.once('error', gone)
    shell.once('exit', () => gone(new Error('the shell that runs Slurm’s commands has ended')))
    shell.stdin.on('error', () => {})
    createInterface({ input: shell.stdout }).on('line', (line) => {
      const [number, code] = line.split(' ').map(Number)
      this.#waiting.get(number!)?.done(code!)
      this.#waiting.delete(number!)
    })
    return shell
  }
}
