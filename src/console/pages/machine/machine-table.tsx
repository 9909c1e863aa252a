import { useState } from 'preact/hooks'
import { setParams } from '../../core/place.ts'
import { StateBadge } from '../../parts/state-badge.tsx'
import { WindowedTable } from '../../parts/windowed-table.tsx'
import type { Found } from './finding.ts'
import { FREE, type MachineModel } from './machine-model.ts'

interface Props {
  readonly model: MachineModel
  readonly turn: number
  readonly within: readonly string[]
  readonly found: Found | undefined
}

/** The same as the canvas, in words: a row a node, in the order of their ids. */
export function MachineTable({ model, within, found }: Props) {
  const [isOpen, setOpen] = useState(false)
  const rows = isOpen ? rowsOf(model, within, found) : []
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>As a table</summary>
      {isOpen && (
        <WindowedTable
          caption="Nodes of the machine"
          rows={rows}
          keyOf={(node) => model.nodes[node]!.id}
          columns={[
            {
              title: 'Node',
              cell: (node) => (
                <button
                  type="button"
                  class="plain link"
                  onClick={() => setParams({ node: model.nodes[node]!.id })}
                >
                  {model.nodes[node]!.id}
                </button>
              ),
            },
            { title: 'Stands in', cell: (node) => model.domainsOf(node).join(' / ') },
            { title: 'State', cell: (node) => <StateBadge state={model.nodes[node]!.state} /> },
            { title: 'Free GPUs', isNumber: true, cell: (node) => freeGpus(model, node) },
            { title: 'Held by', cell: (node) => holders(model, node) },
          ]}
        />
      )}
    </details>
  )
}

function rowsOf(model: MachineModel, within: readonly string[], found: Found | undefined): number[] {
  const nodes = found ? found.nodes : model.nodes.map((_, index) => index)
  return nodes.filter((node) => within.every((name, depth) => model.domainsOf(node)[depth] === name))
}

function freeGpus(model: MachineModel, node: number): number {
  let free = 0
  for (let gpu = model.firstGpu[node]!; gpu < model.firstGpu[node + 1]!; gpu++) {
    if (model.holder[gpu] === FREE) free++
  }
  return free
}

function holders(model: MachineModel, node: number): string {
  const names = new Set<string>()
  for (let gpu = model.firstGpu[node]!; gpu < model.firstGpu[node + 1]!; gpu++) {
    const slot = model.holder[gpu]!
    if (slot === FREE) continue
    const attempt = model.slots[slot]
    names.add(attempt ? `${attempt.workload} ${attempt.name}` : 'others')
  }
  return [...names].join(', ')
}
