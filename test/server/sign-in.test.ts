import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { aProvider, type TestProvider } from './a-provider.ts'
import { aServer, type RunningServer } from './running-server.ts'

const ADA = { sub: 'sub-ada', preferred_username: 'Ada', groups: ['ml'] }
const BEN = { sub: 'sub-ben', preferred_username: 'ben@zenith.example', groups: ['zenith'] }

let provider: TestProvider
let server: RunningServer

beforeAll(async () => {
  const port = await freePort()
  const publicUrl = `http://127.0.0.1:${port}`
  provider = await aProvider(`${publicUrl}/auth/oidc/callback`)
  server = await aServer({
    port,
    oidc: {
      issuer: provider.issuer,
      clientId: 'banyan',
      clientSecret: 'a secret',
      publicUrl,
      name: 'Example',
      scope: 'openid profile',
      userClaim: 'preferred_username',
      groupsClaim: 'groups',
      sessionHours: 12,
      rules: [
        { group: 'ml-leads', organisation: 'acme', teams: ['red'], role: 'admin' },
        { group: 'ml', organisation: 'acme', teams: ['red'], role: 'member' },
        { group: 'zenith', organisation: 'zenith', teams: ['core'], role: 'member' },
        { group: 'lost', organisation: 'nowhere', teams: [], role: 'viewer' },
      ],
    },
  })
  const operator = server.client()
  for (const [organisation, name] of [
    ['acme', 'red'],
    ['zenith', 'core'],
  ] as const) {
    await operator.createOrganisation({ id: organisation })
    await operator.createTeam({ organisation, name })
  }
})
afterAll(async () => {
  await server.remove()
  await provider.close()
})

/** A browser: it keeps cookies by origin and follows where it is led. */
class Browser {
  readonly #cookies = new Map<string, Map<string, string>>()
  /** As the server set it, with its attributes. */
  lastSession = ''

  async open(address: string, init: RequestInit = {}): Promise<Response> {
    const { origin } = new URL(address)
    const jar = this.#cookies.get(origin) ?? new Map<string, string>()
    this.#cookies.set(origin, jar)
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const headers = { ...(init.headers as object), cookie }
    const response = await fetch(address, { ...init, headers, redirect: 'manual' })
    for (const set of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? []
      if (value === '' || /max-age=0/i.test(set)) jar.delete(name)
      else jar.set(name, value)
      if (name === 'banyan_session') this.lastSession = set
    }
    const next = response.headers.get('location')
    if (next === null || new URL(next, address).pathname === '/console/') return response
    return this.open(new URL(next, address).href)
  }

  call(path: string, init: RequestInit = {}): Promise<Response> {
    return this.open(`${server.url}${path}`, init)
  }

  async signIn(person: TestProvider['person']): Promise<Response> {
    provider.person = person
    return this.call('/auth/oidc')
  }
}

const SAME = { 'sec-fetch-site': 'same-origin' }
const submission = (name: string) => ({
  method: 'POST',
  body: JSON.stringify({ spec: { type: 'train', name, gpus: 1, run: 'true' }, folder: '/' }),
})

describe('sign-in at an identity provider', () => {
  test('is told of to whoever is not signed in', async () => {
    const told = await (await fetch(`${server.url}/v1/sign-in`)).json()
    expect(told).toEqual({ oidc: { name: 'Example', path: '/auth/oidc' } })
  })

  test('makes the user that the rules say, in a session that scripts and other sites cannot use', async () => {
    const browser = new Browser()
    const arrived = await browser.signIn(ADA)
    expect([arrived.status, arrived.headers.get('location')]).toEqual([302, '/console/'])
    expect(browser.lastSession).toMatch(/HttpOnly/)
    expect(browser.lastSession).toMatch(/SameSite=Strict/)
    const who = (await (await browser.call('/v1/whoami')).json()) as { user: object }
    expect(who.user).toEqual({
      id: 'ada',
      organisation: 'acme',
      teams: ['acme/red'],
      role: 'member',
      signIn: { issuer: provider.issuer, subject: 'sub-ada' },
    })

    expect((await browser.call('/v1/workloads', submission('forged'))).status).toBe(401)
    const crossSite = { ...submission('forged'), headers: { 'sec-fetch-site': 'cross-site' } }
    expect((await browser.call('/v1/workloads', crossSite)).status).toBe(401)
    const otherOrigin = { ...submission('forged'), headers: { origin: 'http://evil.example' } }
    expect((await browser.call('/v1/workloads', otherOrigin)).status).toBe(401)
    expect((await browser.call('/v1/workloads', { ...submission('own'), headers: SAME })).status).toBe(201)
    const sameOrigin = { ...submission('own-too'), headers: { origin: server.url } }
    expect((await browser.call('/v1/workloads', sameOrigin)).status).toBe(201)
  })

  test('[S9] a session sees what its user sees by token, and nothing of others', async () => {
    const [ada, ben] = [new Browser(), new Browser()]
    await ada.signIn(ADA)
    await ben.signIn(BEN)
    await ben.call('/v1/workloads', { ...submission('zenith-secret'), headers: SAME })
    const { secret } = await server.client().issueToken({ user: 'ada', label: 'to compare' })
    for (const path of [
      '/v1/workloads',
      '/v1/queues',
      '/v1/users',
      '/v1/tokens',
      '/v1/bill?to=1',
      '/v1/events',
    ]) {
      const [bySession, byToken] = await Promise.all([
        ada.call(path).then((response) => response.text()),
        server.request(path, { token: secret }).then((response) => response.text()),
      ])
      expect(bySession, path).toBe(byToken)
      expect(bySession, path).not.toContain('zenith')
    }
    expect((await ada.call('/v1/workloads/zenith-secret')).status).toBe(404)
    expect((await ada.call('/metrics')).status).toBe(403)
    expect((await ben.call('/v1/workloads/zenith-secret')).status).toBe(200)
  })

  test('a sign-out ends the session for good', async () => {
    const browser = new Browser()
    await browser.signIn(ADA)
    const cookie = browser.lastSession.split(';', 1)[0]!
    const withCookie = () => fetch(`${server.url}/v1/whoami`, { headers: { cookie } })
    expect((await withCookie()).status).toBe(200)
    expect((await browser.call('/auth/sign-out', { method: 'POST' })).status).toBe(403)
    expect((await withCookie()).status).toBe(200)
    expect((await browser.call('/auth/sign-out', { method: 'POST', headers: SAME })).status).toBe(204)
    expect((await withCookie()).status).toBe(401)
  })

  test('what the provider says anew counts from the next sign-in on, under the same name', async () => {
    const browser = new Browser()
    await browser.signIn({ ...ADA, preferred_username: 'ada.lovelace', groups: ['ml', 'ml-leads'] })
    const who = (await (await browser.call('/v1/whoami')).json()) as { user: object }
    expect(who.user).toMatchObject({ id: 'ada', role: 'admin' })
  })

  test.each([
    ['is in no group', { sub: 's1', preferred_username: 'eve', groups: [] }, /in no group/],
    [
      'is called like the operator',
      { sub: 's2', preferred_username: 'operator', groups: ['ml'] },
      /"operator" already/,
    ],
    [
      'is called like another person',
      { sub: 's3', preferred_username: 'ada', groups: ['ml'] },
      /"ada" already/,
    ],
    [
      'has a name that cannot be',
      { sub: 's4', preferred_username: 'Über', groups: ['ml'] },
      /cannot name a user/,
    ],
    [
      'belongs nowhere',
      { sub: 's5', preferred_username: 'zoe', groups: ['lost'] },
      /no organisation "nowhere"/,
    ],
  ])('who %s is refused and told why', async (_, person, why) => {
    const browser = new Browser()
    const refused = await browser.signIn(person)
    expect(refused.status).toBe(403)
    expect(await refused.text()).toMatch(why)
    expect((await browser.call('/v1/whoami')).status).toBe(401)
  })

  test('an answer that this browser did not ask for is refused', async () => {
    const stranger = await new Browser().call('/auth/oidc/callback?code=x&state=y')
    expect([stranger.status, await stranger.text()]).toEqual([400, expect.stringContaining('Begin again')])
    const begun = new Browser()
    await fetch(`${server.url}/auth/oidc`, { redirect: 'manual' }).then((response) => response.body?.cancel())
    provider.person = ADA
    const cookie = (await fetch(`${server.url}/auth/oidc`, { redirect: 'manual' })).headers.getSetCookie()[0]!
    const forged = await fetch(`${server.url}/auth/oidc/callback?code=x&state=y`, {
      headers: { cookie: cookie.split(';', 1)[0]! },
      redirect: 'manual',
    })
    expect(forged.status).toBe(403)
    expect((await begun.call('/v1/whoami')).status).toBe(401)
  })
})

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as AddressInfo
  await new Promise<void>((resolve) => probe.close(() => resolve()))
  return port
}
