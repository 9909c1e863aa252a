import type { Io } from './io.ts'

/** A terminal that keeps what it is told. */
export interface TestIo extends Io {
  readonly written: { out: string; err: string }
}

const NOW = Date.UTC(2026, 10, 24, 12)

export function aTerminal(changes: Partial<Io> = {}): TestIo {
  const written = { out: '', err: '' }
  return {
    written,
    out: (text) => {
      written.out += text
    },
    err: (text) => {
      written.err += text
    },
    isTerminal: false,
    hasColour: false,
    columns: 80,
    env: {},
    cwd: '/',
    home: '/nowhere',
    now: () => NOW,
    isPiped: true,
    readInput: async () => '',
    ask: async () => undefined,
    interrupt: () => new AbortController().signal,
    ...changes,
  }
}
