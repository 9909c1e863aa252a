import type { TokenView } from '../api/index.ts'
import type { Token } from '../model/index.ts'

const ID_DIGITS = 16

/** A token without its secret: it is named by the first digits of the secret's hash. */
export function tokenView(token: Token): TokenView {
  return {
    id: token.sha256.slice(0, ID_DIGITS),
    user: token.user,
    label: token.label,
    ...(token.expiresAt !== undefined ? { expiresAt: token.expiresAt } : {}),
  }
}
