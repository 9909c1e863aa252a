import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { readOidcSettings } from './oidc-settings.ts'

const folder = mkdtempSync(join(tmpdir(), 'banyan-oidc-'))
afterAll(() => rmSync(folder, { recursive: true }))

const GOOD = `
issuer: https://login.example.org
clientId: banyan
publicUrl: https://banyan.example.org
rules: [{ group: "*", organisation: acme }]
`

function read(text: string, env = {}) {
  const path = join(folder, 'oidc.yaml')
  writeFileSync(path, text)
  return readOidcSettings(path, env)
}

test('what is left out has its usual value, and the secret of the environment counts', () => {
  expect(read(GOOD, { BANYAN_OIDC_CLIENT_SECRET: 'hidden' })).toMatchObject({
    ok: true,
    value: {
      clientSecret: 'hidden',
      userClaim: 'preferred_username',
      sessionHours: 12,
      rules: [{ group: '*', organisation: 'acme', teams: [], role: 'member' }],
    },
  })
})

test.each([
  ['an issuer in the clear', GOOD.replace('https://login', 'http://login'), /issuer: must begin with https/],
  ['no rules', GOOD.replace(/rules: .*/, 'rules: []'), /rules: /],
  ['a field that is unknown', `${GOOD}\nclientID: x`, /clientID/],
  ['no YAML', 'issuer: [', /oidc\.yaml: /],
])('%s is refused with its place', (_, text, why) => {
  const refused = read(text)
  expect(refused.ok ? '' : refused.error).toMatch(why)
})

test('this machine itself may be reached in the clear', () => {
  expect(read(GOOD.replace('https://login.example.org', 'http://127.0.0.1:9000')).ok).toBe(true)
})

test('a file that is not there is named', () => {
  const refused = readOidcSettings(join(folder, 'none.yaml'), {})
  expect(refused.ok ? '' : refused.error).toMatch(/none\.yaml/)
})
