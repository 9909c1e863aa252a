import { renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'vite'

/** Makes dist/console from src/console: what the server gives to browsers. */
export async function buildConsole(): Promise<void> {
  const root = fileURLToPath(new URL('..', import.meta.url))
  const folder = join(root, 'dist/console')
  // Built beside and then put in place, so that a server that gives it to browsers always has a whole one.
  const outDir = `${folder}.new`
  await build({
    configFile: false,
    root: join(root, 'src/console'),
    base: '/console/',
    logLevel: 'warn',
    publicDir: false,
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    // The content security policy allows no inline code, no data addresses and no eval.
    build: {
      outDir,
      emptyOutDir: true,
      target: 'es2022',
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
    },
  })
  rmSync(folder, { recursive: true, force: true })
  renameSync(outDir, folder)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await buildConsole()
