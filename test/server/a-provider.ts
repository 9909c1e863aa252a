import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Provider from 'oidc-provider'

export interface Person {
  readonly sub: string
  readonly preferred_username: string
  readonly groups: readonly string[]
}

export interface TestProvider {
  readonly issuer: string
  /** Who sits at the browser: they sign in at once when they are asked to. */
  person: Person
  close(): Promise<void>
}

/** A real identity provider on this machine whose only client comes back to `callbackUrl`. */
export async function aProvider(callbackUrl: string): Promise<TestProvider> {
  const http = createServer()
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  const people = new Map<string, Person>()
  const provider = new Provider(issuer, {
    clients: [{ client_id: 'banyan', client_secret: 'a secret', redirect_uris: [callbackUrl] }],
    cookies: { keys: ['a key'] },
    claims: { openid: ['sub'], profile: ['preferred_username', 'groups'] },
    pkce: { required: () => true },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ ...people.get(sub), sub }) }),
    loadExistingGrant: async ({ oidc }) => {
      const grant = new oidc.provider.Grant({
        clientId: oidc.client!.clientId,
        accountId: oidc.session!.accountId!,
      })
      grant.addOIDCScope('openid profile')
      await grant.save()
      return grant
    },
  })
  const answer = provider.callback()
  const made: TestProvider = {
    issuer,
    person: { sub: '', preferred_username: '', groups: [] },
    close: () =>
      new Promise((resolve) => {
        http.close(() => resolve())
        http.closeAllConnections()
      }),
  }
  http.on('request', (request, response) => {
    if (!request.url?.startsWith('/interaction/')) return void answer(request, response)
    people.set(made.person.sub, made.person)
    void provider.interactionFinished(request, response, { login: { accountId: made.person.sub } })
  })
  return made
}
