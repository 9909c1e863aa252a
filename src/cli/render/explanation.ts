import type { ExplanationView } from '../../api/index.ts'
import type { Cli } from '../cli.ts'
import { fromNow, gpusText } from './values.ts'

const MOST_HOLDERS = 4
const MOST_CHANGES = 6

/** Why a gang waits, worst first, who holds what is missing, and which changes were tried. */
export function explanationLines(cli: Cli, { blockers, counterfactuals }: ExplanationView): string[] {
  const now = cli.now()
  const lines: string[] = []
  for (const { kind, message, holders, windows = [], earliestEndAt } of blockers) {
    const end =
      earliestEndAt === undefined
        ? ''
        : ` That ends by itself ${fromNow(earliestEndAt, now)} at the earliest.`
    lines.push(`  ${cli.paint.yellow(kind)}: ${message}${end}`)
    for (const { id, reason, to } of windows)
      lines.push(cli.paint.dim(`    ${id} (${reason}) ends ${fromNow(to, now)}`))
    for (const { workload, user, gpus, endsAt } of holders.slice(0, MOST_HOLDERS)) {
      const until = endsAt === undefined ? '' : `, ends ${fromNow(endsAt, now)}`
      lines.push(cli.paint.dim(`    ${workload} of ${user} holds ${gpusText(gpus)}${until}`))
    }
    if (holders.length > MOST_HOLDERS)
      lines.push(cli.paint.dim(`    and ${holders.length - MOST_HOLDERS} more`))
  }
  const useful = [...counterfactuals].sort((a, b) => Number(b.startsNow) - Number(a.startsNow))
  for (const { message, startsNow, startsAt } of useful.slice(0, MOST_CHANGES)) {
    const when = startsNow
      ? cli.paint.green('starts now')
      : startsAt === undefined
        ? 'still waits'
        : `starts ${fromNow(startsAt, now)}`
    lines.push(`  tried: ${message} ${cli.paint.dim('->')} ${when}`)
  }
  return lines
}
