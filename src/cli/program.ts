import { Command, Option } from 'commander'
import { id, type NodeId } from '../base/index.ts'
import type { GlobalOptions } from './cli.ts'
import { Group } from './groups/group.ts'
import { addHere } from './groups/here.ts'
import { addMachine } from './groups/machine.ts'
import { addModels } from './groups/models.ts'
import { addPeople } from './groups/people.ts'
import { addSelf } from './groups/self.ts'
import { addSlurmHabits, addSlurmImport } from './groups/slurm.ts'
import { addWork } from './groups/work.ts'
import type { Io } from './io.ts'
import type { LiveCluster, PlanOutside } from './plan-command.ts'
import { cliVersion } from './version.ts'

/** Commands whose own modules are large: they are loaded when one is named, and stand as a line in the help until then. */
const LARGE = {
  plan: {
    description: 'say what training or serving a model takes, and the best way to spread it',
    load: async (outside: PlanOutside) => (await import('./plan-command.ts')).planCommand(outside),
  },
  twin: {
    description: 'run the scheduler in virtual time: traces, policies, faults',
    load: async () => (await import('./twin-command.ts')).twinCommand(),
  },
} as const

/**
 * All commands. What they do is imported when one is called, so that `banyan --version` is quick; `args` says which
 * large ones are needed.
 */
export async function buildProgram(io: Io, args: readonly string[]): Promise<Command> {
  const program = new Command('banyan')
    .description('One AI supercomputer that many share: submit work, watch it, learn why it waits.')
    .version(cliVersion())
    .addOption(new Option('--json', 'print JSON for programs'))
    .addOption(new Option('-w, --wide', 'let tables run on past the width of the terminal'))
    .addOption(
      new Option('--data <dir>', 'data folder of the server on this machine (BANYAN_DATA_DIR; ~/.banyan)'),
    )
    .addOption(new Option('--server <url>', 'server to talk to (BANYAN_URL); its token is BANYAN_TOKEN'))
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false, helpWidth: Math.min(io.columns, 100) })
    .configureOutput({ writeOut: io.out, writeErr: io.err })
    .showHelpAfterError('(banyan --help lists all commands, banyan COMMAND --help tells of one)')
    .exitOverride()
  const group = (heading: string) => new Group(program, io, heading)
  addHere(group('The server on this machine'))
  addWork(group('Work'))
  addModels(group('Served models'))
  addMachine(group('The machine'))
  await addLarge(program, io, args)
  addSlurmHabits(group('As in Slurm'))
  addSlurmImport(group('As in Slurm'))
  addPeople(group('People'))
  addSelf(group('This command'))
  return program
}

/** Commands that were made elsewhere, with this program's way of printing and failing, and its `--json`. */
async function addLarge(program: Command, io: Io, args: readonly string[]): Promise<void> {
  const outside = { out: io.out, err: io.err, now: io.now, liveCluster: () => liveCluster(io, program) }
  for (const [name, { description, load }] of Object.entries(LARGE)) {
    const isNeeded = args.includes(name) || args.includes('completion')
    const command = isNeeded ? await load(outside) : new Command(name).description(description)
    program.addCommand(command.helpGroup('Without a server:'))
    inherit(command, program)
    command.hook('preAction', (_, action) => {
      const { json } = program.opts<GlobalOptions>()
      if (json) action.setOptionValue('json', true)
    })
  }
}

/** The nodes of the server that the options lead to, but for those that are down. */
async function liveCluster(io: Io, program: Command): Promise<LiveCluster> {
  const { Cli } = await import('./cli.ts')
  const client = await new Cli(io, program.opts<GlobalOptions>()).client()
  const [{ items }, { cluster }] = await Promise.all([client.listNodes(), client.getVersion()])
  const nodes = items
    .filter(({ state }) => state !== 'down')
    .map((node) => ({ ...node, id: id<NodeId>(node.id) }))
  return { nodes, levels: cluster.levels }
}

function inherit(command: Command, from: Command): void {
  command.copyInheritedSettings(from)
  for (const sub of command.commands) inherit(sub, command)
}
