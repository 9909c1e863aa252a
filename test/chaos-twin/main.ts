import { parseArgs } from 'node:util'
import { CANARIES, type CanaryName, runChaos } from '../../src/twin/index.ts'

/**
 * `npm run chaos -- [--seeds N] [--from N] [--seed N] [--canary RULE]`: worlds with every fault there is, one for
 * each seed, watched for the safety rules. A seed that finds something is printed with the command that plays it again.
 */
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '100' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    canary: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
})
const canary = values.canary as CanaryName | undefined
if (canary !== undefined && !Object.hasOwn(CANARIES, canary)) {
  process.stderr.write(`there is no canary "${canary}"; known are ${Object.keys(CANARIES).join(', ')}\n`)
  process.exit(2)
}
const from = Number(values.seed ?? values.from)
const count = values.seed === undefined ? Number(values.seeds) : 1
if (!Number.isSafeInteger(from) || !Number.isSafeInteger(count)) {
  process.stderr.write('--seed, --from and --seeds need whole numbers\n')
  process.exit(2)
}

const begin = performance.now()
const failures: { seed: number; rule: string; detail: string }[] = []
let steps = 0
let events = 0
let crashes = 0
for (let seed = from; seed < from + count; seed++) {
  const result = runChaos(seed, canary)
  steps += result.steps
  events += result.events
  crashes += result.crashes
  if (values.seed !== undefined && !values.json)
    process.stdout.write(`${JSON.stringify(result.options, null, 2)}\nhash ${result.hash}\n`)
  for (const { rule, atMs, detail } of result.findings.slice(0, 3)) {
    failures.push({ seed, rule, detail })
    if (!values.json)
      process.stdout.write(
        `seed ${seed}: ${rule} at ${atMs} ms: ${detail}\n  again: npm run chaos -- --seed ${seed}${canary ? ` --canary ${canary}` : ''}\n`,
      )
  }
  if (!values.json && values.seed === undefined && (seed - from + 1) % 500 === 0)
    process.stdout.write(`${seed - from + 1} seeds, ${failures.length} findings\n`)
}
const seconds = (performance.now() - begin) / 1000
const summary = { seeds: count, from, steps, events, crashes, findings: failures.length, seconds }
process.stdout.write(
  values.json
    ? `${JSON.stringify({ ...summary, failures })}\n`
    : `${count} seeds in ${seconds.toFixed(1)} s: ${steps} steps, ${events} events, ${crashes} crashes, ${failures.length} findings\n`,
)
process.exitCode = failures.length > 0 && canary === undefined ? 1 : 0
