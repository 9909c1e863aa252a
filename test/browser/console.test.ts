import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Client } from '../../src/api/index.ts'
import { ServerProcess } from '../server/server-process.ts'
import { openBrowser, PATIENCE_MS, Reader } from './reader.ts'

/** A thousand nodes, many faults, and time that goes fast enough for something to happen. */
const TWIN = ['--twin', 'nd-h100-v5:1000', '--speed', '120', '--faults', '20', '--history', '6h']

const PAGES = [
  '/machine',
  '/queue',
  '/workloads',
  '/submit',
  '/models',
  '/queues',
  '/reservations',
  '/what-if',
  '/plan',
  '/bill',
  '/audit',
]

let dataDir: string
let server: ServerProcess
let url: string
let operator: Client
let browser: Browser
let reader: Reader

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'banyan-browser-'))
  server = new ServerProcess({ dataDir, args: TWIN })
  url = await server.ready
  operator = await server.client([200, 500, 1_000])
  browser = await openBrowser()
  reader = await Reader.open(browser, url, server.token)
}, 300_000)
afterAll(async () => {
  await browser?.close()
  await server?.end()
  rmSync(dataDir, { recursive: true, force: true, maxRetries: 5 })
})

/** A workload that waits for good: more than the machine has free at any time. */
async function aWaitingWorkload(name: string): Promise<string> {
  const { workloads } = await operator.submitWorkload({
    spec: {
      type: 'train',
      name,
      nodes: 900,
      run: 'python train.py',
      workdir: '/srv',
      time: { limit: '30d' },
    },
  })
  return workloads[0]!.id
}

describe('signing in', () => {
  test('a token that is unknown is refused with what to do; a good one opens the console', async () => {
    const stranger = await Reader.open(browser, url)
    const { page } = stranger
    await page.getByLabel('Token', { exact: true }).fill('bny_nobody')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('alert').getByText('unknown, revoked or expired').waitFor()
    await stranger.picture('sign-in')
    await page.getByLabel('Token', { exact: true }).fill(server.token)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { name: 'Machine' }).waitFor()
    expect(page.url()).toBe(`${url}/console/machine`)
    await stranger.close()
  })

  test('the token of a link is taken out of the address and kept for the tab', async () => {
    expect(reader.page.url()).not.toContain('token')
    await reader.page.reload()
    await reader.page.getByRole('navigation', { name: 'Pages' }).waitFor()
  })

  test('a token that is revoked while it is used leads back to the sign-in, which says so', async () => {
    const { id, secret } = await operator.issueToken({ label: 'short' })
    const guest = await Reader.open(browser, url, secret)
    await operator.revokeToken({ id })
    // Noticed by whatever is asked next; no page needs to be loaded again.
    await guest.page.getByRole('alert').getByText('no longer valid').waitFor()
    await guest.page.getByRole('button', { name: 'Sign in' }).waitFor()
    await guest.close()
  })
})

describe('the machine', () => {
  test('every node is drawn in the colours of the legend, and the table behind has them too', async () => {
    const { page } = reader
    await reader.go('/machine')
    await page.getByRole('list', { name: 'Colours' }).getByText('atlas').waitFor()
    await page.getByText('of 8,000').waitFor()
    const colours = await page.evaluate(() => {
      const canvas = document.querySelector('canvas')!
      const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height)
      const counts: Record<string, number> = {}
      for (let i = 0; i < data.length; i += 4) {
        if (data[i + 3] === 0) continue
        const colour = `${data[i]},${data[i + 1]},${data[i + 2]}`
        counts[colour] = (counts[colour] ?? 0) + 1
      }
      return counts
    })
    expect(Object.values(colours).reduce((sum, count) => sum + count, 0)).toBe(8000)
    expect(Object.keys(colours).length).toBeGreaterThan(4)
    await page.getByText('As a table').click()
    await page.getByRole('table', { name: 'Nodes of the machine' }).getByText('node-0001').waitFor()
    expect(
      await page.getByRole('table', { name: 'Nodes of the machine' }).getAttribute('aria-rowcount'),
    ).toBe('1001')
  })

  test('a workload lights up where it stands, and the address holds the view', async () => {
    const { attempts } = await operator.getMachine()
    const largest = attempts.toSorted((a, b) => b.gpus - a.gpus)[0]!
    const { page } = reader
    await page.getByRole('searchbox', { name: /Find a workload/ }).fill(largest.workload)
    await page
      .getByRole('status')
      .getByText(/GPUs? on .* nodes? in .* blocks?/)
      .waitFor()
    expect(page.url()).toContain(`find=${largest.workload}`)
    await reader.picture('machine-found')
    await page.reload()
    await page.getByRole('link', { name: `open ${largest.workload}` }).click()
    await page.getByRole('heading', { name: new RegExp(`^${largest.workload} `) }).waitFor()
  })

  test('a name zooms in, a click tells of a node', async () => {
    const { page } = reader
    await reader.go('/machine?by=workload')
    await page.getByRole('button', { name: 'block-2', exact: true }).click()
    await page.getByRole('img', { name: /^32 nodes/ }).waitFor()
    await reader.picture('machine-block')
    const box = (await page.getByRole('img', { name: /^32 nodes/ }).boundingBox())!
    await page.mouse.move(box.x + 6, box.y + 24)
    await page
      .locator('.machine-tip')
      .getByText(/node-\d+/)
      .waitFor()
    await page.mouse.click(box.x + 6, box.y + 24)
    await page.getByRole('complementary', { name: /^Node node-/ }).waitFor()
  })

  test('an operator drains a node with a reason, and resumes it', async () => {
    const { page } = reader
    const { items } = await operator.listNodes()
    const node = items.find(
      ({ state, allocatedMilliGpus }) => state === 'ready' && allocatedMilliGpus > 0,
    )!.id
    await reader.go(`/machine?by=health&node=${node}`)
    const panel = page.getByRole('complementary', { name: `Node ${node}` })
    await panel.getByRole('button', { name: 'Drain' }).click()
    await page.getByLabel(/^Reason/).fill('a fan is loud')
    await page.getByRole('dialog').getByRole('button', { name: 'Drain' }).click()
    await panel.getByText(/^(draining|cordoned)$/).waitFor()
    await panel.getByText('a fan is loud').waitFor()
    await reader.picture('machine-node')
    await panel.getByRole('button', { name: 'Resume' }).click()
    await page.getByLabel(/^Reason/).fill('it is quiet again')
    await page.getByRole('dialog').getByRole('button', { name: 'Resume' }).click()
    await panel.getByText(/^ready$/).waitFor()
  })
})

describe('keys', () => {
  test('g and a letter go, / searches, ? tells all, Ctrl K finds a node', async () => {
    const { page } = reader
    await reader.go('/machine')
    await page.getByRole('heading', { name: 'Machine' }).waitFor()
    await page.keyboard.press('g')
    await page.keyboard.press('q')
    await page.getByRole('heading', { name: 'Queue', exact: true }).waitFor()
    await page.keyboard.press('/')
    expect(await page.evaluate(() => document.activeElement?.hasAttribute('data-search'))).toBe(true)
    await page.keyboard.press('Escape')
    await page.getByRole('heading', { name: 'Queue', exact: true }).click()
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keys' }).waitFor()
    await page.keyboard.press('Escape')
    await page.keyboard.press('Control+k')
    await page.getByRole('dialog', { name: 'Search' }).getByRole('searchbox').fill('node-0007')
    await page.getByRole('dialog').getByText('node,').first().waitFor()
    await page.keyboard.press('Enter')
    await page.getByRole('complementary', { name: 'Node node-0007' }).waitFor()
  })
})

describe('work', () => {
  test('what waits stands in the queue with what holds it up, and is explained, stopped and submitted again', async () => {
    const { page } = reader
    const id = await aWaitingWorkload('patient')
    await reader.go('/queue?find=patient')
    await page.getByRole('link', { name: id, exact: true }).click()
    await page
      .getByRole('region', { name: 'Why it waits' })
      .getByText(/in the line/)
      .waitFor()
    await page.getByRole('region', { name: 'Why it waits' }).locator('.badge').first().waitFor()
    await reader.picture('workload-waits')
    await page.getByRole('button', { name: 'Stop', exact: true }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Stop' }).click()
    await page.getByText('cancelled', { exact: true }).first().waitFor()
    await page.getByRole('button', { name: 'Submit again' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Submit again' }).click()
    await page.waitForURL((address) => !address.pathname.endsWith(`/${id}`))
    const again = page.url().split('/').at(-1)!
    expect((await operator.getWorkload({ id: again })).spec.name).toBe('patient')
    await operator.stopWorkload({ id: again })
  })

  test('a change that was tried is made by its button', async () => {
    const { page } = reader
    const id = await aWaitingWorkload('smaller')
    const canBeMade = ['fewer-nodes', 'shorter-limit', 'other-queue']
    // The machine changes all the time: some change helps sooner or later.
    const triedChange = async () => {
      const { explanations } = await operator.explainWorkload({ id })
      return explanations[0]?.counterfactuals.some(({ change }) => canBeMade.includes(change.kind))
    }
    await expect.poll(triedChange, { timeout: 2 * PATIENCE_MS, interval: 1_000 }).toBe(true)
    await reader.go(`/workloads/${id}`)
    await page
      .getByRole('region', { name: 'Why it waits' })
      .getByRole('button', { name: /^(Run on|With a limit|In )/ })
      .first()
      .click()
    await page.getByRole('dialog').getByRole('button', { name: 'Do it' }).click()
    await page.waitForURL(
      (address) => /\/workloads\/w\d+$/.test(address.pathname) && !address.pathname.endsWith(`/${id}`),
    )
    const made = await operator.getWorkload({ id: page.url().split('/').at(-1)! })
    const before = await operator.getWorkload({ id })
    expect([made.spec.name, made.id === id]).toEqual(['smaller', false])
    expect({ spec: made.spec, queue: made.queue }).not.toEqual({ spec: before.spec, queue: before.queue })
    expect((await operator.getWorkload({ id })).state).toBe('cancelled')
    await operator.stopWorkload({ id: made.id }).catch(() => undefined)
  })

  test('a waiting workload is edited, and what is submitted takes its place', async () => {
    const { page } = reader
    const id = await aWaitingWorkload('edited')
    await reader.go(`/workloads/${id}`)
    await page.getByRole('link', { name: 'Edit', exact: true }).click()
    const text = page.getByRole('textbox', { name: 'YAML' })
    await text.fill((await text.inputValue()).replace('nodes: 900', 'nodes: 0'))
    await page.locator('.faults').getByText('nodes').waitFor()
    await text.fill((await text.inputValue()).replace('nodes: 0', 'nodes: 800'))
    expect(await page.getByLabel(`in place of ${id}`).isChecked()).toBe(true)
    await page.getByRole('button', { name: 'Submit', exact: true }).click()
    await page.getByRole('heading', { name: /^w\d+ edited$/ }).waitFor()
    await expect.poll(() => page.url(), { timeout: PATIENCE_MS }).not.toContain(`from=`)
    const made = await operator.getWorkload({ id: page.url().split('/').at(-1)! })
    expect(made.spec.resources.shape).toMatchObject({ kind: 'nodes', nodes: 800 })
    expect((await operator.getWorkload({ id })).state).toBe('cancelled')
    await operator.stopWorkload({ id: made.id })
  })

  test('what runs shows its life, its progress and its logs as they grow', async () => {
    const { page } = reader
    const { attempts } = await operator.getMachine()
    const run = attempts.filter(({ type, name }) => type === 'train' && name.startsWith('pretrain'))
    const id = run.toSorted((a, b) => b.gpus - a.gpus)[0]!.workload
    await reader.go(`/workloads/${id}`)
    await page
      .getByRole('region', { name: 'Life' })
      .getByText(/submitted/)
      .first()
      .waitFor()
    await page.getByRole('img', { name: /^Step time: \d+ points/ }).waitFor()
    await page.getByRole('log', { name: 'Output' }).getByText(/\w/).waitFor()
    await reader.picture('workload-runs')
  })

  test('a failure of the platform is named with what it cost', async () => {
    const { page } = reader
    const failed = await failedByPlatform()
    await reader.go(`/workloads/${failed}`)
    await page
      .getByRole('table', { name: /^Attempts/ })
      .getByText('platform-failure')
      .first()
      .waitFor()
    await page.getByText('Lost', { exact: true }).waitFor()
    await reader.picture('workload-failed')
  })

  test('a spec is judged as it is typed, by the form and as text, and submitted', async () => {
    const { page } = reader
    await reader.go('/submit')
    const text = page.getByRole('textbox', { name: 'YAML' })
    await text.fill('type: train\nname: typed\ngpuz: 1\nrun: go\nworkdir: /srv\n')
    await page.getByText('did you mean "gpus"').waitFor()
    expect(await page.getByRole('button', { name: 'Submit', exact: true }).isDisabled()).toBe(true)
    await reader.picture('submit-faults')
    await text.fill('type: train\nname: typed\ngpus: 1\nrun: go # mine\nworkdir: /srv\n')
    await page
      .getByLabel('Nodes')
      .or(page.getByLabel('Name', { exact: false }))
      .first()
      .waitFor()
    await page.getByRole('textbox', { name: /^Expected time/ }).fill('1h')
    await page.getByRole('textbox', { name: /^Time limit/ }).fill('2h')
    await page.getByRole('textbox', { name: /^Time limit/ }).blur()
    await expect.poll(() => text.inputValue(), { timeout: PATIENCE_MS }).toContain('limit: 2h')
    expect(await text.inputValue()).toContain('# mine')
    await page
      .getByRole('region', { name: 'What would happen' })
      .getByText(/^(starts now|waits)$/)
      .waitFor()
    await reader.picture('submit')
    await page.getByRole('button', { name: 'Submit', exact: true }).click()
    await page.getByRole('heading', { name: /^w\d+ typed$/ }).waitFor()
  })
})

async function failedByPlatform(): Promise<string> {
  for await (const { data } of operator.followEvents({ after: 0 })) {
    const { event } = data
    if (event.kind === 'attempt-ended' && event.outcome === 'platform-failure') {
      const attempt = String(event.attempt)
      return attempt.slice(0, attempt.lastIndexOf('.'))
    }
  }
  throw new Error('no attempt failed')
}

describe('service, shares and money', () => {
  test('a served model answers in a chat, piece by piece', async () => {
    const { page } = reader
    const spec = { type: 'serve', name: 'talk', gpus: 1, run: 'serve', workdir: '/srv', priority: 'critical' }
    await operator.submitWorkload({ spec })
    await reader.go('/models')
    await page.getByRole('row', { name: /^talk/ }).getByRole('link', { name: 'Chat' }).click()
    await page.getByRole('textbox', { name: 'Message' }).fill('Who are you?')
    await page.keyboard.press('Enter')
    await page
      .getByRole('log', { name: 'Conversation' })
      .getByText(/scheduler and this gateway are real/)
      .waitFor()
    await reader.picture('chat')
    await reader.go('/models')
    await page.getByRole('row', { name: /^talk .* ms \/ .* ms/ }).waitFor()
    await reader.picture('models')
  })

  test('a share and the policy are tried before they are changed', async () => {
    const { page } = reader
    await reader.go('/queues?queue=atlas')
    const editor = page.getByRole('region', { name: 'Queue atlas' })
    await editor.getByLabel(/^Weight/).fill('9')
    await editor.getByRole('button', { name: 'Try it first' }).click()
    await editor.getByRole('status').waitFor()
    await editor.getByRole('button', { name: 'Change the queue' }).click()
    await editor.getByText('changed', { exact: true }).waitFor()
    expect((await operator.listQueues()).items.find(({ id }) => id === 'atlas')?.weight).toBe(9)
    const policy = page.getByRole('region', { name: 'Policy' })
    await policy.getByLabel('Backfill behind what is held').selectOption('greedy')
    await policy.getByRole('button', { name: 'Try it first' }).click()
    await policy.getByRole('status').waitFor()
    await reader.picture('shares-tried')
    expect((await operator.getPolicy()).backfill).toBe('holds')
  })

  test('a window is tried, made, seen in the calendar and called off', async () => {
    const { page } = reader
    await reader.go('/reservations')
    const form = page.getByRole('region', { name: 'Reserve' })
    await form.getByLabel(/^Name/).fill('optics')
    await form.getByLabel(/^Kind/).selectOption('maintenance')
    await form.getByLabel(/^Which/).selectOption('domain')
    await form.getByLabel(/^Domain/).selectOption('site-1/pod-1/block-3')
    await form.getByLabel(/^For how long/).fill('a while')
    await form.getByText(/is not a duration/).waitFor()
    await form.getByLabel(/^For how long/).fill('6h')
    await form.getByLabel(/^Reason/).fill('replacing optics')
    await form.getByRole('button', { name: 'Try it first' }).click()
    await form.getByRole('status').waitFor()
    expect((await operator.listReservations()).items).toEqual([])
    await form.getByRole('button', { name: 'Reserve', exact: true }).click()
    const calendar = page.getByRole('region', { name: 'Calendar' })
    await calendar.getByText('block-3').waitFor()
    await reader.picture('reservations')
    await calendar.getByRole('button', { name: 'by node' }).click()
    await calendar.getByText('node-0065').waitFor()
    expect(page.url()).toContain('level=node')
    await page.reload()
    const card = page.getByRole('region', { name: 'Reservation optics' })
    await card.getByText('replacing optics').waitFor()
    await card.getByRole('button', { name: 'End it' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Try it first' }).click()
    await page.getByRole('dialog').getByRole('status').waitFor()
    await page.getByRole('dialog').getByRole('button', { name: 'End it' }).click()
    await page.getByText('Nothing is reserved').waitFor()
    expect((await operator.listReservations()).items).toEqual([])
  })

  test('what-if tells what more nodes would bring, and changes nothing', async () => {
    const { page } = reader
    const id = await aWaitingWorkload('hopeful')
    await reader.go('/what-if')
    await page.getByRole('textbox', { name: 'How many' }).fill('1000')
    await page.getByRole('button', { name: 'Add the change' }).click()
    await page.getByRole('button', { name: 'Try', exact: true }).click()
    await page.getByRole('table', { name: 'What it would do' }).getByText(id).waitFor()
    await page.getByRole('img', { name: /^When \d+ workloads would start/ }).waitFor()
    await reader.picture('what-if')
    expect(page.url()).toContain('add-nodes')
    await page.reload()
    await page.getByRole('table', { name: 'What it would do' }).getByText(id).waitFor()
    expect((await operator.listNodes()).items.length).toBe(1000)
    await operator.stopWorkload({ id })
  })

  test('a plan is found again by its link, planned for another size, and taken to Submit', async () => {
    const { page } = reader
    await reader.go('/plan')
    await page.getByRole('textbox', { name: 'Tokens' }).fill('lots')
    await page.getByRole('combobox', { name: 'Model' }).fill('llama3-8b')
    await page.getByRole('button', { name: 'Plan', exact: true }).click()
    await page.getByText('write for example 300B').waitFor()
    await page.getByRole('textbox', { name: 'Tokens' }).fill('1T')
    await page.getByRole('textbox', { name: 'Finish by' }).fill('60d')
    await page.getByRole('button', { name: 'Plan', exact: true }).click()
    const figures = page.getByRole('region', { name: 'Figures' })
    await figures.getByRole('heading', { name: /^llama3-8b on .* H100/ }).waitFor()
    await page.getByRole('table', { name: 'Parts of a step' }).getByText('Matrix multiplies').waitFor()
    await page.getByText('What it rests on, with sources').click()
    await page
      .getByRole('table', { name: 'What the plan rests on' })
      .getByText(/H100 data sheet/)
      .first()
      .waitFor()
    await reader.picture('plan')
    await page.reload()
    await page.getByRole('region', { name: 'Time against cost' }).getByText('Numbers').click()
    await page.getByRole('link', { name: 'Plan for 512 GPUs' }).click()
    await figures.getByRole('heading', { name: 'llama3-8b on 512 × H100-SXM-80' }).waitFor()
    expect(page.url()).toContain('gpus=512')
    await figures.getByRole('link', { name: 'Take it to Submit' }).click()
    const text = await page.getByRole('textbox', { name: 'YAML' }).inputValue()
    expect(text).toContain('nodes: 64')
    expect(text).toMatch(/TENSOR_PARALLEL: "\d+"/)
    await page
      .getByRole('region', { name: 'What would happen' })
      .getByText(/^(starts now|waits)$/)
      .waitFor()
  })

  test('serving is planned, and what cannot be planned says why', async () => {
    const { page } = reader
    await reader.go('/plan?for=serving&model=llama3-70b&on=nd-h100-v5&nodes=2&rate=5')
    await page.getByRole('heading', { name: /^llama3-70b on \d+ replicas? of/ }).waitFor()
    await reader.picture('plan-serving')
    await reader.go('/plan?model=lama9')
    await page
      .getByRole('alert')
      .getByText(/No model is called "lama9"/)
      .waitFor()
  })

  test('the planner suggests a size for a declared run, and one click takes it over', async () => {
    const { page } = reader
    const spec = `type: train\nname: sized\ngpus: auto\ngpu: H100\nplan: {model: llama3-8b, tokens: 300B, finishBy: 60d}\nrun: go\nworkdir: /srv\n`
    await reader.go(`/submit?spec=${encodeURIComponent(spec)}`)
    const planner = page.getByRole('region', { name: 'Planner' })
    await planner.getByText('within 60d').waitFor()
    await page
      .getByRole('region', { name: 'What would happen' })
      .getByText(/GPU-hours/)
      .first()
      .waitFor()
    await reader.picture('submit-planned')
    await planner.getByRole('button', { name: 'Use this size' }).click()
    await planner.getByText('taken over').waitFor()
    const text = await page.getByRole('textbox', { name: 'YAML' }).inputValue()
    expect(text).not.toContain('auto')
    expect(text).toContain('TENSOR_PARALLEL')
    await page.getByRole('link', { name: 'Who would wait for it?' }).click()
    await page.getByText('the spec is submitted').waitFor()
    const impact = page.getByRole('table', { name: 'What it would do' })
    await impact
      .getByRole('row', { name: /the new workload/ })
      .getByText('new', { exact: true })
      .waitFor()
  })

  test('the bill is in money when there are prices, and says what was wasted on what', async () => {
    const { page } = reader
    await operator.setPrices({ currency: 'EUR', perGpuHour: { H100: 2 } })
    await reader.go('/bill?by=organisation')
    await page.getByRole('columnheader', { name: 'EUR' }).waitFor()
    await page.getByRole('row', { name: /^atlas/ }).waitFor()
    await page.getByRole('table', { name: 'GPU-hours without work' }).getByText('Waited for').waitFor()
    await reader.picture('bill')
    const saved = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Export as CSV' }).click()
    expect((await saved).suggestedFilename()).toBe('bill-by-organisation.csv')
  })

  test('the audit log has who drained the node, and gives it as a file', async () => {
    const { page } = reader
    await reader.go('/audit?kind=node-moved')
    await page
      .getByText(/a fan is loud/)
      .first()
      .waitFor()
    await page.getByRole('cell', { name: 'operator' }).first().waitFor()
    await reader.picture('audit')
    const saved = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Export as CSV' }).click()
    expect((await saved).suggestedFilename()).toBe('audit.csv')
  })
})

describe('what goes wrong is told', () => {
  test('a workload and a page that are not there', async () => {
    const { page } = reader
    await reader.go('/workloads/w99999999')
    await page.getByRole('alert').getByText('There is no workload "w99999999".').waitFor()
    await page.getByRole('button', { name: 'Try again' }).waitFor()
    await reader.go('/nowhere')
    await page.getByText('There is no such page').waitFor()
  })

  test('[S9] a member of one organisation sees no other and gets no orders to give', async () => {
    await operator.setUser({
      id: 'member-of-atlas',
      organisation: 'atlas',
      teams: ['atlas/climate'],
      role: 'member',
    })
    const { secret } = await operator.issueToken({ user: 'member-of-atlas', label: 'test' })
    const member = await Reader.open(browser, url, secret)
    const { page } = member
    const legend = page.getByRole('list', { name: 'Colours' })
    await legend.getByText('held by others').waitFor()
    expect(await legend.getByText('borealis').count()).toBe(0)
    await member.go('/machine?node=node-0001')
    const panel = page.getByRole('complementary', { name: 'Node node-0001' })
    await panel.getByText('Address').waitFor()
    expect(await panel.getByRole('button', { name: 'Drain' }).count()).toBe(0)
    await member.go('/queues')
    await page.getByText('pretraining', { exact: true }).first().waitFor()
    expect(await page.getByText('borealis').count()).toBe(0)
    expect(await page.getByRole('button', { name: 'Change the policy' }).count()).toBe(0)
    expect([...member.faults, ...member.strays]).toEqual([])
    await member.close()
  })
})

describe('every page, in both themes and three sizes', () => {
  for (const path of PAGES) {
    test(`${path} keeps nobody out and fits`, async () => {
      const { page } = reader
      for (const theme of ['light', 'dark'] as const) {
        await page.evaluate((value) => window.localStorage.setItem('banyan.theme', value), theme)
        await reader.go(path)
        await page.getByRole('heading', { level: 1 }).waitFor()
        await expect.poll(() => page.locator('.note.loading').count(), { timeout: PATIENCE_MS }).toBe(0)
        for (const width of [1280, 768, 390]) {
          await page.setViewportSize({ width, height: 820 })
          await reader.picture(`${path.slice(1)}-${width}-${theme}`)
          const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
          expect(overflow, `${path} at ${width}`).toBeLessThanOrEqual(0)
        }
        expect(await reader.barriers(), `${path}, ${theme}`).toEqual([])
        await page.setViewportSize({ width: 1280, height: 820 })
      }
    })
  }

  test('answers with plots keep nobody out and fit either', async () => {
    const { page } = reader
    await operator.makeReservation({
      id: 'seen',
      kind: 'maintenance',
      reason: 'a look',
      count: 3,
      durationMs: 3_600_000,
    })
    const answered = {
      '/plan?model=llama3-8b&tokens=1T&by=60d': 'Where a step goes',
      '/plan?for=serving&model=llama3-8b': 'Memory',
      '/reservations?reservation=seen': 'Reservation seen',
      '/what-if?edits=[{"kind":"add-nodes","count":500}]': 'What it would do',
    }
    for (const theme of ['light', 'dark'] as const) {
      await page.evaluate((value) => window.localStorage.setItem('banyan.theme', value), theme)
      for (const [path, region] of Object.entries(answered)) {
        await reader.go(path)
        await page.getByRole('region', { name: region }).waitFor()
        for (const summary of await page.locator('main summary').all()) await summary.click()
        expect(await reader.barriers(), `${path}, ${theme}`).toEqual([])
        for (const width of [1280, 768, 390]) {
          await page.setViewportSize({ width, height: 820 })
          const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
          expect(overflow, `${path} at ${width}`).toBeLessThanOrEqual(0)
        }
        await page.setViewportSize({ width: 1280, height: 820 })
      }
    }
    await operator.cancelReservation({ id: 'seen' })
  })

  test('on paper a page is light and without what can only be clicked', async () => {
    const { page } = reader
    await page.evaluate(() => window.localStorage.setItem('banyan.theme', 'dark'))
    await reader.go('/plan?model=llama3-8b&tokens=1T&by=60d')
    await page.getByRole('table', { name: 'Parts of a step' }).waitFor()
    await page.emulateMedia({ media: 'print' })
    await reader.picture('plan-printed')
    expect(await page.getByRole('navigation', { name: 'Pages' }).isVisible()).toBe(false)
    const colour = await page.evaluate(() => getComputedStyle(document.body).color)
    await page.emulateMedia({ media: 'screen' })
    expect(colour).not.toBe(await page.evaluate(() => getComputedStyle(document.body).color))
    await page.evaluate(() => window.localStorage.setItem('banyan.theme', 'light'))
  })

  test('nothing was asked of another origin, and no page broke', () => {
    expect(reader.strays).toEqual([])
    expect(reader.faults).toEqual([])
  })
})

test('a server that goes away is told of, and the page goes on when it is back', async () => {
  const { page } = reader
  await reader.go('/workloads')
  await page.getByRole('table', { name: 'Workloads, newest first' }).waitFor()
  const port = Number(new URL(url).port)
  await server.end()
  await page.getByText(/^Not renewed/).waitFor()
  await reader.picture('server-away')
  // Pages are loaded when they are first looked at; this one has been, and asks in vain.
  await page.keyboard.press('g')
  await page.keyboard.press('n')
  await page.getByRole('combobox', { name: 'Model' }).fill('llama3-8b')
  await page.getByRole('button', { name: 'Plan', exact: true }).click()
  await page.getByRole('alert').getByText('The server does not answer').waitFor()
  await reader.picture('plan-unanswered')
  server = new ServerProcess({ dataDir, args: TWIN, port })
  await server.ready
  await page.getByRole('button', { name: 'Try again' }).click()
  await page.getByRole('heading', { name: /^llama3-8b on/ }).waitFor()
  await page.keyboard.press('g')
  await page.keyboard.press('l')
  await page.getByRole('table', { name: 'Workloads, newest first' }).waitFor()
  await page.getByText(/^Not renewed/).waitFor({ state: 'detached', timeout: 90_000 })
})
