import { createHash, randomBytes } from 'node:crypto'
import type { ControlState } from '../control/index.ts'
import type { Actor, Role, Token, User } from '../model/index.ts'
import { ROLES } from '../model/index.ts'

/** Who makes a call, by the token they showed. */
export interface Caller {
  readonly user: User
  readonly token: Token
}

/** A new secret; 192 random bits, with a prefix by which leaked ones can be found. */
export function newSecret(): string {
  return `bny_${randomBytes(24).toString('base64url')}`
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** The caller whose token this is, or undefined when it is unknown, revoked or expired. */
export function authenticate(state: ControlState, secret: string, now: number): Caller | undefined {
  const token = state.tokens.get(sha256(secret))
  if (!token || (token.expiresAt !== undefined && token.expiresAt <= now)) return undefined
  const user = state.users.get(token.user)
  return user ? { user, token } : undefined
}

/** The secret of an `Authorization: Bearer` header. */
export function bearer(header: string | undefined): string | undefined {
  return header === undefined ? undefined : /^Bearer\s+(\S+)$/i.exec(header)?.[1]
}

/** Roles from the least to the most powerful: each may do what those before it may. */
export function hasRole(user: User, atLeast: Role): boolean {
  return ROLES.indexOf(user.role) <= ROLES.indexOf(atLeast)
}

export function actorOf(caller: Caller): Actor {
  return { kind: 'user', id: caller.user.id }
}
