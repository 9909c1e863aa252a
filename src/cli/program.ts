import { Command, InvalidArgumentError, Option } from 'commander'
import type { Cli, GlobalOptions } from './cli.ts'
import type { Io } from './io.ts'
import { cliVersion } from './version.ts'

/** Commands whose own modules are large: they are loaded when one is named, and stand as a line in the help until then. */
const LARGE = {
  plan: {
    description: 'say what training or serving a model takes, and the best way to spread it',
    load: async () => (await import('./plan-command.ts')).planCommand(),
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
  const commands = new Commands(program, io)
  commands.addBeforeLarge()
  for (const [name, { description, load }] of Object.entries(LARGE)) {
    const isNeeded = args.includes(name) || args.includes('completion')
    addLarge(program, isNeeded ? await load() : new Command(name).description(description))
  }
  commands.addAfterLarge()
  return program
}

/** A command that was made elsewhere, with this program's way of printing and failing, and its `--json`. */
function addLarge(program: Command, command: Command): void {
  program.addCommand(command.helpGroup('Without a server:'))
  inherit(command, program)
  command.hook('preAction', (_, action) => {
    const { json } = program.opts<GlobalOptions>()
    if (json) action.setOptionValue('json', true)
  })
}

function inherit(command: Command, from: Command): void {
  command.copyInheritedSettings(from)
  for (const sub of command.commands) inherit(sub, command)
}

/** What a command's action gets: the terminal and server, then its arguments and options. */
type Action<Arguments extends unknown[]> = (cli: Cli, ...args: Arguments) => Promise<void>

class Commands {
  readonly #program: Command
  readonly #io: Io

  constructor(program: Command, io: Io) {
    this.#program = program
    this.#io = io
  }

  addBeforeLarge(): void {
    this.#machine()
    this.#work()
    this.#serving()
    this.#operating()
  }

  addAfterLarge(): void {
    this.#tenancy()
    this.#self()
  }

  #machine(): void {
    this.#group('The server on this machine')
    this.#command('up', 'start a server here, in the background')
      .option('--port <port>', 'where its API answers (7600)')
      .option('--host <host>', 'address to listen on (127.0.0.1: this machine only)')
      .option('--slots <n>', 'how many tasks run at once on a machine without GPUs')
      .option('--database-url <url>', 'PostgreSQL to keep its state in (DATABASE_URL); else the data folder')
      .option('--foreground', 'stay with it and show its log')
      .action(this.#run(async (cli, options) => (await import('./commands/up.ts')).up(cli, options)))
    this.#command('down', 'end the server here; what runs goes on')
      .option('--stop-work', 'stop all workloads first')
      .action(this.#run(async (cli, options) => (await import('./commands/down.ts')).down(cli, options)))
    this.#command('backup', 'write a backup of the store into a file')
      .argument('[file]')
      .action(this.#run(async (cli, file) => (await import('./commands/backup.ts')).backup(cli, file)))
    this.#command('restore', 'read a backup into an empty data folder')
      .argument('<file>')
      .option('--database-url <url>', 'an empty PostgreSQL database instead')
      .action(
        this.#run(async (cli, file, options) =>
          (await import('./commands/backup.ts')).restore(cli, file, options),
        ),
      )
  }

  #work(): void {
    this.#group('Work')
    this.#command('run', 'submit the workload of a spec file (- reads standard input)')
      .argument('<file>')
      .option('-f, --follow', 'stay and tell how it goes; the exit status tells how it ended')
      .option('--dry-run', 'say when and where it would start, and submit nothing')
      .option('--team <team>', 'team to charge')
      .option('--set <path=value>', 'put a value into the spec; may be given again', collect)
      .action(
        this.#run(async (cli, file, options) => (await import('./commands/run.ts')).run(cli, file, options)),
      )
    this.#command('ps', 'list workloads')
      .option('-a, --all', 'also what has ended')
      .option('--state <states>', 'only these states, separated by commas', splitList)
      .option('--team <team>', 'only of this team')
      .option('--user <user>', 'only of this user')
      .option('--name <name>', 'only of this name')
      .option('--limit <n>', 'at most so many (50)', wholeNumber)
      .action(this.#run(async (cli, options) => (await import('./commands/ps.ts')).ps(cli, options)))
    this.#command('show', 'show one workload with its attempts')
      .argument('<workload>', 'id or name')
      .option('--events', 'also everything that happened to it')
      .action(
        this.#run(async (cli, id, options) => (await import('./commands/show.ts')).show(cli, id, options)),
      )
    this.#command('logs', "print the output of a workload's tasks")
      .argument('<workload>', 'id or name')
      .option('-f, --follow', 'go on as it grows, also into the next attempt')
      .option('--attempt <n>', 'of this attempt (the newest)', wholeNumber)
      .option('--task <rank>', 'of this task only', wholeNumber)
      .option('-n, --tail <lines>', 'only about the last so many lines', wholeNumber)
      .action(
        this.#run(async (cli, id, options) => (await import('./commands/logs.ts')).logs(cli, id, options)),
      )
    this.#command('explain', 'say why a workload waits and when it will start')
      .argument('<workload>', 'id or name')
      .action(this.#run(async (cli, id) => (await import('./commands/explain.ts')).explain(cli, id)))
    this.#command('stop', 'stop workloads, or cancel those that wait')
      .argument('<workload...>', 'ids or names')
      .option('--kill', 'at once, without time to save')
      .option('--wait', 'return when they are over')
      .action(
        this.#run(async (cli, ids, options) => (await import('./commands/stop.ts')).stop(cli, ids, options)),
      )
    this.#command('resubmit', 'submit a workload that is over once more')
      .argument('<workload>', 'id or name')
      .action(this.#run(async (cli, id) => (await import('./commands/again.ts')).resubmit(cli, id)))
  }

  #serving(): void {
    this.#group('Served models')
    this.#command('endpoints', 'list served models').action(
      this.#run(async (cli) => (await import('./commands/endpoints.ts')).listEndpoints(cli)),
    )
    this.#command('chat', 'talk with a served model')
      .argument(
        '[words...]',
        'the model, unless only one is served, and a prompt; without a prompt a conversation begins',
      )
      .option('--system <text>', 'how the model shall behave')
      .option('--max-tokens <n>', 'length of an answer at most', wholeNumber)
      .option('--temperature <t>', 'how freely it chooses', decimal)
      .action(
        this.#run(async (cli, words, options) =>
          (await import('./commands/chat.ts')).chat(cli, words, options),
        ),
      )
    this.#command('scale', 'change the number of replicas of a served model')
      .argument('<workload>', 'id or name')
      .argument('<replicas>', 'how many', wholeNumber)
      .action(
        this.#run(async (cli, id, replicas) =>
          (await import('./commands/again.ts')).scale(cli, id, replicas),
        ),
      )
  }

  #operating(): void {
    this.#group('The machine')
    const nodes = this.#command('nodes', 'list nodes, or cordon, drain and resume them')
    nodes
      .command('list', { isDefault: true })
      .description('list nodes with what is free on them')
      .action(this.#run(async (cli) => (await import('./commands/nodes.ts')).listNodes(cli)))
    const orders = [
      ['cordon', 'let nodes take nothing new; what runs goes on'],
      ['drain', 'cordon nodes and ask what runs there to move'],
      ['resume', 'let nodes take work again'],
    ] as const
    for (const [action, description] of orders) {
      nodes
        .command(action)
        .description(description)
        .argument('<node...>')
        .option('-r, --reason <text>', 'why')
        .action(
          this.#run(async (cli, ids, options) =>
            (await import('./commands/nodes.ts')).orderNodes(cli, action, ids, options),
          ),
        )
    }
    const queues = this.#command('queues', 'list queues, or change one')
    queues
      .command('list', { isDefault: true })
      .description('list the tree of queues with what each holds')
      .action(this.#run(async (cli) => (await import('./commands/queues.ts')).listQueues(cli)))
    queues
      .command('set')
      .description('change guarantee, limits, weight or lending of a queue')
      .argument('<queue>', 'organisation or organisation/team')
      .option('--guaranteed <gpus>', 'GPUs that are always its own')
      .option('--limit <gpus>', 'GPUs that it never exceeds, or none')
      .option('--limit-per-user <gpus>', 'the same for each user, or none')
      .option('--weight <w>', 'its share of what nobody is guaranteed')
      .option('--lendable <yes|no>', 'whether others may use what it leaves idle')
      .action(
        this.#run(async (cli, id, options) =>
          (await import('./commands/queues.ts')).setQueue(cli, id, options),
        ),
      )
    this.#policy()
    this.#command('forecast', 'when queued workloads will start')
      .option('--score', 'how good past forecasts were')
      .action(
        this.#run(async (cli, options) => (await import('./commands/forecast.ts')).forecast(cli, options)),
      )
    this.#command('what-if', 'try changes on a copy of the live state; nothing is changed')
      .option('--add-nodes <n>', 'so many nodes more')
      .option('--like <node>', 'with --add-nodes: of the kind of this node')
      .option('--remove-nodes <nodes>', 'without these nodes, separated by commas', splitList)
      .option('--guaranteed <queue=gpus>', 'another guarantee; may be given again', collect)
      .option('--limit <queue=gpus>', 'another limit, or none; may be given again', collect)
      .option('--weight <queue=w>', 'another weight; may be given again', collect)
      .option('--priority <workload=class>', 'another priority; may be given again', collect)
      .option('--stop <workload>', 'without this workload; may be given again', collect)
      .option('--submit <file>', 'with the workload of this spec file; may be given again', collect)
      .action(this.#run(async (cli, options) => (await import('./commands/what-if.ts')).whatIf(cli, options)))
    this.#command('usage', 'GPU-hours held, billed and lost')
      .option('--by <group>', 'organisation, team, user or workload (team)')
      .option('--from <when>', 'a date, or a span back such as 7d (30d)')
      .option('--to <when>', 'a date, or a span back (now)')
      .action(this.#run(async (cli, options) => (await import('./commands/usage.ts')).usage(cli, options)))
  }

  #policy(): void {
    const policy = this.#command('policy', "show the scheduler's policy, preview or make a change")
    policy
      .command('show', { isDefault: true })
      .description('show it')
      .action(this.#run(async (cli) => (await import('./commands/policy.ts')).showPolicy(cli)))
    policy
      .command('preview')
      .description('show what other settings would do')
      .argument('<name=value...>')
      .action(
        this.#run(async (cli, pairs) => (await import('./commands/policy.ts')).previewPolicy(cli, pairs)),
      )
    policy
      .command('set')
      .description('change settings, after showing the effect and asking')
      .argument('<name=value...>')
      .option('-y, --yes', 'without asking')
      .action(
        this.#run(async (cli, pairs, options) =>
          (await import('./commands/policy.ts')).setPolicy(cli, pairs, options),
        ),
      )
  }

  #tenancy(): void {
    this.#group('People')
    const module = () => import('./commands/tenancy.ts')
    const orgs = this.#command('orgs', 'list organisations, or make one').alias('organisations')
    orgs
      .command('list', { isDefault: true })
      .description('list them')
      .action(this.#run(async (cli) => (await module()).listOrganisations(cli)))
    orgs
      .command('create')
      .description('make one, with its queue')
      .argument('<id>')
      .action(this.#run(async (cli, id) => (await module()).createOrganisation(cli, id)))
    const teams = this.#command('teams', 'list teams, or make one')
    teams
      .command('list', { isDefault: true })
      .description('list them')
      .action(this.#run(async (cli) => (await module()).listTeams(cli)))
    teams
      .command('create')
      .description('make one, with its queue')
      .argument('<team>', 'team or organisation/team')
      .action(this.#run(async (cli, id) => (await module()).createTeam(cli, id)))
    const users = this.#command('users', 'list users, make, change or remove one')
    users
      .command('list', { isDefault: true })
      .description('list them')
      .action(this.#run(async (cli) => (await module()).listUsers(cli)))
    users
      .command('set')
      .description('make a user, or change one; what is left out stays')
      .argument('<user>')
      .option('--organisation <organisation>', 'where they belong (your own)')
      .option('--team <team>', 'a team of theirs; may be given again', collect)
      .option('--role <role>', 'operator, admin, member or viewer (member)')
      .action(this.#run(async (cli, id, options) => (await module()).setUser(cli, id, options)))
    users
      .command('remove')
      .description('remove a user and revoke their tokens')
      .argument('<user>')
      .action(this.#run(async (cli, id) => (await module()).removeUser(cli, id)))
    const tokens = this.#command('tokens', 'list tokens, issue or revoke one')
    tokens
      .command('list', { isDefault: true })
      .description('list them')
      .action(this.#run(async (cli) => (await module()).listTokens(cli)))
    tokens
      .command('issue')
      .description('issue a token; its secret is printed once')
      .option('--user <user>', 'for this user (yourself)')
      .option('--label <text>', 'what it is for')
      .option('--expires <span>', 'for so long, such as 90d (for ever)')
      .action(this.#run(async (cli, options) => (await module()).issueToken(cli, options)))
    tokens
      .command('revoke')
      .description('revoke a token')
      .argument('<token>', 'id as listed')
      .action(this.#run(async (cli, id) => (await module()).revokeToken(cli, id)))
    this.#command('whoami', 'who your token belongs to').action(
      this.#run(async (cli) => (await import('./commands/whoami.ts')).whoAmI(cli)),
    )
  }

  #self(): void {
    this.#group('This command')
    this.#program.addHelpCommand(
      new Command('help')
        .argument('[command]')
        .description('help for a command')
        .helpGroup(`${this.#heading}:`),
    )
    this.#command('version', 'versions of this command and of the server').action(
      this.#run(async (cli) => (await import('./commands/version.ts')).version(cli)),
    )
    this.#command('completion', 'print the completion script of a shell')
      .argument('<shell>', 'bash, zsh or fish')
      .action(
        this.#run(async (cli, shell) =>
          (await import('./commands/completion.ts')).completion(cli, this.#program, shell),
        ),
      )
  }

  #heading = ''

  #group(heading: string): void {
    this.#heading = heading
  }

  #command(name: string, description: string): Command {
    return this.#program.command(name).description(description).helpGroup(`${this.#heading}:`)
  }

  /** Commander gives arguments, options and the command; the action wants `cli` first and no command. */
  // biome-ignore lint/suspicious/noExplicitAny: commander does not type what an action gets
  #run(action: Action<any[]>): (...given: any[]) => Promise<void> {
    return async (...given) => {
      const command = given.pop() as Command
      const { Cli } = await import('./cli.ts')
      await action(new Cli(this.#io, command.optsWithGlobals<GlobalOptions>()), ...given)
    }
  }
}

function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value]
}

function splitList(value: string): readonly string[] {
  return value
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean)
}

function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It takes a whole number.')
}

function decimal(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isFinite(value)) return value
  throw new InvalidArgumentError('It takes a number.')
}
