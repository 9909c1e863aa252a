import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Node's arguments that run a program of the server room: from source under tsx, or as it was built. */
export function serverProgram(name: 'main' | 'restore-main'): readonly string[] {
  const built = fileURLToPath(new URL(`../../server/${name}.js`, import.meta.url))
  const source = fileURLToPath(new URL(`../../server/${name}.ts`, import.meta.url))
  return [...process.execArgv, existsSync(built) ? built : source]
}
