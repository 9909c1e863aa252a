import { spawn } from 'node:child_process'
import { HOUR_MS } from '../../base/index.ts'
import type { Cli } from '../cli.ts'

/** A console that is left open overnight asks for a token again. */
const SIGNED_IN_MS = 12 * HOUR_MS

/** What opens an address in the browser of whoever sits here. */
const OPENERS: Partial<Record<NodeJS.Platform, string>> = { darwin: 'open', linux: 'xdg-open' }

/** Opens the console in the browser, signed in as the caller by a token of its own that ends after twelve hours. */
export async function openConsole(cli: Cli, options: { readonly open?: boolean }): Promise<void> {
  const { baseUrl } = await cli.server()
  const client = await cli.client()
  // Twelve hours of whoever looks, which may be many more where the server's time goes faster.
  const { now, twin } = await client.getVersion()
  const expiresAt = now + SIGNED_IN_MS * Math.max(1, twin?.speed ?? 1)
  const { secret } = await client.issueToken({ label: 'console', expiresAt })
  // What follows # stays in the browser: no server and no log sees it.
  const url = `${baseUrl.replace(/\/+$/, '')}/console/#token=${secret}`
  const opener = OPENERS[process.platform]
  const hasScreen = process.platform !== 'linux' || cli.io.env.DISPLAY || cli.io.env.WAYLAND_DISPLAY
  if (options.open !== false && cli.io.isTerminal && !cli.isJson && opener && hasScreen) {
    spawn(opener, [url], { stdio: 'ignore', detached: true })
      .on('error', () => {})
      .unref()
  }
  cli.print(
    { url, expiresAt },
    () => `${url}\n${cli.paint.dim('Whoever has this address is you for twelve hours.')}`,
  )
}
