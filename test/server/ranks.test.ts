import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runCli } from '../../src/cli/run-cli.ts'
import { aTerminal } from '../../src/cli/test-io.ts'
import { aServer, type RunningServer, whenIn } from './running-server.ts'

let server: RunningServer
beforeAll(async () => {
  server = await aServer()
})
afterAll(() => server.remove())

/** A gang of four whose first task tells of eight steps, in which rank 2 computes for so long. */
async function aGang(name: string, slowMs: number, then = 'sleep 600') {
  const file = join(server.dataDir, `${name}.jsonl`)
  const lines = Array.from({ length: 8 }, (_, i) => ({
    step: i + 1,
    stepMs: 160,
    computeMs: [100, 104, i === 5 ? 900 : slowMs, 100],
  }))
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  const run = `if [ $RANK = 0 ]; then cat ${file} >> $BANYAN_PROGRESS_FILE; fi; ${then}`
  const submitted = await server.client().submitWorkload({
    spec: { type: 'train', name, gpus: 4, run },
    folder: '/',
  })
  return submitted.workloads[0]!
}

test('a straggler is named with its node, and goes on being named after a restart of the server', async () => {
  const { id } = await aGang('slow', 140)
  await progressed(id)
  const expected = {
    report: { attempt: `${id}.1`, at: expect.any(Number), step: 8, reports: 8, stepMs: 160, medianMs: 102 },
    items: [
      { rank: 0, node: expect.any(String), computeMs: 100, isStraggler: false },
      { rank: 1, node: expect.any(String), computeMs: 104, isStraggler: false },
      { rank: 2, node: expect.any(String), computeMs: 140, isStraggler: true },
      { rank: 3, node: expect.any(String), computeMs: 100, isStraggler: false },
    ],
  }
  expect(await server.client().listRanks({ id })).toEqual(expected)
  expect(await shown(id)).toMatch(
    /^straggler +rank 2 on \S+: computes 140 ms a step, 37 % over the median of 102 ms; the other ranks wait for it$/m,
  )

  await server.close()
  server = await aServer({ dataDir: server.dataDir })
  expect(await server.client().listRanks({ id })).toEqual(expected)
  await server.client().stopWorkload({ id, kill: true })
  await whenIn(server.client(), id, 'cancelled')
  expect(await server.client().listRanks({ id })).toEqual(expected)
})

test('where no rank stands out none is named, and where the program says nothing there are none', async () => {
  const even = await aGang('even', 108, 'true')
  await whenIn(server.client(), even.id, 'succeeded')
  const { items } = await server.client().listRanks({ id: even.id })
  expect(items.map(({ isStraggler }) => isStraggler)).toEqual([false, false, false, false])
  expect(await shown(even.id)).not.toContain('straggler')

  const spec = { type: 'train', name: 'silent', gpus: 1, run: 'true' }
  const { workloads } = await server.client().submitWorkload({ spec, folder: '/' })
  await whenIn(server.client(), workloads[0]!.id, 'succeeded')
  expect(await server.client().listRanks({ id: workloads[0]!.id })).toEqual({ items: [] })
})

test('the times of ranks are no event', async () => {
  const { items } = await server.client().listEvents({ limit: 1000 })
  expect(items.some(({ event }) => event.kind === 'attempt-progressed')).toBe(true)
  expect(JSON.stringify(items)).not.toContain('computeMs')
})

async function progressed(id: string): Promise<void> {
  for await (const { data } of server.client().followEvents({ workload: id, after: 0 })) {
    if (data.event.kind === 'attempt-progressed') return
  }
}

async function shown(id: string): Promise<string> {
  const io = aTerminal({
    env: { BANYAN_URL: server.url, BANYAN_TOKEN: server.token },
    now: Date.now,
    columns: 200,
  })
  expect(await runCli(['show', id], io)).toBe(0)
  return io.written.out
}
