import type { Group } from './group.ts'

type Run = (cli: import('../cli.ts').Cli, words: readonly string[]) => Promise<void>

/** Commands whose words Slurm's users know; all that follows them is read as Slurm does. */
const HABITS: Readonly<Record<string, { readonly description: string; readonly load: () => Promise<Run> }>> =
  {
    sbatch: {
      description: 'submit a Slurm batch script; options that cannot be honoured are named',
      load: async () => (await import('../slurm/sbatch.ts')).sbatch,
    },
    squeue: {
      description: 'what waits and runs, in Slurm’s columns (-o FORMAT, -u, -t, -j, -n, -h)',
      load: async () => (await import('../slurm/views.ts')).squeue,
    },
    scancel: {
      description: 'end work by id, or by -u USER, --me, -n NAME, -t STATE',
      load: async () => (await import('../slurm/views.ts')).scancel,
    },
    sinfo: {
      description: 'the nodes by state (-N, -o FORMAT, -n HOSTLIST, -t, -h)',
      load: async () => (await import('../slurm/views.ts')).sinfo,
    },
    sacct: {
      description: 'what was and is, with what it used (--format=FIELDS, -j, -s, -P, -n)',
      load: async () => (await import('../slurm/views.ts')).sacct,
    },
  }

export function addSlurmHabits(group: Group): void {
  for (const [name, { description, load }] of Object.entries(HABITS)) {
    group
      .command(name, description)
      .argument('[words...]', 'as in Slurm')
      .action(group.run(async (cli, words: readonly string[]) => (await load())(cli, words)))
  }
}

/** `banyan slurm import`, which has options of its own. */
export function addSlurmImport(group: Group): void {
  group
    .command('slurm', 'bring a Slurm site over')
    .command('import')
    .description(
      'say what a slurm.conf, with its gres.conf and topology beside it, becomes here, and what has no counterpart',
    )
    .argument('<slurm.conf>')
    .option('--topology <file>', 'topology.conf or topology.yaml (beside slurm.conf)')
    .option('--accounts <file>', 'what `sacctmgr dump CLUSTER` wrote')
    .option('--qos <file>', 'what `sacctmgr -P show qos` printed')
    .option('--apply', 'make organisations, teams, queues and users of the accounts')
    .action(
      group.run(async (cli, file, options) =>
        (await import('../slurm/import.ts')).importSite(cli, file, options),
      ),
    )
}

const GLOBAL_FLAGS: readonly string[] = ['--json', '-w', '--wide']
const GLOBAL_VALUES: readonly string[] = ['--data', '--server']

/** The command line with all behind such a command marked as its own words; `--help` stays what it is. */
export function keepingSlurmWords(args: readonly string[]): readonly string[] {
  let at = 0
  while (at < args.length && args[at]!.startsWith('-')) {
    if (GLOBAL_VALUES.includes(args[at]!)) at += 2
    else if (GLOBAL_FLAGS.includes(args[at]!) || /^--(?:data|server)=/.test(args[at]!)) at++
    else return args
  }
  const name = args[at]
  const rest = args.slice(at + 1)
  if (name === undefined || !Object.hasOwn(HABITS, name) || rest[0] === '--help') return args
  return [...args.slice(0, at + 1), '--', ...rest]
}
