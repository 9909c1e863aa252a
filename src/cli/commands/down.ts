import { setTimeout as pause } from 'node:timers/promises'
import type { Client, WorkloadView } from '../../api/index.ts'
import type { Cli } from '../cli.ts'
import { CliFailure } from '../failure.ts'
import { isAlive } from '../local/process-alive.ts'
import type { LocalServer } from '../local/server-file.ts'
import { counted } from '../render/values.ts'
import { LIVE_STATES } from './states.ts'
import { runningServer } from './up.ts'

const POLL_MS = 100
const PATIENCE_MS = 60_000

/** Ends the server of the data folder; what runs goes on, unless it is to be stopped first. */
export async function down(cli: Cli, options: { readonly stopWork?: boolean }): Promise<void> {
  const server = await runningServer(cli)
  if (!server) {
    cli.print({ stopped: false, url: null, running: [] }, () => `No Banyan server runs from ${cli.dataDir}.`)
    return
  }
  const client = await cli.client()
  if (options.stopWork) await stopEverything(cli, client)
  const live = await liveWorkloads(client).catch(() => undefined)
  const running = live?.filter(({ liveAttempts }) => liveAttempts.length > 0) ?? []
  await end(cli, server)
  cli.print({ stopped: true, url: server.url, running: running.map(({ id }) => id) }, () =>
    ['Banyan is down.', ...workLeft(live, running)].join('\n'),
  )
}

function workLeft(live: readonly WorkloadView[] | undefined, running: readonly WorkloadView[]): string[] {
  if (!live) return ['It did not say what still runs; what runs goes on.']
  if (running.length === 0) return []
  const names = running.slice(0, 5).map(({ id, spec }) => `${id} (${spec.name})`)
  const more = running.length > names.length ? ` and ${running.length - names.length} more` : ''
  return [
    `${counted(running.length, 'workload')} ${running.length === 1 ? 'goes' : 'go'} on running: ${names.join(', ')}${more}.`,
    '`banyan up` takes up where this server left; `banyan down --stop-work` would have stopped them.',
  ]
}

async function liveWorkloads(client: Client): Promise<WorkloadView[]> {
  const found: WorkloadView[] = []
  let cursor: string | undefined
  do {
    const page = await client.listWorkloads({ state: [...LIVE_STATES], limit: 1000, cursor })
    found.push(...page.items)
    cursor = page.next
  } while (cursor !== undefined)
  return found
}

async function stopEverything(cli: Cli, client: Client): Promise<void> {
  const live = await liveWorkloads(client)
  if (live.length === 0) return
  cli.note(`Stopping ${counted(live.length, 'workload')} ...`)
  for (const { id, state } of live) {
    if (state !== 'stopping') await client.stopWorkload({ id }).catch(() => undefined)
  }
  const signal = cli.io.interrupt()
  while ((await liveWorkloads(client)).length > 0) await pause(POLL_MS * 3, undefined, { signal })
}

async function end(cli: Cli, server: LocalServer): Promise<void> {
  try {
    process.kill(server.pid, 'SIGTERM')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ESRCH') return
    throw new CliFailure(
      'not-allowed',
      `cannot end process ${server.pid}: it belongs to another user`,
      'Ask the user who started it.',
    )
  }
  const begun = cli.io.now()
  while (isAlive(server)) {
    if (cli.io.now() - begun > PATIENCE_MS) {
      throw new CliFailure(
        'internal',
        `process ${server.pid} still runs a minute after it was told to end`,
        `kill -9 ${server.pid} ends it; nothing that was acknowledged is lost by that.`,
      )
    }
    await pause(POLL_MS)
  }
}
