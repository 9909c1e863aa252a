import type { Cli } from '../cli.ts'
import { renderTable } from '../render/table.ts'
import { painted } from '../render/values.ts'

/** Lists served models with their replicas. */
export async function listEndpoints(cli: Cli): Promise<void> {
  const list = await (await cli.client()).listEndpoints()
  cli.print(list, () =>
    list.items.length === 0
      ? 'No model is served.'
      : renderTable(
          cli,
          [
            { title: 'MODEL', cell: ({ model }) => model, shrinksTo: 12 },
            { title: 'WORKLOAD', cell: ({ workload }) => workload },
            { title: 'STATE', cell: ({ state }) => painted(cli, state) },
            {
              title: 'READY',
              cell: ({ readyReplicas, wantedReplicas }) => `${readyReplicas}/${wantedReplicas}`,
              align: 'right',
            },
            {
              title: 'WAITING',
              cell: ({ replicas }) =>
                String(replicas.reduce((sum, { outstanding = 0 }) => sum + outstanding, 0)),
              align: 'right',
            },
            {
              title: 'NODES',
              cell: ({ replicas }) => replicas.flatMap(({ nodes }) => nodes).join(' '),
              shrinksTo: 10,
            },
          ],
          list.items,
        ),
  )
}
