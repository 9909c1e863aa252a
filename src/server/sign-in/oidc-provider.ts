import * as oidc from 'openid-client'
import type { OidcSettings } from './oidc-settings.ts'

/** What a sign-in that has begun must be finished with; it stays with the browser that began it. */
export interface Begun {
  readonly state: string
  readonly nonce: string
  readonly verifier: string
}

/** The provider of an issuer: authorization code flow with PKCE. It is looked up when somebody first signs in. */
export class OidcProvider {
  readonly #settings: OidcSettings
  #found: Promise<oidc.Configuration> | undefined

  constructor(settings: OidcSettings) {
    this.#settings = settings
  }

  get callbackUrl(): string {
    return new URL('/auth/oidc/callback', this.#settings.publicUrl).href
  }

  /** Where to send a person, and what to keep until they come back. Rejects when the provider cannot be reached. */
  async begin(): Promise<{ readonly url: URL; readonly begun: Begun }> {
    const provider = await this.#provider()
    const begun = {
      state: oidc.randomState(),
      nonce: oidc.randomNonce(),
      verifier: oidc.randomPKCECodeVerifier(),
    }
    const url = oidc.buildAuthorizationUrl(provider, {
      redirect_uri: this.callbackUrl,
      scope: this.#settings.scope,
      state: begun.state,
      nonce: begun.nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(begun.verifier),
      code_challenge_method: 'S256',
    })
    return { url, begun }
  }

  /** What the provider says of the person who came back with this query. Rejects when it is not the answer to `begun`. */
  async finish(query: string, begun: Begun): Promise<Readonly<Record<string, unknown>>> {
    const provider = await this.#provider()
    const answer = new URL(this.callbackUrl)
    answer.search = query
    const tokens = await oidc.authorizationCodeGrant(provider, answer, {
      expectedState: begun.state,
      expectedNonce: begun.nonce,
      pkceCodeVerifier: begun.verifier,
      idTokenExpected: true,
    })
    const claims = tokens.claims()
    if (!claims) throw new Error('the provider gave no ID token')
    if (provider.serverMetadata().userinfo_endpoint === undefined) return claims
    // Groups and names often stand only there.
    return { ...(await oidc.fetchUserInfo(provider, tokens.access_token, claims.sub)), ...claims }
  }

  #provider(): Promise<oidc.Configuration> {
    this.#found ??= this.#lookUp().catch((error: unknown) => {
      this.#found = undefined
      throw error
    })
    return this.#found
  }

  #lookUp(): Promise<oidc.Configuration> {
    const { issuer, clientId, clientSecret } = this.#settings
    const isPlain = issuer.startsWith('http://')
    return oidc.discovery(
      new URL(issuer),
      clientId,
      clientSecret,
      clientSecret === undefined ? oidc.None() : undefined,
      isPlain ? { execute: [oidc.allowInsecureRequests] } : undefined,
    )
  }
}
