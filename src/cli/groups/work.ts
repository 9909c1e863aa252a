import type { Group } from './group.ts'
import { collect, splitList, wholeNumber } from './option-values.ts'

/** Submitting workloads and watching them. */
export function addWork(group: Group): void {
  group
    .command('run', 'submit the workload of a spec file (- reads standard input)')
    .argument('<file>')
    .option('-f, --follow', 'stay and tell how it goes; the exit status tells how it ended')
    .option('--dry-run', 'say when and where it would start, and submit nothing')
    .option('--team <team>', 'team to charge')
    .option('--set <path=value>', 'put a value into the spec; may be given again', collect)
    .action(
      group.run(async (cli, file, options) => (await import('../commands/run.ts')).run(cli, file, options)),
    )
  group
    .command('ps', 'list workloads')
    .option('-a, --all', 'also what has ended')
    .option('--state <states>', 'only these states, separated by commas', splitList)
    .option('--team <team>', 'only of this team')
    .option('--user <user>', 'only of this user')
    .option('--name <name>', 'only of this name')
    .option('--limit <n>', 'at most so many (50)', wholeNumber)
    .action(group.run(async (cli, options) => (await import('../commands/ps.ts')).ps(cli, options)))
  group
    .command('show', 'show one workload with its attempts')
    .argument('<workload>', 'id or name')
    .option('--events', 'also everything that happened to it')
    .action(
      group.run(async (cli, id, options) => (await import('../commands/show.ts')).show(cli, id, options)),
    )
  group
    .command('logs', "print the output of a workload's tasks")
    .argument('<workload>', 'id or name')
    .option('-f, --follow', 'go on as it grows, also into the next attempt')
    .option('--attempt <n>', 'of this attempt (the newest)', wholeNumber)
    .option('--task <rank>', 'of this task only', wholeNumber)
    .option('-n, --tail <lines>', 'only about the last so many lines', wholeNumber)
    .action(
      group.run(async (cli, id, options) => (await import('../commands/logs.ts')).logs(cli, id, options)),
    )
  group
    .command('explain', 'say why a workload waits and when it will start')
    .argument('<workload>', 'id or name')
    .action(group.run(async (cli, id) => (await import('../commands/explain.ts')).explain(cli, id)))
  group
    .command('stop', 'stop workloads, or cancel those that wait')
    .argument('<workload...>', 'ids or names')
    .option('--kill', 'at once, without time to save')
    .option('--wait', 'return when they are over')
    .action(
      group.run(async (cli, ids, options) => (await import('../commands/stop.ts')).stop(cli, ids, options)),
    )
  group
    .command('resubmit', 'submit a workload that is over once more')
    .argument('<workload>', 'id or name')
    .action(group.run(async (cli, id) => (await import('../commands/again.ts')).resubmit(cli, id)))
}
