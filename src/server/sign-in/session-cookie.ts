/** Holds the secret of a token that ends with the session; scripts cannot read it. */
export const SESSION_COOKIE = 'banyan_session'

type HeaderOf = (name: string) => string | undefined

/**
 * The secret in the cookie of a request, where it may count: a browser sends a cookie with whatever page asks it to, so one that
 * changes something must come from a page of this server. `SameSite` says so too, yet only by site and not by origin.
 */
export function sessionSecret(method: string, headerOf: HeaderOf): string | undefined {
  const secret = new RegExp(`(?:^|;\\s*)${SESSION_COOKIE}=([^;\\s]+)`).exec(headerOf('cookie') ?? '')?.[1]
  if (secret === undefined) return undefined
  return method === 'GET' || method === 'HEAD' || isOwnPage(headerOf) ? secret : undefined
}

/** Browsers say where a request comes from; over plain HTTP, where they leave `Sec-Fetch-Site` out, by `Origin` alone. */
export function isOwnPage(headerOf: HeaderOf): boolean {
  const site = headerOf('sec-fetch-site')
  if (site !== undefined) return site === 'same-origin'
  const origin = headerOf('origin')
  return origin !== undefined && URL.canParse(origin) && new URL(origin).host === headerOf('host')
}
