import type { Group } from './group.ts'

/** The server on this machine. */
export function addHere(group: Group): void {
  group
    .command('up', 'start a server here, in the background')
    .option('--port <port>', 'where its API answers (7600)')
    .option('--host <host>', 'address to listen on (127.0.0.1: this machine only)')
    .option('--slots <n>', 'how many tasks run at once on a machine without GPUs')
    .option('--database-url <url>', 'PostgreSQL to keep its state in (DATABASE_URL); else the data folder')
    .option('--oidc <file>', 'identity provider where people may sign in (docs/operating/sign-in.md)')
    .option('--advertise <url>', 'where servers that stand by find this one (its host and port)')
    .option('--twin <template:nodes>', 'a simulated machine with people who use it: nd-h100-v5:512')
    .option('--speed <n>', 'how many times faster the time of the twin goes (60)')
    .option('--load <share>', "of the twin's GPU-time, what people ask for (0.85)")
    .option('--seed <n>', 'what the twin is drawn from (1)')
    .option('--faults <factor>', "times the published rates of failure of the twin's nodes (1)")
    .option(
      '--control-faults <factor>',
      'lost contact with the twin’s machine, late and doubled news of it (0; 1 is now and then)',
    )
    .option('--history <time>', 'how long the twin has been in use already')
    .option('--engine <name>', 'what runs the work: local (this machine) or slurm (local)')
    .option('--slurm-partition <name>', 'the partition whose nodes are scheduled (the default one)')
    .option('--slurm-dir <dir>', 'folder that all Slurm nodes see too (in the data folder)')
    .option('--slurm-account <name>', 'account that its jobs are charged to in Slurm')
    .option('--slurm-qos <name>', 'QOS of its jobs in Slurm')
    .option('--slurm-topology <file>', 'topology.conf or topology.yaml instead of what Slurm says')
    .option('--slurm-rest <url>', 'slurmrestd, http://... or unix:PATH; else Slurm’s commands')
    .option('--slurm-patience <time>', 'how long a job may wait in Slurm before it is placed anew (2m)')
    .option('--foreground', 'stay with it and show its log')
    .action(group.run(async (cli, options) => (await import('../commands/up.ts')).up(cli, options)))
  group
    .command('down', 'end the server here; what runs goes on')
    .option('--stop-work', 'stop all workloads first')
    .action(group.run(async (cli, options) => (await import('../commands/down.ts')).down(cli, options)))
  group
    .command('console', 'open the web console, signed in')
    .option('--no-open', 'only print its address')
    .action(
      group.run(async (cli, options) => (await import('../commands/console.ts')).openConsole(cli, options)),
    )
  group
    .command('backup', 'write a backup of the store into a file')
    .argument('[file]')
    .action(group.run(async (cli, file) => (await import('../commands/backup.ts')).backup(cli, file)))
  group
    .command('restore', 'read a backup into an empty data folder')
    .argument('<file>')
    .option('--database-url <url>', 'an empty PostgreSQL database instead')
    .action(
      group.run(async (cli, file, options) =>
        (await import('../commands/backup.ts')).restore(cli, file, options),
      ),
    )
}
