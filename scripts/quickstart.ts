import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import pc from 'picocolors'
import { type Client, createClient } from '../src/api/index.ts'
import { type Deployment, deployAndAsk } from './quickstart/deploy.ts'
import { Narrator } from './quickstart/narrator.ts'
import { runBanyan } from './quickstart/run-banyan.ts'
import { type Training, trainWithAccident } from './quickstart/train.ts'

/**
 * The main job, end to end, on this machine: start Banyan, train a model on a gang of workers, kill one of them in
 * the middle, go on from the checkpoint, serve the model and talk to it.
 */
const ROOT = fileURLToPath(new URL('..', import.meta.url))

const USAGE = `npm run quickstart -- [--workers N] [--steps N] [--data DIR] [--port N] [--exit] [--json]

  --workers N  processes that train together (default 2)
  --steps N    training steps (default 200)
  --data DIR   data folder of the server (default ~/.banyan)
  --port N     port of the server (default: Banyan's own)
  --exit       stop everything at the end
  --json       print the summary as JSON, and all else on standard error`

interface Options {
  readonly workers: number
  readonly steps: number
  readonly dataDir: string
  readonly port: string | undefined
  readonly exit: boolean
  readonly json: boolean
}

const begin = Date.now()
const options = readOptions()
const narrator = new Narrator(options.json ? process.stderr : process.stdout)
try {
  await quickstart()
} catch (error) {
  narrator.endLine()
  process.stderr.write(`\nquickstart: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
}

async function quickstart(): Promise<void> {
  narrator.title('1. A Banyan server on this machine')
  const client = await startServer()
  const checkpointDir = join(options.dataDir, 'quickstart', randomUUID().slice(0, 8))

  narrator.title(`2. Train a byte-level GPT on a gang of ${options.workers}, and kill a worker in the middle`)
  const { workers, steps } = options
  const training = await trainWithAccident({ client, narrator, root: ROOT, checkpointDir, workers, steps })

  narrator.title('3. Serve the checkpoint and talk to it')
  const deployment = await deployAndAsk({ client, narrator, root: ROOT, checkpointDir })

  const seconds = Math.round((Date.now() - begin) / 1000)
  if (options.json)
    process.stdout.write(`${JSON.stringify(summaryOf(training, deployment, seconds), null, 2)}\n`)
  else tellSummary(training, deployment, seconds)
  await finish(client, training, deployment)
}

async function startServer(): Promise<Client> {
  // At least one slot a worker, and one more so that the model can be served beside other work.
  const flags = [
    '--slots',
    `${Math.max(4, options.workers + 1)}`,
    ...(options.port ? ['--port', options.port] : []),
  ]
  await runBanyan(ROOT, ['up', '--data', options.dataDir, ...flags])
  const { url, tokenFile } = JSON.parse(await readFile(join(options.dataDir, 'server.json'), 'utf8')) as {
    readonly url: string
    readonly tokenFile: string
  }
  narrator.say(`The API answers at ${pc.cyan(url)}; its description is at ${url}/v1/openapi.json`)
  return createClient({ baseUrl: url, token: (await readFile(tokenFile, 'utf8')).trim() })
}

function summaryOf(training: Training, deployment: Deployment, seconds: number): object {
  const { attempts, firstLoss, lastLoss, stepsLost, slotHours, lostSlotHours } = training
  return {
    seconds,
    attempts,
    workers: options.workers,
    steps: training.steps,
    firstLoss,
    lastLoss,
    stepsLost,
    text: deployment.text,
    slotHours,
    lostSlotHours,
  }
}

function tellSummary(training: Training, deployment: Deployment, seconds: number): void {
  narrator.title('Summary')
  narrator.facts([
    ['attempts', `${training.attempts}, of which ${training.attempts - 1} ended by the kill`],
    ['steps', `${training.steps}, and ${training.stepsLost} of them twice (since the last checkpoint)`],
    [
      'loss',
      `${training.firstLoss.toFixed(2)} at the first step, ${training.lastLoss.toFixed(2)} at the last`,
    ],
    [
      'slot-hours',
      `${training.slotHours.toFixed(3)}, of which the failure cost ${training.lostSlotHours.toFixed(3)} (not billed)`,
    ],
    ['chat', JSON.stringify(deployment.text.slice(0, 60))],
    ['time', `${seconds} s in all`],
  ])
}

async function finish(client: Client, training: Training, deployment: Deployment): Promise<void> {
  if (options.exit) {
    await client.stopWorkload({ id: deployment.workload, kill: true })
    await runBanyan(ROOT, ['down', '--data', options.dataDir])
    narrator.say('Everything is stopped.')
    return
  }
  const data = options.dataDir === defaultDataDir() ? '' : ` --data ${JSON.stringify(options.dataDir)}`
  narrator.title('The server goes on. From here:')
  narrator.facts([
    [`npm run banyan --${data} console`, 'look at all of it in the browser'],
    [`npm run banyan --${data} ps`, 'what runs and waits'],
    [`npm run banyan --${data} logs ${training.workload}`, 'what the workers wrote'],
    [`npm run banyan --${data} show ${training.workload}`, 'both attempts, and how the first ended'],
    [`npm run banyan --${data} chat tiny-gpt`, 'talk to the model'],
    [`npm run banyan --${data} down`, 'stop the server'],
  ])
}

function defaultDataDir(): string {
  return resolve(process.env.BANYAN_DATA_DIR ?? join(homedir(), '.banyan'))
}

function readOptions(): Options {
  try {
    const { values } = parseArgs({
      options: {
        workers: { type: 'string', default: '2' },
        steps: { type: 'string', default: '200' },
        data: { type: 'string' },
        port: { type: 'string' },
        exit: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    if (values.help) {
      process.stdout.write(`${USAGE}\n`)
      process.exit(0)
    }
    return {
      workers: atLeastOne('--workers', values.workers, 32),
      steps: atLeastOne('--steps', values.steps, 100_000),
      dataDir: values.data === undefined ? defaultDataDir() : resolve(values.data),
      port: values.port,
      exit: values.exit,
      json: values.json,
    }
  } catch (error) {
    process.stderr.write(
      `quickstart: ${error instanceof Error ? error.message : String(error)}\n\n${USAGE}\n`,
    )
    process.exit(2)
  }
}

function atLeastOne(flag: string, text: string, most: number): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= 1 && value <= most) return value
  throw new Error(`${flag} takes a whole number from 1 to ${most}, not "${text}"`)
}
