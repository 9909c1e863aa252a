import type { Command } from 'commander'
import type { Cli, GlobalOptions } from '../cli.ts'
import type { Io } from '../io.ts'

/** What a command does with the terminal and server, its arguments and its options. */
type Action<Arguments extends unknown[]> = (cli: Cli, ...args: Arguments) => Promise<void>

/** Commands that stand under one heading in the help. */
export class Group {
  readonly program: Command
  readonly heading: string
  readonly #io: Io

  constructor(program: Command, io: Io, heading: string) {
    this.program = program
    this.heading = `${heading}:`
    this.#io = io
  }

  command(name: string, description: string): Command {
    return this.program.command(name).description(description).helpGroup(this.heading)
  }

  /** Commander gives arguments, options and the command; the action wants `cli` first and no command. */
  // biome-ignore lint/suspicious/noExplicitAny: commander does not type what an action gets
  run(action: Action<any[]>): (...given: any[]) => Promise<void> {
    return async (...given) => {
      const command = given.pop() as Command
      const { Cli } = await import('../cli.ts')
      await action(new Cli(this.#io, command.optsWithGlobals<GlobalOptions>()), ...given)
    }
  }
}
