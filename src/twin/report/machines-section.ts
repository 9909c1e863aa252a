import type { MachinesFigures } from './machines-held.ts'
import { type NamedRun, note, percent, seconds, section, table, whole } from './page-parts.ts'

/** Who held machines, how long they waited for them, and how much lay idle in their hands. */
export function machinesSections(runs: readonly NamedRun[]): string[] {
  const names = [...new Set(runs.flatMap(({ report }) => report.machines.map(({ name }) => name)))]
  return names.map((name) => {
    const row = (title: string, cell: (figures: MachinesFigures) => string) => [
      title,
      ...runs.map(({ report }) => {
        const figures = report.machines.find((each) => each.name === name)
        return figures ? cell(figures) : ''
      }),
    ]
    return section(
      `Machines held for people: ${name}`,
      table(
        ['', ...runs.map((run) => run.name)],
        [
          row('asked for', ({ asked }) => whole(asked)),
          row('held to the end and given back', ({ returned }) => whole(returned)),
          row('waited for, mean', ({ meanWaitS }) => seconds(meanWaitS)),
          row('90 % waited at most', ({ p90WaitS }) => seconds(p90WaitS)),
          row('GPU-hours held', ({ heldGpuHours }) => whole(heldGpuHours)),
          row('of them idle', (figures) => idleText(figures)),
          row('replaced after failures', ({ replaced }) => whole(replaced)),
          row('taken away for others', ({ evicted }) => whole(evicted)),
        ],
      ) + note('What is held when the run ends is not counted in GPU-hours.'),
    )
  })
}

function idleText({ idleGpuHours, heldGpuHours }: MachinesFigures): string {
  if (idleGpuHours === undefined) return 'not known (used)'
  return `${whole(idleGpuHours)} (${percent(heldGpuHours > 0 ? idleGpuHours / heldGpuHours : 0)})`
}
