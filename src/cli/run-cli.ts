import { CommanderError } from 'commander'
import { keepingSlurmWords } from './groups/slurm.ts'
import type { Io } from './io.ts'
import { buildProgram } from './program.ts'

/** Runs one command line and gives its exit status; everything it says goes through `io`. */
export async function runCli(args: readonly string[], io: Io): Promise<number> {
  const program = await buildProgram(io, args)
  try {
    await program.parseAsync([...keepingSlurmWords(args)], { from: 'user' })
    return 0
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    const { reportError } = await import('./render/error.ts')
    return reportError(io, error, args.includes('--json'))
  }
}
