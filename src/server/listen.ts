import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hostname } from 'node:os'

export interface Place {
  readonly host: string
  /** 0 takes any that is free. */
  readonly port: number
}

/** The address under which the server then answers on this machine; rejects when the port cannot be had. */
export function listen(http: Server, { host, port }: Place): Promise<string> {
  return new Promise((resolve, reject) => {
    http.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE'
      reject(
        taken
          ? new Error(`port ${port} on ${host} is taken; choose another with --port, or 0 for any free one`)
          : new Error(`cannot listen on ${host}:${port}: ${error.message}`),
      )
    })
    http.listen(port, host, () => {
      const { port: given } = http.address() as AddressInfo
      resolve(`http://${urlHost(host)}:${given}`)
    })
  })
}

/** The address for other machines: what listens everywhere is found there by this machine's name. */
export function reachable(host: string, url: string): string {
  if (host !== '0.0.0.0' && host !== '::') return url
  return `http://${hostname()}:${new URL(url).port}`
}

/** An address that listens everywhere is reached here by loopback; IPv6 stands in brackets. */
function urlHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return host.includes(':') ? `[${host}]` : host
}
