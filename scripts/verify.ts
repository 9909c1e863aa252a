import { parseArgs } from 'node:util'
import { ensureServices } from './debian-service.ts'
import { SUITES, type Suite } from './verify/suites.ts'
import { verify } from './verify/verify.ts'

const HELP = `npm run verify -- [--only NAME[,NAME]] [--list]

Runs every suite of scripts/verify/suites.ts, one after another, and then reports. Logs: .cache/verify/.
With CI=true a skipped test counts as failed.`

const HEARTBEAT_MS = 30_000

process.exitCode = await main()

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { only: { type: 'string' }, list: { type: 'boolean' }, help: { type: 'boolean' } },
  })
  if (values.help) console.log(HELP)
  if (values.list)
    for (const { name, command } of SUITES) console.log(`${name.padEnd(14)} ${command.join(' ')}`)
  if (values.help || values.list) return 0
  const suites = chosen(values.only)
  if (suites === undefined) return 2

  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
  const needed = [...new Set(suites.flatMap(({ needs }) => needs ?? []))]
  const missing = await ensureServices(needed, console.log)
  const line = progressLine()
  const mustRunAll = process.env.CI === 'true'
  const isGood = await verify(suites, { mustRunAll, missing, folder: '.cache/verify', ...line })
  line.close()
  return isGood ? 0 : 1
}

function chosen(only: string | undefined): readonly Suite[] | undefined {
  if (only === undefined) return SUITES
  const names = only.split(',')
  const unknown = names.filter((name) => !SUITES.some((suite) => suite.name === name))
  if (unknown.length === 0) return SUITES.filter(({ name }) => names.includes(name))
  console.error(`no suite ${unknown.join(', ')}; there are ${SUITES.map(({ name }) => name).join(', ')}`)
  return undefined
}

/** What runs now: kept on one line of a terminal, and said every half minute where there is none. */
function progressLine() {
  const { isTTY, columns } = process.stdout
  let latest = ''
  const erase = () => isTTY && process.stdout.write('\r\x1b[K')
  const heartbeat = setInterval(() => !isTTY && console.log(`       ${latest.slice(0, 100)}`), HEARTBEAT_MS)
  return {
    say: (line: string) => {
      erase()
      console.log(line)
    },
    show: (line: string) => {
      latest = line
      erase()
      if (isTTY) process.stdout.write(`       ${latest.slice(0, columns - 8)}`)
    },
    close: () => clearInterval(heartbeat),
  }
}
