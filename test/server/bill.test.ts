import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Bill, Client } from '../../src/api/index.ts'
import { runCli } from '../../src/cli/run-cli.ts'
import { aTerminal } from '../../src/cli/test-io.ts'
import { aServer, type RunningServer, whenIn } from './running-server.ts'
import { makeTenants, submit, type Tenants, userOf } from './tenants.ts'

let server: RunningServer
let tenants: Tenants

beforeAll(async () => {
  server = await aServer()
  tenants = await makeTenants(server)
})
afterAll(() => server.remove())

async function banyan(line: string, token = server.token) {
  const env = { BANYAN_URL: server.url, BANYAN_TOKEN: token }
  const io = aTerminal({ env, now: Date.now })
  const code = await runCli(line.split(' ').filter(Boolean), io)
  return { code, ...io.written }
}

const keys = ({ rows }: Bill) => rows.map(({ key }) => key).sort()

describe('the bill', () => {
  test('shows members their own and their teams, admins their organisation, operators all', async () => {
    const { clients } = tenants
    const blue = await submit(clients.otherTeam, {
      name: 'acme-blue',
      gpus: 1,
      run: 'true',
      priority: 'critical',
    })
    const by = async (client: Client) => keys(await client.getBill({ by: 'team' }))
    expect(await by(clients.operator)).toEqual(['acme/blue', 'acme/red', 'zenith/zenith-core'])
    expect(await by(clients.admin)).toEqual(['acme/blue', 'acme/red'])
    expect(await by(clients.owner)).toEqual(['acme/red'])
    expect(await by(clients.viewer)).toEqual(['acme/red'])
    expect(await by(clients.otherTeam)).toEqual(['acme/blue'])
    expect(keys(await clients.otherTeam.getBill({ by: 'workload' }))).toEqual([blue.id])
    const users = await clients.owner.getBill({ by: 'user' })
    expect(keys(users)).toEqual([userOf('owner')])
  })

  test('costs what was billed at the price of its time, and names what has none', async () => {
    const { operator } = tenants.clients
    const before = await operator.getBill({ by: 'organisation' })
    expect(before.currency).toBeUndefined()
    expect(before.total).toMatchObject({ amount: 0 })
    const prices = await operator.setPrices({ currency: 'EUR', perGpuHour: { slot: 3_600 } })
    expect(prices.lists).toEqual([{ since: 0, perGpuHour: { slot: 3_600 } }])
    // Closed before now, so that it is the same however often it is asked.
    const bill = await operator.getBill({ by: 'organisation', to: Date.now() })
    expect(bill.currency).toBe('EUR')
    expect(bill.total.held).toBeGreaterThan(0)
    expect(bill.total.amount).toBeCloseTo(bill.total.billed / 1_000, 4)
    expect(bill.total.open).toBeGreaterThan(0)
    expect(bill.models).toMatchObject([{ gpuModel: 'slot', isPriced: true }])
    const sum = bill.rows.reduce((all, { amount }) => all + amount, 0)
    expect(sum).toBeCloseTo(bill.total.amount, 4)
    await operator.setPrices({ currency: 'EUR', perGpuHour: { H100: 1 } })
    const after = await operator.getPrices()
    expect(after.lists).toHaveLength(2)
    expect(after.gpuModels).toEqual([{ gpuModel: 'slot' }])
  })

  test('a workload that ended is on it once, with its name', async () => {
    const { rows } = await tenants.clients.owner.getBill({ by: 'workload' })
    const row = rows.find(({ key }) => key === tenants.done.id)
    const { usage } = await tenants.clients.owner.getWorkload({ id: tenants.done.id })
    expect(row).toMatchObject({ name: 'acme-done', held: usage.held, billed: usage.billed, open: 0 })
  })

  test('rows beyond the limit are one, and the CSV has all', async () => {
    const bill = await tenants.clients.operator.getBill({ by: 'workload', limit: 1 })
    expect(bill.rows).toHaveLength(1)
    expect(bill.otherCount).toBeGreaterThan(3)
    const text = await tenants.clients.operator.exportBill({ by: 'workload' })
    const lines = text.trimEnd().split('\r\n')
    expect(lines[0]).toMatch(/^workload,name,amount,currency,held,billed,not billed,not ended,queue,start,/)
    expect(lines).toHaveLength(1 + 1 + bill.otherCount + 1)
    expect(lines.at(-1)).toMatch(/^total,,/)
    await expect(tenants.clients.operator.getBill({ from: 5, to: 5 })).rejects.toMatchObject({
      code: 'invalid-request',
    })
  })

  test('on the command line', async () => {
    const { out } = await banyan('bill --by organisation --from 1d')
    expect(out).toMatch(/in GPU-hours and EUR:\nORGANISATION +HELD +BILLED +NOT BILLED +EUR\n/)
    expect(out).toMatch(/^acme .*\n/m)
    expect(out).toMatch(/^total /m)
    expect(out).toMatch(/waited for in the queue \(not held\)/)
    expect(JSON.parse((await banyan('bill --json')).out)).toMatchObject({ by: 'team', currency: 'EUR' })
    expect((await banyan('bill --csv --by user')).out).toMatch(/^user,name,amount/)
    expect((await banyan('bill prices')).out).toMatch(/^SINCE +MODEL +EUR A GPU-HOUR\never +slot +3600.00\n/)
    expect(await banyan('bill prices set H100=cheap')).toMatchObject({ code: 2 })
    const dollars = await banyan('bill prices set H100=2 --currency usd')
    expect(dollars).toMatchObject({ code: 2, err: expect.stringContaining('are in EUR') as string })
    const { code, out: set } = await banyan('bill prices set H100=2.5 slot=0.1 --currency usd --since ever')
    expect([code, set]).toEqual([0, expect.stringMatching(/^SINCE +MODEL +USD A GPU-HOUR\n/)])
    expect((await banyan('bill prices set H100=1', tenants.tokens.admin)).code).toBe(4)
  })
})

describe('the audit', () => {
  test('finds who did what, newest first, page by page', async () => {
    const { operator } = tenants.clients
    const all: number[] = []
    let before: number | undefined
    for (;;) {
      const page = await operator.listEvents({ actor: 'user', order: 'newest', limit: 7, before })
      all.push(...page.items.map(({ sequence }) => sequence))
      expect(page.items.every(({ actor }) => actor.kind === 'user')).toBe(true)
      before = page.last
      if (!page.more) break
    }
    expect(all).toEqual([...new Set(all)].sort((a, b) => b - a))
    const { items } = await operator.listEvents({ actor: 'user', limit: 1_000 })
    expect(all).toEqual(items.map(({ sequence }) => sequence).reverse())
    const prices = await operator.listEvents({ kind: ['prices-set'], actor: `user:${userOf('operator')}` })
    expect(prices.items.length).toBeGreaterThan(1)
    expect(await operator.listEvents({ kind: ['prices-set'], actor: 'user:nobody' })).toMatchObject({
      items: [],
      more: false,
    })
  })

  test('a node has its own events, and an unknown actor is refused', async () => {
    const { operator } = tenants.clients
    const [node] = (await operator.listNodes()).items
    await operator.cordonNode({ id: node!.id, reason: '=1+1, "quoted"' })
    await operator.resumeNode({ id: node!.id, reason: 'done' })
    const { items } = await operator.listEvents({ node: node!.id, kind: ['node-moved'] })
    expect(items.map(({ event }) => event)).toMatchObject([{ to: 'cordoned' }, { to: 'ready' }])
    const since = await operator.listEvents({ node: node!.id, from: items[1]!.at, order: 'newest', limit: 1 })
    expect(since.items).toEqual([items[1]])
    await expect(operator.listEvents({ actor: 'ada' })).rejects.toMatchObject({ code: 'invalid-request' })
  })

  test('is exported whole, as far as the caller may see', async () => {
    const { operator, owner } = tenants.clients
    const lines = async (client: Client) => {
      const text = await new Response(await client.exportEvents({ kind: ['workload-submitted'] })).text()
      return text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as { event: { owner: object } })
    }
    const mine = await lines(owner)
    expect(mine.length).toBeGreaterThan(1)
    expect(mine.every(({ event }) => JSON.stringify(event.owner).includes('"acme"'))).toBe(true)
    expect((await lines(operator)).length).toBeGreaterThan(mine.length)
    const table = await new Response(await operator.exportEventsAsCsv({ kind: ['node-moved'] })).text()
    expect(table.split('\r\n')[0]).toBe('sequence,time,actor,cause,kind,workload,node,what')
    expect(table).toMatch(
      /,user:operator,node-action,node-moved,,\S+,"\S+ is cordoned: =1\+1, ""quoted"""\r\n/,
    )
  })

  test('on the command line', async () => {
    const { out } = await banyan('audit --actor user --kind prices-set,user-set --limit 3')
    expect(out).toMatch(/^TIME +ACTOR +CAUSE +WHAT\n/)
    expect(out).toMatch(/user:operator +set-prices +prices of a GPU-hour: H100 2.5 USD, slot 0.1 /)
    expect(out).toMatch(/There are more/)
    expect((await banyan('audit --csv --kind user-set')).out).toMatch(
      /user acme-owner is member of acme\/red\r\n/,
    )
    expect((await banyan('audit --jsonl --kind user-set')).out).toMatch(/^\{"sequence":\d+/)
    expect(await banyan('audit --csv --jsonl')).toMatchObject({ code: 2 })
    expect((await banyan('audit --kind nothing-like-it')).out).toBe('nothing happened that fits.\n')
  })
})

test('a workload that is cancelled while it waits has waited', async () => {
  const { owner } = tenants.clients
  const waiting = await submit(owner, { name: 'acme-never', gpus: 4, run: 'true' })
  await owner.stopWorkload({ id: waiting.id })
  await whenIn(owner, waiting.id, 'cancelled')
  const { rows } = await owner.getBill({ by: 'workload' })
  const row = rows.find(({ key }) => key === waiting.id)
  expect(row).toMatchObject({ held: 0, amount: 0 })
  expect(row!.byCause.queue).toBeGreaterThan(0)
})

describe('shares over time', () => {
  test('add up to what was held, by interval, and are shown only of what is the reader’s', async () => {
    const { clients } = tenants
    const to = Date.now()
    const from = to - 10 * 60_000
    const history = await clients.operator.getShareHistory({ from, to, intervals: 5 })
    expect(history).toMatchObject({ from, to, intervalMs: 120_000 })
    const bill = await clients.operator.getBill({ by: 'team', from, to })
    const rows = bill.rows.filter(({ held }) => held > 0)
    expect(rows.length).toBeGreaterThan(1)
    for (const { key, held } of rows) {
      const share = history.queues.find(({ queue }) => queue === key)!
      expect(share.heldGpus).toHaveLength(5)
      expect(share.meanGpus * (to - from)).toBeCloseTo(held, 0)
      expect(share.heldGpus.reduce((sum, gpus) => sum + gpus * history.intervalMs, 0)).toBeCloseTo(held, 0)
    }
    // The four holders of the foreign tenant fill the machine at the end, and their organisation's queue counts them.
    const zenith = history.queues.find(({ queue }) => queue === 'zenith')!
    expect(zenith.heldGpus).toEqual(
      history.queues.find(({ queue }) => queue === 'zenith/zenith-core')!.heldGpus,
    )
    expect(history.queues.map(({ meanGpus }) => meanGpus)).toEqual(
      history.queues.map(({ meanGpus }) => meanGpus).toSorted((a, b) => b - a),
    )
    const own = await clients.owner.getShareHistory({ from, to, intervals: 5 })
    expect(own.queues.map(({ queue }) => queue)).toEqual(
      history.queues.map(({ queue }) => queue).filter((queue) => queue.startsWith('acme')),
    )
    expect(own.queues.length).toBeGreaterThan(1)
    await expect(clients.owner.getShareHistory({ from: to, to: from })).rejects.toThrow(
      /ends before it begins/,
    )
  })
})
