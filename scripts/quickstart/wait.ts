import type { Client } from '../../src/api/index.ts'

/** Resolves when the workload is final. */
export async function nextEnd(client: Client, workload: string): Promise<void> {
  for await (const { data } of client.followEvents({ workload, after: 0 })) {
    if (data.event.kind === 'workload-finished') return
  }
}

/** Resolves when a replica of the workload is ready; rejects when it ends instead. */
export async function untilReady(client: Client, workload: string): Promise<void> {
  for await (const { data } of client.followEvents({ workload, after: 0 })) {
    const { event } = data
    if (event.kind === 'replica-readiness' && event.ready === true) return
    if (event.kind === 'workload-finished') {
      throw new Error(`${workload} ended before it was ready; its log: npm run banyan logs ${workload}`)
    }
  }
}
