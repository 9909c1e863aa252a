import type { ServerVersion } from '../../api/index.ts'
import { formatDuration } from '../../base/index.ts'
import type { Cli } from '../cli.ts'
import { CliFailure } from '../failure.ts'
import { renderPairs } from '../render/table.ts'
import { cliVersion } from '../version.ts'

/** Versions of this command and of the server, and what cluster the server has. */
export async function version(cli: Cli): Promise<void> {
  const server = await cli
    .client()
    .then((client) => client.getVersion())
    .catch((error: unknown) => {
      if (error instanceof CliFailure && error.kind === 'unreachable') return undefined
      throw error
    })
  cli.print({ cli: cliVersion(), server: server ?? null }, () =>
    renderPairs(cli, [
      ['banyan', cliVersion()],
      [
        'server',
        server
          ? `${server.version}, up for ${formatDuration(Math.max(0, cli.now() - server.startedAt))}`
          : 'none runs here',
      ],
      ['cluster', server && `${server.cluster.name}: ${server.cluster.levels.join(' > ')}`],
      ['twin', server?.twin && twinLine(server.twin)],
      ['engines', server?.engines.join(', ')],
      ['store', server?.store],
      ['node', server?.node ?? process.version],
    ]),
  )
}

function twinLine({ template, nodes, speed, load, seed }: NonNullable<ServerVersion['twin']>): string {
  return `${template}:${nodes}, ${speed} times as fast as ours, load ${load}, seed ${seed}`
}
