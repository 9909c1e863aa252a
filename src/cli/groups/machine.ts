import type { Group } from './group.ts'
import { collect, splitList, wholeNumber } from './option-values.ts'

/** Nodes, queues, policy and what comes of them. */
export function addMachine(group: Group): void {
  const nodes = group.command('nodes', 'list nodes, or cordon, drain, resume and rename them')
  nodes
    .command('list', { isDefault: true })
    .description('list nodes with what is free on them')
    .action(group.run(async (cli) => (await import('../commands/nodes.ts')).listNodes(cli)))
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
        group.run(async (cli, ids, options) =>
          (await import('../commands/nodes.ts')).orderNodes(cli, action, ids, options),
        ),
      )
  }
  nodes
    .command('rename')
    .description('give a node another name; what runs there goes on')
    .argument('<node>', 'as it is called now')
    .argument('<name>', 'what to call it')
    .action(
      group.run(async (cli, node, name) =>
        (await import('../commands/nodes.ts')).renameNode(cli, node, name),
      ),
    )
  const queues = group.command('queues', 'list queues, or change one')
  queues
    .command('list', { isDefault: true })
    .description('list the tree of queues with what each holds')
    .action(group.run(async (cli) => (await import('../commands/queues.ts')).listQueues(cli)))
  queues
    .command('set')
    .description('change guarantee, limits, weight or lending of a queue')
    .argument('<queue>', 'organisation or organisation/team')
    .option('--guaranteed <gpus>', 'GPUs that are always its own')
    .option('--guaranteed-domains <n x level>', 'whole domains on top, such as 2xblock, or none')
    .option('--limit <gpus>', 'GPUs that it never exceeds, or none')
    .option('--limit-per-user <gpus>', 'the same for each user, or none')
    .option('--budget <hours/span>', 'GPU-hours in any such span, such as 1000/7d, or none')
    .option('--weight <w>', 'its share of what nobody is guaranteed')
    .option('--lendable <yes|no>', 'whether others may use what it leaves idle')
    .action(
      group.run(async (cli, id, options) =>
        (await import('../commands/queues.ts')).setQueue(cli, id, options),
      ),
    )
  addPolicy(group)
  addReservations(group)
  group
    .command('forecast', 'when queued workloads will start')
    .option('--score', 'how good past forecasts were')
    .action(
      group.run(async (cli, options) => (await import('../commands/forecast.ts')).forecast(cli, options)),
    )
  group
    .command('what-if', 'try changes on a copy of the live state; nothing is changed')
    .option('--add-nodes <n>', 'so many nodes more')
    .option('--like <node>', 'with --add-nodes: of the kind of this node')
    .option('--remove-nodes <nodes>', 'without these nodes, separated by commas', splitList)
    .option('--guaranteed <queue=gpus>', 'another guarantee; may be given again', collect)
    .option('--limit <queue=gpus>', 'another limit, or none; may be given again', collect)
    .option('--weight <queue=w>', 'another weight; may be given again', collect)
    .option('--priority <workload=class>', 'another priority; may be given again', collect)
    .option('--stop <workload>', 'without this workload that waits; may be given again', collect)
    .option('--submit <file>', 'with the workload of this spec file; may be given again', collect)
    .option('--last <span>', 'play so much of the log again under --policy, instead of a look ahead')
    .option('--policy <name>', 'with --last: a policy of banyan twin, or a policy file')
    .action(
      group.run(async (cli, options) => {
        const { last, policy, ...edits } = options
        if (last === undefined && policy === undefined)
          return (await import('../commands/what-if.ts')).whatIf(cli, edits)
        return (await import('../twin-replay.ts')).replayOf(cli, options)
      }),
    )
  addBill(group)
  group
    .command('audit', 'who did what: the events, newest first')
    .option('--actor <who>', 'user, scheduler, engine or system, or one of them: user:ada')
    .option('--kind <kinds>', 'only these kinds of events, separated by commas', splitList)
    .option('--workload <workload>', 'only of this workload, by id or name')
    .option('--node <node>', 'only of this node')
    .option('--from <when>', 'a date, or a span back such as 7d')
    .option('--to <when>', 'a date, or a span back')
    .option('--limit <n>', 'at most so many (50)', wholeNumber)
    .option('--csv', 'all of them, oldest first, as CSV')
    .option('--jsonl', 'all of them, oldest first, as JSON lines')
    .action(group.run(async (cli, options) => (await import('../commands/audit.ts')).audit(cli, options)))
  group
    .command('usage', 'GPU-hours held, billed and lost')
    .option('--by <group>', 'organisation, team, user or workload (team)')
    .option('--from <when>', 'a date, or a span back such as 7d (30d)')
    .option('--to <when>', 'a date, or a span back (now)')
    .action(group.run(async (cli, options) => (await import('../commands/usage.ts')).usage(cli, options)))
}

function addBill(group: Group): void {
  const bill = group.command('bill', 'GPU-hours, money and waste of a period, and prices')
  bill
    .command('show', { isDefault: true })
    .description('show the bill of what you may see')
    .option('--by <group>', 'organisation, team, user or workload (team)')
    .option('--from <when>', 'a date, or a span back such as 7d (30d)')
    .option('--to <when>', 'a date, or a span back (now)')
    .option('--limit <n>', 'at most so many lines (50)', wholeNumber)
    .option('--csv', 'every line, as CSV')
    .action(group.run(async (cli, options) => (await import('../commands/bill.ts')).showBill(cli, options)))
  const prices = bill.command('prices').description('what GPU-hours cost')
  prices
    .command('show', { isDefault: true })
    .description('show it')
    .action(group.run(async (cli) => (await import('../commands/bill.ts')).showPrices(cli)))
  prices
    .command('set')
    .description('set it from a time on')
    .argument('<model=amount...>', 'such as H100=2.50; a model is named as far as needed')
    .option('--currency <code>', 'such as EUR (as it is)')
    .option('--since <when>', 'a date, a span back, or ever (now; the first: ever)')
    .action(
      group.run(async (cli, pairs, options) =>
        (await import('../commands/bill.ts')).setPrices(cli, pairs, options),
      ),
    )
}

function addReservations(group: Group): void {
  const reservations = group.command('reservations', 'list reservations and maintenance windows, or end one')
  reservations
    .command('list', { isDefault: true })
    .description('list those that concern you')
    .action(group.run(async (cli) => (await import('../commands/reservations.ts')).listReservations(cli)))
  reservations
    .command('show')
    .description('its nodes, and what may still run there when it opens')
    .argument('<name>')
    .action(
      group.run(async (cli, id) => (await import('../commands/reservations.ts')).showReservation(cli, id)),
    )
  reservations
    .command('cancel')
    .description('end reservations, or call them off')
    .argument('<name...>')
    .action(
      group.run(async (cli, ids) =>
        (await import('../commands/reservations.ts')).cancelReservations(cli, ids),
      ),
    )
  group
    .command('reserve', 'keep nodes for a queue or user, or for maintenance, in a window of time')
    .argument('<name>', 'what to call it')
    .option('--nodes <nodes>', 'these nodes, separated by commas', splitList)
    .option('--count <n>', 'so many whole nodes of one kind, chosen where they will be free')
    .option('--domain <path>', 'all nodes of a domain such as pod/block; with --count: so many of it')
    .option('--from <when>', 'a time, or a span from now such as 2h (now)')
    .option('--to <when>', 'when it ends')
    .option('--for <span>', 'or how long it is')
    .option('--queue <queue>', 'whose work may run there; may be given again', collect)
    .option('--user <user>', 'the same for a user; may be given again', collect)
    .option('--maintenance', "nobody's work may run there")
    .option('-r, --reason <text>', 'for people')
    .option('--dry-run', 'show who would start earlier or later; nothing is changed')
    .action(
      group.run(async (cli, id, options) =>
        (await import('../commands/reservations.ts')).reserve(cli, id, options),
      ),
    )
}

function addPolicy(group: Group): void {
  const policy = group.command('policy', "show the scheduler's policy, preview or make a change")
  policy
    .command('show', { isDefault: true })
    .description('show it')
    .action(group.run(async (cli) => (await import('../commands/policy.ts')).showPolicy(cli)))
  policy
    .command('preview')
    .description('show what other settings would do')
    .argument('<name=value...>')
    .action(
      group.run(async (cli, pairs) => (await import('../commands/policy.ts')).previewPolicy(cli, pairs)),
    )
  policy
    .command('apply')
    .description('bring policy and queues to what a file says, after showing the effect and asking')
    .argument('<file>', 'YAML with policy and queues')
    .option('-y, --yes', 'without asking')
    .action(
      group.run(async (cli, file, options) =>
        (await import('../commands/policy-apply.ts')).applyPolicy(cli, file, options),
      ),
    )
  policy
    .command('set')
    .description('change settings, after showing the effect and asking')
    .argument('<name=value...>')
    .option('-y, --yes', 'without asking')
    .action(
      group.run(async (cli, pairs, options) =>
        (await import('../commands/policy.ts')).setPolicy(cli, pairs, options),
      ),
    )
}
