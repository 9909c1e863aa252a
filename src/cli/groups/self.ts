import { Command } from 'commander'
import type { Group } from './group.ts'

/** The command itself. */
export function addSelf(group: Group): void {
  group.program.addHelpCommand(
    new Command('help').argument('[command]').description('help for a command').helpGroup(group.heading),
  )
  group
    .command('version', 'versions of this command and of the server')
    .action(group.run(async (cli) => (await import('../commands/version.ts')).version(cli)))
  group
    .command('completion', 'print the completion script of a shell')
    .argument('<shell>', 'bash, zsh or fish')
    .action(
      group.run(async (cli, shell) =>
        (await import('../commands/completion.ts')).completion(cli, group.program, shell),
      ),
    )
}
