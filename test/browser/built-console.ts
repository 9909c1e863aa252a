import { buildConsole } from '../../scripts/build-console.ts'

/** The suite looks at the console as it is in the sources now. */
export async function setup(): Promise<void> {
  await buildConsole()
}
