import pc from 'picocolors'

/** Tells a person what happens: titles, lines, and one line that is rewritten in place on a terminal. */
export class Narrator {
  readonly #out: NodeJS.WriteStream
  #live = false
  #lastPlainAt = 0

  constructor(out: NodeJS.WriteStream) {
    this.#out = out
  }

  title(text: string): void {
    this.endLine()
    this.#out.write(`\n${pc.bold(text)}\n`)
  }

  say(text: string): void {
    this.endLine()
    this.#out.write(`${text}\n`)
  }

  /** Pairs in two columns. */
  facts(rows: readonly (readonly [string, string])[]): void {
    const width = Math.max(...rows.map(([name]) => name.length))
    for (const [name, value] of rows) this.say(`  ${pc.dim(name.padEnd(width))}  ${value}`)
  }

  /** Progress: rewritten in place on a terminal, a line every few seconds elsewhere. */
  progress(text: string): void {
    if (this.#out.isTTY) {
      this.#out.write(`\r\x1b[2K  ${text}`)
      this.#live = true
    } else if (Date.now() - this.#lastPlainAt >= 5_000) {
      this.#lastPlainAt = Date.now()
      this.#out.write(`  ${text}\n`)
    }
  }

  /** A piece of streamed text, as it comes. */
  piece(text: string): void {
    this.#out.write(text)
    this.#live = true
  }

  endLine(): void {
    if (this.#live) this.#out.write('\n')
    this.#live = false
  }
}
