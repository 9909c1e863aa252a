import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'

/** The server's CPU as a share of one core. */
export interface ServerCpu {
  readonly serverCpuIdle: number
  /** What one viewer of the machine costs more, alone and as one of fifty. */
  readonly serverCpuOneViewer: number
  readonly serverCpuPerViewer: number
}

const VIEWERS = 50
/** The twin's own work goes up and down: a measurement is the middle one of several. */
const ROUNDS = 3
const ROUND_MS = 8_000
/** Linux counts CPU time in hundredths of a second. */
const TICKS_PER_SECOND = 100

/** Measures with nobody, one and fifty following the machine, turn by turn. */
export async function serverCpu(pid: number, url: string, token: string): Promise<ServerCpu> {
  const idle: number[] = []
  const one: number[] = []
  const fifty: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    idle.push(await shareWith(0))
    one.push(await shareWith(1))
    fifty.push(await shareWith(VIEWERS))
  }
  const without = middle(idle)
  return {
    serverCpuIdle: rounded(without),
    serverCpuOneViewer: rounded(Math.max(0, middle(one) - without)),
    serverCpuPerViewer: rounded(Math.max(0, middle(fifty) - without) / VIEWERS),
  }

  async function shareWith(viewers: number): Promise<number> {
    const over = new AbortController()
    const streams = Array.from({ length: viewers }, () => follow(url, token, over.signal))
    // The whole machine comes first, once; what is asked about is what changes after.
    await Promise.all(streams.map(({ begun }) => begun))
    const cpuBefore = cpuSecondsOf(pid)
    const before = performance.now()
    await pause(ROUND_MS)
    const share = (cpuSecondsOf(pid) - cpuBefore) / ((performance.now() - before) / 1000)
    over.abort()
    await Promise.all(streams.map(({ ended }) => ended))
    return share
  }
}

interface Stream {
  /** Resolves when the first part has come. */
  readonly begun: Promise<void>
  readonly ended: Promise<void>
}

function follow(url: string, token: string, signal: AbortSignal): Stream {
  let begin = () => {}
  const begun = new Promise<void>((resolve) => {
    begin = resolve
  })
  const read = async () => {
    const response = await fetch(`${url}/v1/machine/stream`, {
      headers: { authorization: `Bearer ${token}` },
      signal,
    })
    for await (const chunk of response.body ?? []) if (chunk.length > 1_000) begin()
  }
  const ended = read().catch((error: unknown) => {
    begin()
    if (!signal.aborted) throw error
  })
  return { begun, ended }
}

/** CPU seconds of a process so far: fields 14 and 15 of /proc/PID/stat, after the name in brackets. */
function cpuSecondsOf(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

function rounded(value: number): number {
  return Math.round(value * 10_000) / 10_000
}

/** A share of a core as `3.2 %`. */
export function cpuShare(share: number): string {
  return `${Math.round(share * 1000) / 10} % of a core`
}
