import type { Command } from 'commander'
import type { Cli } from '../cli.ts'
import { completionScript, SHELLS } from '../completion.ts'
import { CliFailure } from '../failure.ts'

/** Prints the completion script of a shell. */
export function completion(cli: Cli, program: Command, name: string): Promise<void> {
  const shell = SHELLS.find((known) => known === name)
  if (!shell) {
    return Promise.reject(
      new CliFailure(
        'usage',
        `there is no completion for "${name}"`,
        `For ${SHELLS.join(', ')}: eval "$(banyan completion bash)"`,
      ),
    )
  }
  const script = completionScript(program, shell)
  cli.print({ shell, script }, () => script)
  return Promise.resolve()
}
