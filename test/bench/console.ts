/**
 * What the console costs: frames and main-thread time while the machine changes at full speed, memory, bytes, the
 * server's CPU for its viewers, and the first load. A real server on the live twin, and Chromium without graphics
 * hardware.
 *
 *   npm run bench:console -- [--nodes 1563,12544] [--minutes 10] [--speed 600] [--json]
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
import { buildConsole } from '../../scripts/build-console.ts'
import { openBrowser } from '../browser/reader.ts'
import { ServerProcess } from '../server/server-process.ts'
import { type Looked, lookAt } from './console/look-at.ts'
import { cpuShare, type ServerCpu, serverCpu } from './console/server-cpu.ts'

const { values: args } = parseArgs({
  options: {
    nodes: { type: 'string', default: '1563,12544' },
    minutes: { type: 'string', default: '10' },
    speed: { type: 'string', default: '600' },
    json: { type: 'boolean', default: false },
  },
})

type Row = Looked &
  ServerCpu & { readonly nodes: number; readonly minutes: number; readonly loadAverage: number }

await buildConsole()
const rows: Row[] = []
for (const nodes of args.nodes.split(',').map(Number)) rows.push(await measure(nodes, Number(args.minutes)))
if (args.json) console.log(JSON.stringify(rows.length === 1 ? rows[0] : { rows }))
else print(rows)

async function measure(nodes: number, minutes: number): Promise<Row> {
  const dataDir = mkdtempSync(join(tmpdir(), 'banyan-bench-console-'))
  const flags = ['--twin', `nd-h100-v5:${nodes}`, '--speed', args.speed, '--history', '3h']
  const server = new ServerProcess({ dataDir, args: flags })
  const browser = await openBrowser()
  try {
    const url = await server.ready
    const looked = await lookAt(browser, url, server.token, minutes)
    await browser.close()
    const cpu = await serverCpu(server.pid, url, server.token)
    return { nodes, minutes, ...looked, ...cpu, loadAverage: round(loadavg()[0] ?? 0) }
  } finally {
    await browser.close()
    await server.end()
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 })
  }
}

function print(measured: readonly Row[]): void {
  const table = new Table({ head: ['', ...measured.map(({ nodes }) => `${nodes} nodes`)] })
  const lines: readonly (readonly [string, (row: Row) => string])[] = [
    ['frames a second', ({ fps }) => `${fps}`],
    ['main thread, ms a frame', ({ frameMs }) => `${frameMs}`],
    ['memory, MiB', ({ memoryMiB, minutes }) => `${memoryMiB} after ${minutes} min`],
    ['from the server, KiB/s', ({ bytesPerSecond }) => `${round(bytesPerSecond / 1024)}`],
    ['server, without viewers', ({ serverCpuIdle }) => cpuShare(serverCpuIdle)],
    ['server, more for 1 viewer', ({ serverCpuOneViewer }) => cpuShare(serverCpuOneViewer)],
    ['server, more for each of 50', ({ serverCpuPerViewer }) => cpuShare(serverCpuPerViewer)],
    ['first load, KB gzipped', ({ firstLoadGzKB }) => `${firstLoadGzKB}`],
    ['first machine, ms', ({ firstMachineMs }) => `${firstMachineMs}`],
  ]
  table.push(...lines.map(([name, of]) => [name, ...measured.map(of)]))
  console.log(table.toString())
  console.log(
    `${cpus().length} cores; load average ${measured.map(({ loadAverage }) => loadAverage).join(', ')}`,
  )
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
