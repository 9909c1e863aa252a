import type { Impact } from '../../api/index.ts'
import type { Cli } from '../cli.ts'
import { renderTable } from './table.ts'
import { fromNow } from './values.ts'

type Effect = Impact['effects'][number]

/** What a change would do, workload by workload, those first for whom it changes something. */
export function impactLines(cli: Cli, { effects, counts, notes }: Impact): string[] {
  const summary = (Object.keys(counts) as (keyof typeof counts)[])
    .filter((effect) => counts[effect] > 0)
    .map((effect) => `${counts[effect]} ${effect}`)
  const head = effects.every(({ effect }) => effect === 'same' || effect === 'new')
    ? 'It would change nothing for anybody.'
    : `Effect: ${summary.join(', ')}.`
  const changed = effects.filter(({ effect }) => effect !== 'same')
  const now = cli.now()
  const table =
    changed.length === 0
      ? []
      : [
          renderTable(
            cli,
            [
              { title: 'WORKLOAD', cell: ({ workload }) => workload },
              { title: 'NAME', cell: ({ name }) => name, shrinksTo: 12 },
              { title: 'EFFECT', cell: ({ effect }) => painted(cli, effect) },
              { title: 'BEFORE', cell: ({ before }) => fateText(before, now) },
              { title: 'AFTER', cell: ({ after }) => fateText(after, now), shrinksTo: 12 },
            ],
            changed,
          ),
        ]
  return [head, ...table, ...notes]
}

function painted(cli: Cli, effect: Effect['effect']): string {
  if (effect === 'earlier') return cli.paint.green(effect)
  return effect === 'later' || effect === 'evicted' || effect === 'never' ? cli.paint.red(effect) : effect
}

function fateText({ state, p50At, p90At }: Effect['before'], now: number): string {
  if (p50At === undefined) return state
  const range = p90At === undefined || p90At === p50At ? '' : ` to ${fromNow(p90At, now).replace(/^in /, '')}`
  return `${state} ${fromNow(p50At, now)}${range}`
}
