import type { Role } from './tenancy.ts'

/** As much of a user as decides what they may do; ids may be branded or come over the wire. */
interface Person {
  readonly id: string
  readonly organisation: string
  readonly teams: readonly string[]
  readonly role: Role
}

interface Possession {
  readonly organisation: string
  readonly team: string
  readonly user: string
}

/** Everybody sees what is their organisation's; operators see all (S9). */
export function maySee(
  user: Pick<Person, 'role' | 'organisation'>,
  owner: Pick<Possession, 'organisation'>,
): boolean {
  return user.role === 'operator' || user.organisation === owner.organisation
}

/** Members change what is their own or their teams'; admins what is their organisation's; operators all (S9). */
export function mayChange(user: Person, owner: Possession): boolean {
  if (!maySee(user, owner)) return false
  if (user.role === 'operator' || user.role === 'admin') return true
  return user.role === 'member' && (owner.user === user.id || user.teams.includes(owner.team))
}
