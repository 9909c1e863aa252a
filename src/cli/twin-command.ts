import { Command, Option } from 'commander'
import { POLICY_NAMES, SHAPE_NAMES } from '../twin/index.ts'
import { compareRuns } from './twin-compare.ts'
import { playOfFlags, type TwinFlags } from './twin-flags.ts'
import { playScenario } from './twin-play.ts'
import { printRun } from './twin-print.ts'

/** `banyan twin`: the scheduler and control of Banyan under a virtual clock, on traces and scenarios. */
export function twinCommand(): Command {
  const twin = new Command('twin').description('run the scheduler in virtual time: traces, policies, faults')
  withFlags(twin.command('run [scenario]'))
    .description('play one scenario file, or a trace given by flags')
    .option('--report <file>', 'write a self-contained HTML page with plots')
    .option('--json', 'print one JSON object')
    .option('--save <file>', 'keep the run there, so that neither Ctrl-C nor a crash loses what is done')
    .option('--save-every <span>', 'of real time; else so seldom that it costs at most 2 %')
    .option('--resume <file>', 'go on with a run that --save wrote, and keep it there')
    .action(async (file: string | undefined, flags: TwinFlags) =>
      printRun(await interruptible((signal) => playScenario(playOfFlags(file, flags), signal)), flags),
    )
  withFlags(twin.command('compare <what...>'))
    .description('play scenario files, or policies on one scenario or trace, side by side over seeds')
    .option('--seeds <count>', 'runs of each, with seeds 1, 2, ...', '5')
    .option('--report <file>', 'write a self-contained HTML page with plots')
    .option('--json', 'print one JSON object')
    .option(
      '--save <file>',
      'keep each run there as it ends; the same command again plays only what is missing',
    )
    .action((what: string[], flags: TwinFlags) => compareRuns(what, flags))
  return twin
}

const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Ctrl-C, a terminal that is closed and an order to end are told to what is done here, which then ends by itself. */
async function interruptible<Done>(work: (interruption: AbortSignal) => Promise<Done>): Promise<Done> {
  const interruption = new AbortController()
  const interrupt = () => interruption.abort()
  for (const signal of ENDING) process.once(signal, interrupt)
  try {
    return await work(interruption.signal)
  } finally {
    for (const signal of ENDING) process.off(signal, interrupt)
  }
}

function withFlags(command: Command): Command {
  return command
    .option('--trace <file>', 'jobs from a CSV with submit_s, gpus, duration_s (.gz too) or from sacct -P')
    .addOption(new Option('--generate <shape>', 'jobs of a published shape').choices(SHAPE_NAMES))
    .option('--load <share>', 'with --generate: GPU-time asked for per GPU-time there is', '0.8')
    .option('--span <span>', 'with --generate: how long jobs arrive', '30d')
    .option(
      '--cluster <size>',
      'nodes=96,gpus=8; gpus=560 for one pool; or TEMPLATE:NODES such as nd-h100-v5:512',
    )
    .option('--policy <name>', `one of ${POLICY_NAMES.join(', ')}, or a policy file`)
    .option('--seed <number>', 'of all chance in the run')
    .option('--from <moment>', 'only submissions from here: a date, seconds or a span of the trace')
    .option('--to <moment>', 'only submissions up to here; a date counts whole')
    .option('--epoch <date>', 'when second 0 of the trace was')
    .option('--start-cost <span>', 'what each start costs a job: 25s, or 4s..46s')
    .option('--horizon <span>', 'end the run after this much virtual time')
}
