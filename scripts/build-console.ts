import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'vite'

/** Makes dist/console from src/console: what the server gives to browsers. */
export async function buildConsole(): Promise<void> {
  const root = fileURLToPath(new URL('..', import.meta.url))
  const outDir = join(root, 'dist/console')
  rmSync(outDir, { recursive: true, force: true })
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
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await buildConsole()
