import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, readFileSync, rmSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildConsole } from './build-console.ts'

/**
 * Makes dist/ from src/, file by file: JavaScript, the data files beside it, and declarations of the SDK. Nothing
 * is bundled, so that workers, migrations and wasm are found beside the code that names them; but the console is, for
 * browsers.
 */
const root = fileURLToPath(new URL('..', import.meta.url))
const dist = join(root, 'dist')
const consoleSource = join(root, 'src/console')
const command = join(dist, 'cli/main.js')

rmSync(dist, { recursive: true, force: true })
compile('tsconfig.build.json')
compile('tsconfig.sdk.json')
cpSync(join(root, 'src'), dist, { recursive: true, filter: isAsset })
makeExecutable(command)
await buildConsole()

function compile(config: string): void {
  const { status, error } = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', config], {
    cwd: root,
    stdio: 'inherit',
  })
  if (error) throw error
  if (status !== 0) stop(`the compiler found errors (${config}); nothing was built`)
}

/** Folders, and every file that the compiler does not turn into JavaScript and that users need at run time. */
function isAsset(path: string): boolean {
  if (statSync(path).isDirectory()) return basename(path) !== 'fixtures' && path !== consoleSource
  return !/\.(tsx?|md)$/.test(path)
}

function makeExecutable(path: string): void {
  if (!readFileSync(path, 'utf8').startsWith('#!/usr/bin/env node\n')) {
    stop('src/cli/main.ts must begin with #!/usr/bin/env node, or no shell can start banyan')
  }
  chmodSync(path, 0o755)
}

function stop(reason: string): never {
  console.error(`build: ${reason}`)
  process.exit(1)
}
