import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'

/** Of one connection only (RFC 9110, section 7.6.1), and so never passed on; so is what `Connection` names. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/**
 * Not for a replica: tokens of Banyan are no business of a user's program, its host is its own, the gateway has read
 * and measured the body, and it reads the usage in an answer, which must not be compressed for that.
 */
const NOT_FOR_REPLICAS = new Set([
  'authorization',
  'cookie',
  'host',
  'expect',
  'content-length',
  'accept-encoding',
])

/** What a replica may not say to a caller: cookies would be set for Banyan's own site. */
const NOT_FOR_CALLERS = new Set(['set-cookie'])

export function headersForReplica(headers: IncomingHttpHeaders, bodyBytes: number): OutgoingHttpHeaders {
  return { ...passOn(headers, NOT_FOR_REPLICAS), 'content-length': bodyBytes }
}

export function headersForCaller(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  return passOn(headers, NOT_FOR_CALLERS)
}

function passOn(headers: IncomingHttpHeaders, withheld: ReadonlySet<string>): OutgoingHttpHeaders {
  const named = headers.connection
    ?.toLowerCase()
    .split(',')
    .map((name) => name.trim())
  const passed: OutgoingHttpHeaders = {}
  for (const name in headers) {
    if (!HOP_BY_HOP.has(name) && !withheld.has(name) && !named?.includes(name)) passed[name] = headers[name]
  }
  return passed
}
