import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { z } from 'zod'
import { ok, type Result, refuse } from '../../base/index.ts'
import { ROLES } from '../../model/index.ts'

const loopback = /^(?:localhost|127\.0\.0\.1|\[::1\])$/

/** Secrets and people's identities travel there: only this machine may be reached in the clear. */
const address = z.url({ protocol: /^https?$/ }).refine(
  (url) => {
    const { protocol, hostname } = new URL(url)
    return protocol === 'https:' || loopback.test(hostname)
  },
  { error: 'must begin with https://, except for this machine itself' },
)

const settings = z.strictObject({
  issuer: address,
  clientId: z.string().min(1),
  clientSecret: z.string().min(1).optional(),
  /** Where people reach this server; the provider sends them back to `/auth/oidc/callback` below it. */
  publicUrl: address,
  /** On the button. */
  name: z.string().min(1).max(60).default('single sign-on'),
  scope: z.string().default('openid profile email'),
  userClaim: z.string().default('preferred_username'),
  groupsClaim: z.string().default('groups'),
  sessionHours: z.number().positive().max(720).default(12),
  /** The first whose group a person is in says what they may do; `*` is everybody. */
  rules: z
    .array(
      z.strictObject({
        group: z.string().min(1),
        organisation: z.string().min(1),
        teams: z.array(z.string().min(1)).default([]),
        role: z.enum(ROLES).default('member'),
      }),
    )
    .min(1),
})
export type OidcSettings = z.output<typeof settings>

/** The settings of a YAML file, or in one line what is wrong with it; BANYAN_OIDC_CLIENT_SECRET goes before `clientSecret`. */
export function readOidcSettings(
  path: string,
  env: Readonly<Record<string, string | undefined>>,
): Result<OidcSettings, string> {
  let written: unknown
  try {
    written = parse(readFileSync(path, 'utf8'))
  } catch (error) {
    return refuse(`--oidc ${path}: ${error instanceof Error ? error.message : String(error)}`)
  }
  const parsed = settings.safeParse(written)
  if (!parsed.success) {
    const faults = parsed.error.issues.map(
      ({ path: at, message }) => `${at.join('.') || 'the file'}: ${message}`,
    )
    return refuse(`--oidc ${path}: ${faults.join('; ')}; docs/operating/sign-in.md has an example`)
  }
  const secret = env.BANYAN_OIDC_CLIENT_SECRET
  return ok(secret === undefined ? parsed.data : { ...parsed.data, clientSecret: secret })
}
