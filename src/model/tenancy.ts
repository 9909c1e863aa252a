import type { OrganisationId, QueueId, TeamId, TimeMs, UserId } from '../base/index.ts'
import { id } from '../base/index.ts'

/**
 * - `operator`: runs the machine; sees and may change everything.
 * - `admin`: manages one organisation and all that its users submitted.
 * - `member`: submits, and changes what is their own or their teams'.
 * - `viewer`: sees their organisation, changes nothing.
 */
export const ROLES = ['operator', 'admin', 'member', 'viewer'] as const
export type Role = (typeof ROLES)[number]

export interface Organisation {
  readonly id: OrganisationId
}

export interface Team {
  readonly id: TeamId
  readonly organisation: OrganisationId
}

export interface User {
  readonly id: UserId
  readonly organisation: OrganisationId
  readonly teams: readonly TeamId[]
  readonly role: Role
  /** Whom an identity provider knows this user as, where one made it. */
  readonly signIn?: { readonly issuer: string; readonly subject: string }
}

/** A credential; only the SHA-256 of the secret is kept. */
export interface Token {
  readonly sha256: string
  readonly user: UserId
  readonly label: string
  readonly expiresAt?: TimeMs
}

/** Whose a workload is. */
export interface Owner {
  readonly organisation: OrganisationId
  readonly team: TeamId
  readonly user: UserId
}

/** Teams are named `organisation/team`, which is also the id of their queue. */
export function teamId(organisation: string, team: string): TeamId {
  return id<TeamId>(`${organisation}/${team}`)
}

export function queueOfTeam(team: TeamId): QueueId {
  return id<QueueId>(team)
}

export function queueOfOrganisation(organisation: OrganisationId): QueueId {
  return id<QueueId>(organisation)
}
