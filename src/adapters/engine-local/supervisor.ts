import { claimFile, readRecord } from '../engine-shared/durable-file.ts'
import { AttemptFolder, type LaunchRecord } from './attempt-folder.ts'
import { identify } from './process-identity.ts'
import { Supervision } from './supervision.ts'

/**
 * The process that runs one attempt: `node supervisor.js FOLDER`. It is the only parent that can see how the tasks
 * end, so it lives in a session of its own and outlives the server. Whoever claims the folder first runs the attempt,
 * any other supervisor of the same folder leaves at once, which makes starting one harmless at any time.
 */
async function main(): Promise<void> {
  const [path] = process.argv.slice(2)
  if (path === undefined) throw new Error('usage: supervisor FOLDER')
  const folder = new AttemptFolder(path)
  // Ends of a terminal or of the machine reach the tasks by themselves; how they take it is seen and recorded here.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {})
  // Its file may be on a full disk, and saying so must not end the attempt.
  process.stderr.on('error', () => {})
  let supervision: Supervision | undefined
  // Installed before the claim: the engine wakes only a supervisor whose claim it has read.
  process.on('SIGUSR2', () => {
    supervision?.readStopOrder().catch((error: unknown) => console.error(error))
  })
  if (!(await claimFile(folder.claim, JSON.stringify(identify(process.pid))))) return
  const record = await readRecord<LaunchRecord>(folder.order)
  // Without an order the engine has withdrawn the launch.
  if (!record) return
  supervision = new Supervision(folder, record)
  await supervision.run()
}

await main()
process.exit()
