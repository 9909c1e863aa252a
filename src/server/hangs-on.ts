import type { ExplanationView } from '../api/index.ts'

type Blocker = ExplanationView['blockers'][number]

/** Ids named in the sentence; the rest are counted. */
const NAMED = 3

/** What the start of a gang hangs on most, in words, by the first blocker as its reader may see it; undefined without any. */
export function hangsOn(blockers: readonly Blocker[]): string | undefined {
  const [worst] = blockers
  if (!worst) return undefined
  switch (worst.kind) {
    case 'dependency':
      return 'the success of what it waits for'
    case 'capacity':
    case 'shape':
    case 'quota':
      return endsOf(worst)
    case 'reservation':
      return worst.windows?.length
        ? `the end of ${listed(worst.windows)}`
        : 'what is kept for those ahead of it'
    case 'priority':
      return 'how long those ahead of it run'
    case 'health':
      return 'nodes that come back'
    case 'limit':
      return 'the time from which it may start'
  }
}

function endsOf({ holders }: Blocker): string {
  if (holders.length === 0) return 'the end of other work'
  const unlimited = holders.filter(({ endsAt }) => endsAt === undefined).length
  const soonestFirst = [...holders].sort((a, b) => (a.endsAt ?? Infinity) - (b.endsAt ?? Infinity))
  const which = listed(soonestFirst.map(({ workload }) => ({ id: workload })))
  const ends = `the end${holders.length === 1 ? '' : 's'} of ${which}`
  return unlimited === 0
    ? ends
    : `${ends}, ${unlimited === holders.length ? '' : `${unlimited} of them `}without a time limit`
}

function listed(things: readonly { readonly id: string }[]): string {
  const ids = things.map(({ id }) => id)
  const more = ids.length - NAMED
  if (more > 0) return `${ids.slice(0, NAMED).join(', ')} and ${more} more`
  return ids.length === 1 ? ids[0]! : `${ids.slice(0, -1).join(', ')} and ${ids.at(-1)}`
}
