import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildConsole } from '../../scripts/build-console.ts'
import { openBrowser } from '../browser/reader.ts'
import { ServerProcess } from '../server/server-process.ts'
import { type Looked, lookAt } from './console/look-at.ts'
import { cpuShare, type ServerCpu, serverCpu } from './console/server-cpu.ts'
import { benchOptions } from './options.ts'
import { benchTable } from './table.ts'

const HELP = `npm run bench:console -- [--nodes 1563,12544] [--minutes 10] [--speed 600] [--json]

What the console costs: frames and main-thread time while the machine changes at full speed, memory, bytes, the
server's CPU for its viewers, and the first load. A real server on the live twin, and Chromium without graphics
hardware.`

const options = benchOptions(HELP, { nodes: [1_563, 12_544], minutes: 10, speed: 600 })

type Row = Looked &
  ServerCpu & { readonly nodes: number; readonly minutes: number; readonly loadAverage: number }

await buildConsole()
const rows: Row[] = []
for (const nodes of options.nodes) rows.push(await measure(nodes, options.minutes))
if (options.json) console.log(JSON.stringify(rows.length === 1 ? rows[0] : { rows }))
else print(rows)

async function measure(nodes: number, minutes: number): Promise<Row> {
  const dataDir = mkdtempSync(join(tmpdir(), 'banyan-bench-console-'))
  const flags = ['--twin', `nd-h100-v5:${nodes}`, '--speed', `${options.speed}`, '--history', '3h']
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
  const titles = ['', ...measured.map(({ nodes }) => `${nodes} nodes`)]
  console.log(
    benchTable(
      titles,
      lines.map(([name, of]) => [name, ...measured.map(of)]),
    ),
  )
  console.log(
    `${cpus().length} cores; load average ${measured.map(({ loadAverage }) => loadAverage).join(', ')}`,
  )
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
