import { readdirSync, readFileSync, statSync } from 'node:fs'
import { extname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Hono } from 'hono'

/** Where the build puts the console: beside this file once it is built, and in the same place for the sources. */
export const CONSOLE_FOLDER = fileURLToPath(new URL('../../dist/console/', import.meta.url))

const BASE = '/console/'
const INDEX = 'index.html'

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** Everything comes from this origin, and nothing is taken from the page itself: no inline code, no frames around it. */
const SAFETY: Readonly<Record<string, string>> = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
}

const NOT_BUILT = `The console is not built.

In a clone of the repository: npm run build:console
Then load this page again. The API and the command line work without it.
`

interface ConsoleFile {
  readonly plain: Uint8Array<ArrayBuffer>
  readonly zipped: Promise<Uint8Array<ArrayBuffer>>
}

/**
 * Gives the built console to browsers, under /console/. Every address below it that is no file is a place in the
 * console, so that a link to it works.
 */
export function addConsole(app: Hono, folder: string): void {
  let files: ReadonlyMap<string, ConsoleFile> = new Map()
  let builtAt: number | undefined
  app.get('/', (call) => call.redirect(BASE))
  app.get('/console', (call) => call.redirect(BASE))
  app.get(`${BASE}*`, async (call) => {
    const path = call.req.path.slice(BASE.length)
    const isAsset = path.startsWith('assets/')
    const name = isAsset ? path : INDEX
    // Read when first asked for, and after every build, so that a build needs no restart.
    const built = isAsset && files.size > 0 ? builtAt : timeOfBuild(folder)
    if (built !== builtAt) {
      files = built === undefined ? new Map() : loadFiles(folder)
      builtAt = built
    }
    const file = files.get(name)
    if (!file) {
      if (files.size > 0) return call.notFound()
      return new Response(NOT_BUILT, {
        status: 503,
        headers: { 'Content-Type': 'text/plain; charset=utf-8' },
      })
    }
    const takesGzip = call.req.header('Accept-Encoding')?.includes('gzip') ?? false
    return new Response(takesGzip ? await file.zipped : file.plain, {
      headers: {
        ...SAFETY,
        'Content-Type': MEDIA_TYPES[extname(name)] ?? 'application/octet-stream',
        // The names of assets change with their content.
        'Cache-Control': isAsset ? 'public, max-age=31536000, immutable' : 'no-cache',
        Vary: 'Accept-Encoding',
        ...(takesGzip ? { 'Content-Encoding': 'gzip' } : {}),
      },
    })
  })
}

function timeOfBuild(folder: string): number | undefined {
  return statSync(join(folder, INDEX), { throwIfNoEntry: false })?.mtimeMs
}

const zip = promisify(gzip)

function loadFiles(folder: string): ReadonlyMap<string, ConsoleFile> {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
  return new Map(
    paths.map((path) => {
      const plain = new Uint8Array(readFileSync(path))
      const zipped = zip(plain, { level: 9 }).then((bytes) => new Uint8Array(bytes))
      return [relative(folder, path).split(sep).join('/'), { plain, zipped }] as const
    }),
  )
}
