import type { Client } from '../../src/api/index.ts'

/** The process id of one worker, which the example's workers write as the first line of their logs. */
export async function findWorker(
  client: Client,
  workload: string,
  attempt: string,
  rank: number,
): Promise<number> {
  const number = Number(attempt.slice(attempt.lastIndexOf('.') + 1))
  const log = await client.readLog({ id: workload, attempt: number, task: rank })
  const match = /process (\d+)/.exec(log.text)
  if (!match) throw new Error(`the log of worker ${rank} of ${attempt} does not name its process`)
  return Number(match[1])
}
