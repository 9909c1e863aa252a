import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, vi } from 'vitest'

export interface GangTask {
  readonly child: ChildProcess
  readonly end: Promise<{ code: number | null; signal: NodeJS.Signals | null; out: string; err: string }>
}

interface GangOptions {
  readonly program: string
  readonly args: readonly string[]
  readonly size: number
  readonly attempt: number
  /** Holds the progress file and the checkpoints, across attempts. */
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
}

interface ProgressLine {
  readonly step: number
  readonly totalSteps: number
  readonly loss: number
  readonly tokens: number
  readonly checkpoint?: string
  readonly stepMs: number
  /** By rank. */
  readonly computeMs: readonly number[]
}

const started: ChildProcess[] = []

/** Starts the workers of a trainer as an engine would, with the same variables. */
export async function startGang({
  program,
  args,
  size,
  attempt,
  folder,
  env,
}: GangOptions): Promise<GangTask[]> {
  const port = await freePort()
  return Array.from({ length: size }, (_, rank) => {
    const given = {
      ...env,
      RANK: String(rank),
      LOCAL_RANK: String(rank),
      WORLD_SIZE: String(size),
      MASTER_ADDR: '127.0.0.1',
      MASTER_PORT: String(port),
      BANYAN_WORKLOAD_ID: 'w1',
      BANYAN_ATTEMPT: String(attempt),
      BANYAN_CHECKPOINT_DIR: join(folder, 'checkpoints'),
      BANYAN_PROGRESS_FILE: join(folder, 'progress'),
    }
    const child = spawn(program, args, { env: given, stdio: ['ignore', 'pipe', 'pipe'] })
    started.push(child)
    const exit = Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)])
    return { child, end: exit.then(([[code, signal], out, err]) => ({ code, signal, out, err })) }
  })
}

export function killStarted(): void {
  for (const child of started.splice(0)) child.kill('SIGKILL')
}

export function endsOf(gang: readonly GangTask[]): Promise<readonly Awaited<GangTask['end']>[]> {
  return Promise.all(gang.map(({ end }) => end))
}

/** What rank 0 has said so far, over all attempts. */
export function progressIn(folder: string): ProgressLine[] {
  const file = join(folder, 'progress')
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1)
  return lines.map((line) => JSON.parse(line) as ProgressLine)
}

/** Every line tells how long each rank computed, which is a part of its step; the steps of others begin at other moments. */
export function expectTimesOfRanks(lines: readonly ProgressLine[], size: number): void {
  for (const { step, stepMs, computeMs } of lines) {
    expect(computeMs, `ranks of step ${step}`).toHaveLength(size)
    expect(Math.min(...computeMs)).toBeGreaterThan(0)
    expect(computeMs[0]).toBeLessThanOrEqual(stepMs)
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** A new folder with a text to train on. */
export function aTextFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `${name}-`))
  writeFileSync(join(folder, 'text.md'), 'The quick brown fox jumps over the lazy dog.\n'.repeat(50))
  return folder
}

/** Resolves when the gang of the folder has reported this step. */
export async function reaches(folder: string, step: number, timeout: number): Promise<void> {
  const last = () => progressIn(folder).at(-1)?.step ?? 0
  await vi.waitFor(() => expect(last()).toBeGreaterThanOrEqual(step), { timeout })
}
