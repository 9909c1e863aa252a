import type { Client } from '../../../api/client/client.ts'
import { parseDuration } from '../../../base/units.ts'

export type Settings = Parameters<Client['makeReservation']>[0]

/** What the form has; times as `datetime-local` gives them, in the reader's zone. */
export interface Wanted {
  readonly id: string
  readonly kind: 'reserved' | 'maintenance'
  readonly where: 'count' | 'domain' | 'nodes'
  readonly count: string
  /** Path with `/`; of `count` the domain to choose from, or empty for the whole machine. */
  readonly domain: string
  readonly nodes: string
  readonly from: string
  readonly length: string
  readonly owners: string
  readonly reason: string
}

/** The reservation that is wanted, or what is wrong with the length. */
export function settingsOf(wanted: Wanted): Settings | string {
  const length = parseDuration(wanted.length)
  if (!length.ok) return length.error
  const { id, kind, from, reason } = wanted
  return {
    id,
    kind,
    reason,
    ...whereOf(wanted),
    ...(from === '' ? {} : { from: new Date(from).getTime() }),
    durationMs: length.value,
    ...(kind === 'maintenance' ? {} : { owners: ownersOf(wanted.owners) }),
  }
}

function whereOf({ where, count, domain, nodes }: Wanted): Pick<Settings, 'count' | 'domain' | 'nodes'> {
  const path = domain === '' ? {} : { domain: domain.split('/') }
  switch (where) {
    case 'count':
      return { count: Number(count), ...path }
    case 'domain':
      return path
    case 'nodes':
      return { nodes: listed(nodes) }
  }
}

/** Names of queues, and of users with an `@` before them. */
function ownersOf(text: string): NonNullable<Settings['owners']> {
  const names = listed(text)
  return {
    queues: names.filter((name) => !name.startsWith('@')),
    users: names.filter((name) => name.startsWith('@')).map((name) => name.slice(1)),
  }
}

function listed(text: string): string[] {
  return text.split(/[\s,]+/).filter(Boolean)
}
