import type { Context, Hono } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import { HOUR_MS } from '../../base/index.ts'
import type { Command } from '../../control/index.ts'
import type { User } from '../../model/index.ts'
import { SYSTEM } from '../../model/index.ts'
import { newSecret, sha256 } from '../caller.ts'
import type { Services } from '../context.ts'
import { claimedUser } from './claimed-user.ts'
import { type Begun, OidcProvider } from './oidc-provider.ts'
import type { OidcSettings } from './oidc-settings.ts'
import { isOwnPage, SESSION_COOKIE, sessionSecret } from './session-cookie.ts'

const CONSOLE = '/console/'
const BEGUN_COOKIE = 'banyan_oidc'
/** Leads a browser to the provider. */
export const SIGN_IN_PATH = '/auth/oidc'
/** How long a person may take to sign in at the provider. */
const BEGUN_SECONDS = 600

type Parts = Pick<Services, 'ledger' | 'clock' | 'log'>

/** Sign-in at a provider and sign-out. A session is a token like any other, which the browser keeps in a cookie. */
export function addSignIn(app: Hono, parts: Parts, settings: OidcSettings): void {
  const provider = new OidcProvider(settings)
  const secure = settings.publicUrl.startsWith('https:')
  const session = { path: '/', httpOnly: true, secure, sameSite: 'Strict' } as const

  app.get(SIGN_IN_PATH, async (call) => {
    try {
      const { url, begun } = await provider.begin()
      // Lax: the provider's page leads back here.
      setCookie(call, BEGUN_COOKIE, JSON.stringify(begun), {
        ...session,
        path: SIGN_IN_PATH,
        sameSite: 'Lax',
        maxAge: BEGUN_SECONDS,
      })
      return call.redirect(url.href)
    } catch (error) {
      parts.log.warn({ err: error, issuer: settings.issuer }, 'the identity provider does not answer')
      return refused(call, 502, `${settings.name} does not answer. Try again, or sign in with a token.`)
    }
  })

  app.get(`${SIGN_IN_PATH}/callback`, async (call) => {
    const begun = begunIn(getCookie(call, BEGUN_COOKIE))
    deleteCookie(call, BEGUN_COOKIE, { path: SIGN_IN_PATH })
    if (!begun) return refused(call, 400, 'This sign-in was not begun here, or too long ago. Begin again.')
    let claims: Readonly<Record<string, unknown>>
    try {
      claims = await provider.finish(new URL(call.req.url).search, begun)
    } catch (error) {
      parts.log.warn({ err: error, issuer: settings.issuer }, 'a sign-in was not accepted')
      return refused(call, 403, `${settings.name} did not sign you in. Begin again.`)
    }
    const user = claimedUser(parts.ledger.state.users, claims, settings)
    if (!user.ok) return refused(call, 403, user.error)
    const expiresAt = parts.clock.now() + Math.round(settings.sessionHours * HOUR_MS)
    const opened = await openSession(parts, user.value, settings.name, expiresAt)
    if ('refusal' in opened) return refused(call, 403, opened.refusal)
    setCookie(call, SESSION_COOKIE, opened.secret, { ...session, maxAge: settings.sessionHours * 3_600 })
    return call.redirect(CONSOLE)
  })

  app.post('/auth/sign-out', async (call) => {
    if (!isOwnPage((name) => call.req.header(name))) return refused(call, 403, 'Sign out from the console.')
    const secret = sessionSecret('POST', (name) => call.req.header(name))
    const hash = secret === undefined ? undefined : sha256(secret)
    if (hash !== undefined && parts.ledger.state.tokens.has(hash)) {
      await parts.ledger.execute({ kind: 'revoke-token', sha256: hash }, SYSTEM)
    }
    deleteCookie(call, SESSION_COOKIE, session)
    return call.body(null, 204)
  })
}

/** The user as the provider has them now, with a new token and without their sessions that are over. */
async function openSession(
  { ledger, clock }: Parts,
  user: User,
  name: string,
  expiresAt: number,
): Promise<{ readonly secret: string } | { readonly refusal: string }> {
  const secret = newSecret()
  const over = [...ledger.state.tokens.values()].filter(
    (token) => token.user === user.id && token.expiresAt !== undefined && token.expiresAt <= clock.now(),
  )
  const isNew = JSON.stringify(ledger.state.users.get(user.id)) !== JSON.stringify(user)
  const commands: Command[] = [
    ...(isNew ? [{ kind: 'set-user', user } as const] : []),
    ...over.map((token) => ({ kind: 'revoke-token', sha256: token.sha256 }) as const),
    {
      kind: 'issue-token',
      token: { sha256: sha256(secret), user: user.id, label: `signed in by ${name}`, expiresAt },
    },
  ]
  for (const command of commands) {
    const outcome = await ledger.execute(command, SYSTEM)
    if (!outcome.ok && command.kind !== 'revoke-token') {
      return { refusal: `${outcome.rejection.message} An operator has to do that.` }
    }
  }
  return { secret }
}

function begunIn(cookie: string | undefined): Begun | undefined {
  if (cookie === undefined) return undefined
  try {
    const { state, nonce, verifier } = JSON.parse(cookie) as Record<keyof Begun, unknown>
    const isWhole = [state, nonce, verifier].every((part) => typeof part === 'string')
    return isWhole ? ({ state, nonce, verifier } as Begun) : undefined
  } catch {
    return undefined
  }
}

/** Told on a page of its own: what brings people here is a link and not a script. */
function refused(call: Context, status: 400 | 403 | 502, message: string): Response {
  return call.text(`${message}\n\nBack to Banyan: ${CONSOLE}\n`, status)
}
