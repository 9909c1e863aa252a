import { spawn } from 'node:child_process'
import { createWriteStream, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Suite } from './suites.ts'
import { judge, type Tally, tallyInOutput, tallyInVitestReport } from './tally.ts'

export interface SuiteEnd {
  readonly tally: Tally
  readonly logFile: string
}

const LIMIT_MINUTES = 10

/** Runs the suite in a process group of its own, with all its output in a log file; `heard` gets each last line. */
export async function runSuite(
  suite: Suite,
  folder: string,
  heard: (line: string) => void,
): Promise<SuiteEnd> {
  mkdirSync(folder, { recursive: true })
  const logFile = join(folder, `${suite.name}.log`)
  const reportFile = join(folder, `${suite.name}.json`)
  rmSync(reportFile, { force: true })
  const exitCode = await run(suite, [...suite.command, ...reporting(suite, reportFile)], logFile, heard)
  return { tally: judge(exitCode, countedBy(suite, logFile, reportFile)), logFile }
}

function reporting(suite: Suite, reportFile: string): string[] {
  return suite.counts === 'vitest'
    ? ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`]
    : []
}

function countedBy(suite: Suite, logFile: string, reportFile: string): Tally | undefined {
  switch (suite.counts) {
    case 'one':
      return undefined
    case 'line':
      return tallyInOutput(readFileSync(logFile, 'utf8'))
    case 'vitest':
      return existsSync(reportFile) ? tallyInVitestReport(readFileSync(reportFile, 'utf8')) : undefined
  }
}

function run(
  suite: Suite,
  [program = '', ...words]: readonly string[],
  logFile: string,
  heard: (line: string) => void,
): Promise<number | null> {
  const { FORCE_COLOR: _, ...inherited } = process.env
  const path = [join(process.cwd(), 'node_modules/.bin'), process.env.PATH].join(delimiter)
  const log = createWriteStream(logFile)
  const child = spawn(program, words, {
    detached: true,
    env: { ...inherited, NO_COLOR: '1', PATH: path },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const end = () => endGroup(child.pid)
  const limitMinutes = suite.limitMinutes ?? LIMIT_MINUTES
  const limit = setTimeout(() => {
    log.write(`\nended by verify: still running after ${limitMinutes} minutes\n`)
    end()
  }, limitMinutes * 60_000)
  process.once('exit', end)
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      log.write(chunk)
      const line = chunk.trimEnd().split('\n').at(-1)?.trim()
      if (line) heard(line)
    })
  }
  child.once('error', (error) => log.write(`cannot run ${program}: ${error.message}\n`))
  child.once('exit', end)
  return new Promise((resolve) => {
    child.once('close', (code) => {
      clearTimeout(limit)
      process.off('exit', end)
      log.end(() => resolve(code))
    })
  })
}

/** Ends what the suite left behind too, so that nothing disturbs the next one or holds its output open. */
function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // The group has ended by itself.
  }
}
