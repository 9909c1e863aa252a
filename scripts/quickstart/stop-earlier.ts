import type { Client } from '../../src/api/index.ts'
import type { Narrator } from './narrator.ts'
import { nextEnd } from './wait.ts'

/** Stops what an earlier quickstart left running, since one model name leads to one workload. */
export async function stopEarlier(client: Client, narrator: Narrator): Promise<void> {
  for (const name of ['tiny-gpt', 'tiny-gpt-chat']) {
    const live = await client.listWorkloads({ name, state: ['queued', 'starting', 'running', 'stopping'] })
    for (const workload of live.items) {
      narrator.say(`stopping ${workload.id} (${name}), which an earlier quickstart left`)
      if (workload.state !== 'stopping') await client.stopWorkload({ id: workload.id })
      await nextEnd(client, workload.id)
    }
  }
}
