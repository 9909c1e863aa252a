import { type NamedRun, note, percent, section, table, whole } from './page-parts.ts'
import type { WasteLine } from './waste.ts'

/** Where the GPU-hours went, and what interrupted attempts. */
export function ledgerSections(runs: readonly NamedRun[]): string[] {
  return [
    wasteTable(runs),
    ...(runs.some(({ report }) => report.interruptions.count > 0) ? [failures(runs)] : []),
  ]
}

function wasteTable(runs: readonly NamedRun[]): string {
  const first = runs[0]?.report.waste ?? []
  const seen = first.filter(({ cause }) => runs.some((run) => lineOf(run, cause).gpuHours > 0))
  const several = runs.length > 1
  const cells = ({ gpuHours, share, money }: Amount) =>
    several ? [`${whole(gpuHours)}\n${percent(share)}`] : [whole(gpuHours), percent(share), whole(money)]
  const rows = seen.map(({ cause, meaning }) => [
    `${cause}\n${meaning}`,
    ...runs.flatMap((run) => cells(lineOf(run, cause))),
  ])
  const head = several ? runs.map(({ name }) => `${name}\nGPU-hours`) : ['GPU-hours', 'share', 'money']
  const price = runs[0]?.report.pricePerGpuHour ?? 0
  return section(
    'Where the GPU-hours went',
    table(['', ...head], [...rows, ['in all', ...runs.flatMap(({ report }) => cells(sumOf(report.waste)))]]) +
      (several
        ? ''
        : note(
            `Money is ${price} for a GPU-hour (pricePerGpuHour of the scenario). What attempts held that had not ended when the run did is in no line.`,
          )),
  )
}

type Amount = Pick<WasteLine, 'gpuHours' | 'share' | 'money'>

function sumOf(lines: readonly Amount[]): Amount {
  return lines.reduce(
    (sum, { gpuHours, share, money }) => ({
      gpuHours: sum.gpuHours + gpuHours,
      share: sum.share + share,
      money: sum.money + money,
    }),
    { gpuHours: 0, share: 0, money: 0 },
  )
}

function lineOf({ report }: NamedRun, cause: string): Amount {
  return report.waste.find((line) => line.cause === cause) ?? sumOf([])
}

function failures(runs: readonly NamedRun[]): string {
  const classes = [...new Set(runs.flatMap(({ report }) => Object.keys(report.interruptions.byClass)))].sort()
  const rows = classes.map((name) => [
    name,
    ...runs.map(({ report }) => whole(report.interruptions.byClass[name] ?? 0)),
  ])
  const between = runs.map(({ report: { interruptions } }) =>
    interruptions.count === 0 ? 'never' : `${interruptions.meanHoursBetween.toFixed(2)} h`,
  )
  return section(
    'Interruptions',
    table(
      ['', ...runs.map(({ name }) => (runs.length > 1 ? name : 'attempts'))],
      [
        ...rows,
        ['in all', ...runs.map(({ report }) => whole(report.interruptions.count))],
        ['running time between two', ...between],
      ],
    ),
  )
}
