import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { OrganisationId, UserId } from '../base/index.ts'
import { id } from '../base/index.ts'
import type { Command } from '../control/index.ts'
import { SYSTEM, teamId } from '../model/index.ts'
import { newSecret, sha256 } from './caller.ts'
import type { Ledger } from './ledger.ts'

const FIRST_ORGANISATION = id<OrganisationId>('default')
const FIRST_OPERATOR = id<UserId>('operator')

/** Makes the first organisation, team and operator, and sees to it that the token in the data folder is theirs. */
export async function bootstrap(ledger: Ledger, dataDir: string): Promise<void> {
  const team = teamId(FIRST_ORGANISATION, 'default')
  if (!ledger.state.organisations.has(FIRST_ORGANISATION)) {
    await must(ledger, { kind: 'create-organisation', organisation: FIRST_ORGANISATION })
  }
  if (!ledger.state.teams.has(team)) {
    await must(ledger, { kind: 'create-team', team: { id: team, organisation: FIRST_ORGANISATION } })
  }
  if (!ledger.state.users.has(FIRST_OPERATOR)) {
    await must(ledger, {
      kind: 'set-user',
      user: { id: FIRST_OPERATOR, organisation: FIRST_ORGANISATION, teams: [team], role: 'operator' },
    })
  }
  await ensureToken(ledger, dataDir)
}

/** A token file that is missing, or whose token was revoked or restored away, is made anew. */
async function ensureToken(ledger: Ledger, dataDir: string): Promise<void> {
  const path = tokenPath(dataDir)
  const kept = (await readFile(path, 'utf8').catch(() => '')).trim()
  if (kept !== '' && ledger.state.tokens.has(sha256(kept))) return
  const secret = newSecret()
  await must(ledger, {
    kind: 'issue-token',
    token: { sha256: sha256(secret), user: FIRST_OPERATOR, label: 'data folder' },
  })
  const beside = `${path}.new`
  await writeFile(beside, `${secret}\n`, { mode: 0o600 })
  await rename(beside, path)
}

export function tokenPath(dataDir: string): string {
  return join(dataDir, 'operator.token')
}

async function must(ledger: Ledger, command: Command): Promise<void> {
  const outcome = await ledger.execute(command, SYSTEM)
  if (!outcome.ok) throw new Error(`the first start could not ${command.kind}: ${outcome.rejection.message}`)
}
