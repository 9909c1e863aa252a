import { ApiProblem } from '../../api/client/api-problem.ts'
import { type Client, createClient } from '../../api/client/client.ts'
import type { WhoAmI } from '../../api/wire/server.ts'
import { setServerClock } from './clock.ts'
import { createStore, useStore } from './store.ts'

/**
 * - `signed-out`: nobody; with what to tell the reader, when they did not ask for it.
 * - `checking`: a token is kept and the server has not yet said whose it is.
 * - `signed-in`: the client acts as this user.
 */
export type Session =
  | { readonly state: 'signed-out'; readonly notice?: string }
  | { readonly state: 'checking' }
  | { readonly state: 'signed-in'; readonly client: Client; readonly who: WhoAmI }

const KEY = 'banyan.token'
const session = createStore<Session>({ state: 'checking' })

export function useSession(): Session {
  return useStore(session)
}

/** The client and the user of a page that is only shown to who has signed in. */
export function useSignedIn(): Extract<Session, { state: 'signed-in' }> {
  const value = useStore(session)
  if (value.state !== 'signed-in') throw new Error('shown to somebody who has not signed in')
  return value
}

/** Takes up the token of the address (`#token=`, which never leaves the browser), or the one that was kept. */
export async function resume(): Promise<void> {
  const given = /^#token=(\S+)$/.exec(window.location.hash)?.[1]
  if (given !== undefined) {
    window.history.replaceState(null, '', window.location.pathname + window.location.search)
    return signIn(given, false)
  }
  const kept = keptToken()
  if (kept === null) return resumeSession()
  return signIn(kept, window.localStorage.getItem(KEY) !== null)
}

/** Signs in, or says why not; `isKept` lets the token outlive the tab. */
export async function signIn(token: string, isKept: boolean): Promise<void> {
  session.set({ state: 'checking' })
  // Kept before it is known to be good: whoever loads the page again meanwhile shall not be asked again.
  forget()
  const storage = isKept ? window.localStorage : window.sessionStorage
  storage.setItem(KEY, token)
  try {
    await enter(token)
  } catch (error) {
    if (isUnknown(error)) forget()
    session.set({ state: 'signed-out', notice: error instanceof Error ? error.message : String(error) })
  }
}

/** Goes on with the session that the identity provider's sign-in left in a cookie, where there is one. */
async function resumeSession(): Promise<void> {
  try {
    const { oidc } = await waysToSignIn()
    if (oidc) return await enter(undefined)
    session.set({ state: 'signed-out' })
  } catch (error) {
    const notice = error instanceof Error && !isUnknown(error) ? { notice: error.message } : {}
    session.set({ state: 'signed-out', ...notice })
  }
}

/** How one may sign in here beside with a token. */
export function waysToSignIn(signal?: AbortSignal) {
  return createClient({ baseUrl: window.location.origin }).getSignIn({}, signal ? { signal } : {})
}

/** Without a token the browser's cookie says who it is. */
async function enter(token: string | undefined): Promise<void> {
  const client = createClient({ baseUrl: window.location.origin, token, fetch: watched })
  const [who, { now, twin }] = await Promise.all([client.whoAmI(), client.getVersion()])
  setServerClock(now, twin?.speed ?? 1)
  session.set({ state: 'signed-in', client, who })
}

function isUnknown(error: unknown): boolean {
  return error instanceof ApiProblem && error.code === 'unauthenticated'
}

/** Forgets the token here, and ends the session of the cookie for good. */
export function signOut(notice?: string): void {
  const hadToken = keptToken() !== null
  forget()
  session.set({ state: 'signed-out', ...(notice === undefined ? {} : { notice }) })
  if (!hadToken) void fetch('/auth/sign-out', { method: 'POST' }).catch(() => undefined)
}

function keptToken(): string | null {
  return window.sessionStorage.getItem(KEY) ?? window.localStorage.getItem(KEY)
}

function forget(): void {
  window.sessionStorage.removeItem(KEY)
  window.localStorage.removeItem(KEY)
}

/** A token that is revoked or expires while it is used ends the session, wherever that is noticed. */
const watched: typeof fetch = async (input, init) => {
  const response = await fetch(input, init)
  if (response.status === 401 && session.get().state === 'signed-in') {
    signOut('Your token or session is no longer valid. Sign in again.')
  }
  return response
}
