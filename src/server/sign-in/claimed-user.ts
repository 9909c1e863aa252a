import type { OrganisationId, UserId } from '../../base/index.ts'
import { id, ok, type Result, refuse } from '../../base/index.ts'
import type { User } from '../../model/index.ts'
import { teamId } from '../../model/index.ts'
import type { OidcSettings } from './oidc-settings.ts'

type Rules = Pick<OidcSettings, 'rules' | 'userClaim' | 'groupsClaim' | 'issuer'>

/**
 * The user that a provider's word makes of a person, or why it makes none. A person is known by issuer and subject, which
 * never change; a name that somebody else has is refused, so that nobody takes over a user by being called like one.
 */
export function claimedUser(
  users: ReadonlyMap<UserId, User>,
  claims: Readonly<Record<string, unknown>>,
  { rules, userClaim, groupsClaim, issuer }: Rules,
): Result<User, string> {
  const subject = claims.sub
  if (typeof subject !== 'string' || subject === '') return refuse('The provider did not say who you are.')
  const groups = new Set(Array.isArray(claims[groupsClaim]) ? (claims[groupsClaim] as unknown[]) : [])
  const rule = rules.find(({ group }) => group === '*' || groups.has(group))
  if (!rule) {
    return refuse(
      `You are in no group that may use Banyan (claim "${groupsClaim}"). Ask an operator to add one of yours.`,
    )
  }
  const known = [...users.values()].find(
    ({ signIn }) => signIn?.issuer === issuer && signIn.subject === subject,
  )
  const name = known?.id ?? nameOf(claims[userClaim])
  if (name === undefined) {
    return refuse(
      `The provider did not say what you are called (claim "${userClaim}"). Ask an operator to name another claim.`,
    )
  }
  if (!known && users.has(name)) {
    return refuse(
      `There is a user "${name}" already who does not sign in here. Ask an operator to remove or rename one.`,
    )
  }
  const organisation = id<OrganisationId>(rule.organisation)
  return ok({
    id: name,
    organisation,
    teams: rule.teams.map((team) => teamId(organisation, team)),
    role: rule.role,
    signIn: { issuer, subject },
  })
}

/** The name as users may be called: lower case, of an address what stands before the @. */
function nameOf(claim: unknown): UserId | undefined {
  if (typeof claim !== 'string') return undefined
  const name = claim.split('@', 1)[0]!.toLowerCase()
  return name === '' ? undefined : id<UserId>(name)
}
