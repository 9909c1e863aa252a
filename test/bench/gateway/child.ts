import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const started: ChildProcess[] = []

/** The first line that a program of this folder prints, once it has printed it. The program ends with `endAll`. */
export async function firstLineOf(program: string, args: readonly string[]): Promise<string> {
  const file = fileURLToPath(new URL(program, import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', file, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  started.push(child)
  const gone = once(child, 'exit').then(([code]) => {
    throw new Error(`${program} ended with ${String(code)} before it said anything`)
  })
  const [line] = (await Promise.race([once(createInterface({ input: child.stdout }), 'line'), gone])) as [
    string,
  ]
  return line
}

export function endAll(): void {
  for (const child of started) child.kill('SIGKILL')
}

/** Tells the parent where this program listens. */
export function announce(server: Server): void {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
}
