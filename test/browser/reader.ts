import { accessSync, constants, mkdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import axe from 'axe-core'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'

/** Where the run leaves its pictures; git ignores it. */
const PICTURES = fileURLToPath(new URL('../../.cache/console/', import.meta.url))

/** How long something may take to appear: the machine that runs the suite may be busy with others. */
export const PATIENCE_MS = 45_000

export async function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumProgram(),
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  })
}

function chromiumProgram(): string {
  const folders = (process.env.PATH ?? '').split(delimiter)
  const found = folders.map((folder) => join(folder, 'chromium')).find(isExecutable)
  if (!found) throw new Error('chromium is not here; on Debian: apt-get install chromium')
  return found
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Somebody with a browser of their own, and what must not have happened in it. */
export class Reader {
  readonly page: Page
  readonly context: BrowserContext
  readonly #url: string
  /** Errors of the page and violations of its policy. */
  readonly faults: string[] = []
  /** Addresses that were asked for outside the server's origin. */
  readonly strays: string[] = []

  private constructor(context: BrowserContext, page: Page, url: string) {
    this.context = context
    this.page = page
    this.#url = url
    page.setDefaultTimeout(PATIENCE_MS)
    page.on('pageerror', (error) => this.faults.push(error.message))
    page.on('console', (message) => {
      // A refusal by the API is told on the page; Chromium logs it too.
      if (message.type() === 'error' && !/Failed to load resource/.test(message.text()))
        this.faults.push(message.text())
    })
    page.on('request', (request) => {
      const address = new URL(request.url())
      if (address.origin !== url && address.protocol !== 'blob:') this.strays.push(request.url())
    })
  }

  static async open(browser: Browser, url: string, token?: string): Promise<Reader> {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 820 },
      reducedMotion: 'reduce',
    })
    const reader = new Reader(context, await context.newPage(), url)
    await reader.page.goto(`${url}/console/${token === undefined ? '' : `#token=${token}`}`)
    if (token !== undefined) await reader.page.getByRole('navigation', { name: 'Pages' }).waitFor()
    return reader
  }

  async go(path: string): Promise<void> {
    await this.page.goto(`${this.#url}/console${path}`)
  }

  /** A picture for people to look at. */
  async picture(name: string): Promise<void> {
    mkdirSync(PICTURES, { recursive: true })
    await this.page.screenshot({ path: join(PICTURES, `${name}.png`) })
  }

  /** What axe finds serious or critical on the page as it is. */
  async barriers(): Promise<string[]> {
    await this.page.evaluate(axe.source)
    const { violations } = (await this.page.evaluate(
      "axe.run(document, { resultTypes: ['violations'] })",
    )) as AxeResults
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(
        ({ id, nodes }) =>
          `${id}: ${nodes
            .slice(0, 3)
            .map(({ html, any }) => `${html.slice(0, 160)} (${any[0]?.message ?? ''})`)
            .join(' | ')}`,
      )
  }

  close(): Promise<void> {
    return this.context.close()
  }
}

interface AxeResults {
  readonly violations: readonly {
    readonly id: string
    readonly impact: string | null
    readonly nodes: readonly {
      readonly html: string
      readonly any: readonly { readonly message: string }[]
    }[]
  }[]
}
