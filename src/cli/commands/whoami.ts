import type { Cli } from '../cli.ts'
import { renderPairs } from '../render/table.ts'

/** Who the token in use belongs to. */
export async function whoAmI(cli: Cli): Promise<void> {
  const me = await (await cli.client()).whoAmI()
  cli.print(me, () =>
    renderPairs(cli, [
      ['user', me.user.id],
      ['role', me.user.role],
      ['organisation', me.user.organisation],
      ['teams', me.user.teams.join(', ')],
      ['token', `${me.token.id} (${me.token.label})`],
    ]),
  )
}
