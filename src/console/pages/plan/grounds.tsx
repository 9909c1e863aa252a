import type { PlanView } from '../../../api/wire/plan.ts'
import { bytesText, compactText, dollarsText, numberText, percentText } from '../../core/values.ts'
import { DataTable } from '../../parts/data-table.tsx'

export type Ground = PlanView['grounds'][number]

/** Every figure that the plan rests on, with where it is from. */
export function Grounds({ grounds }: { readonly grounds: readonly Ground[] }) {
  return (
    <details>
      <summary>What it rests on, with sources</summary>
      <DataTable
        caption="What the plan rests on"
        rows={grounds}
        keyOf={({ name }) => name}
        columns={[
          { title: 'Figure', cell: ({ name }) => name },
          {
            title: 'Value',
            isNumber: true,
            isTight: true,
            cell: (ground) => (
              <span class="sourced" title={ground.source}>
                {groundText(ground)}
              </span>
            ),
          },
          { title: 'Source', cell: ({ source }) => source },
        ]}
      />
    </details>
  )
}

/** The source of the figure of this name, for hovering. */
export function sourceOf(grounds: readonly Ground[], name: string): string | undefined {
  const ground = grounds.find((each) => each.name === name)
  return ground && `${ground.name}: ${groundText(ground)} (${ground.source})`
}

function groundText({ value, unit }: Ground): string {
  switch (unit) {
    case 'share':
      return percentText(value)
    case 'bytes':
      return bytesText(value)
    case 'bytes/s':
      return `${numberText(value / 1e9)} GB/s`
    case 'FLOP/s':
      return `${numberText(value / 1e12)} TFLOP/s`
    case '$/GPU-hour':
      return `${dollarsText(value)} a GPU-hour`
    case 'failures/node-day':
      return `${numberText(value * 1000)} in 1,000 node-days`
    case 'parameters':
      return compactText(value)
  }
}
