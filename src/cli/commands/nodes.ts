import type { NodeView } from '../../api/index.ts'
import type { Cli } from '../cli.ts'
import { CliFailure } from '../failure.ts'
import { renderTable } from '../render/table.ts'
import { bytes, counted, fromNow, gpuCount, painted } from '../render/values.ts'

/** Lists the nodes with what is free on them. */
export async function listNodes(cli: Cli): Promise<void> {
  const client = await cli.client()
  const list = await client.listNodes()
  cli.print(list, () => (list.items.length === 0 ? 'There are no nodes.' : nodeTable(cli, list.items)))
}

/** Changes the state of nodes on an operator's order. */
export async function orderNodes(
  cli: Cli,
  action: 'cordon' | 'drain' | 'resume',
  ids: readonly string[],
  options: { readonly reason?: string },
): Promise<void> {
  const reason = options.reason ?? (action === 'resume' ? 'back in service' : undefined)
  if (reason === undefined) {
    throw new CliFailure(
      'usage',
      `banyan nodes ${action} needs --reason TEXT`,
      'Whoever finds the node like this will want to know why.',
    )
  }
  const client = await cli.client()
  const call = { cordon: client.cordonNode, drain: client.drainNode, resume: client.resumeNode }[action]
  const nodes: NodeView[] = []
  for (const id of ids) nodes.push(await call({ id, reason }))
  cli.print({ items: nodes }, () => nodes.map((node) => stateLine(cli, node)).join('\n'))
}

/** Gives a node another name on an operator's order. */
export async function renameNode(cli: Cli, id: string, name: string): Promise<void> {
  const client = await cli.client()
  const node = await client.renameNode({ id, name })
  cli.print(node, () => {
    const own = node.engineName === undefined ? '' : `; its engine calls it ${node.engineName}`
    return `${id} is now called ${node.id}${own}`
  })
}

function stateLine(cli: Cli, { id, state, stateReason, attempts }: NodeView): string {
  const busy =
    attempts.length > 0 && state !== 'ready' ? `; ${counted(attempts.length, 'attempt')} still on it` : ''
  return `${id} is ${painted(cli, state)}${stateReason ? `: ${stateReason}` : ''}${busy}`
}

function nodeTable(cli: Cli, nodes: readonly NodeView[]): string {
  const now = cli.now()
  return renderTable(
    cli,
    [
      { title: 'NODE', cell: ({ id }) => id, shrinksTo: 12 },
      {
        title: 'STATE',
        cell: ({ state, contact }) =>
          painted(cli, state) + (contact === 'lost' ? cli.paint.red(' (lost)') : ''),
      },
      { title: 'GPU', cell: ({ gpuModel }) => gpuModel },
      {
        title: 'FREE',
        cell: ({ gpuCount: all, allocatedMilliGpus, state, foreign }) =>
          `${state === 'ready' ? gpuCount(Math.max(0, all - allocatedMilliGpus / 1000 - (foreign?.gpus.length ?? 0))) : 0}/${all}`,
        align: 'right',
      },
      { title: 'CPUS', cell: ({ cpuCount }) => String(cpuCount), align: 'right' },
      { title: 'MEMORY', cell: ({ memoryBytes }) => bytes(memoryBytes), align: 'right' },
      { title: 'DOMAINS', cell: ({ domains }) => domains.join(' > ') },
      {
        title: 'REASON',
        cell: ({ stateReason, stateSince, state, foreign }) =>
          state === 'ready' ? (foreign?.holder ?? '') : `${stateReason} (${fromNow(stateSince, now)})`,
        shrinksTo: 10,
      },
    ],
    nodes,
  )
}
