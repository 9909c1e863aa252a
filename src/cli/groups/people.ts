import type { Group } from './group.ts'
import { collect } from './option-values.ts'

/** Organisations, teams, users and their tokens. */
export function addPeople(group: Group): void {
  const module = () => import('../commands/tenancy.ts')
  const orgs = group.command('orgs', 'list organisations, or make one').alias('organisations')
  orgs
    .command('list', { isDefault: true })
    .description('list them')
    .action(group.run(async (cli) => (await module()).listOrganisations(cli)))
  orgs
    .command('create')
    .description('make one, with its queue')
    .argument('<id>')
    .action(group.run(async (cli, id) => (await module()).createOrganisation(cli, id)))
  const teams = group.command('teams', 'list teams, or make one')
  teams
    .command('list', { isDefault: true })
    .description('list them')
    .action(group.run(async (cli) => (await module()).listTeams(cli)))
  teams
    .command('create')
    .description('make one, with its queue')
    .argument('<team>', 'team or organisation/team')
    .action(group.run(async (cli, id) => (await module()).createTeam(cli, id)))
  const users = group.command('users', 'list users, make, change or remove one')
  users
    .command('list', { isDefault: true })
    .description('list them')
    .action(group.run(async (cli) => (await module()).listUsers(cli)))
  users
    .command('set')
    .description('make a user, or change one; what is left out stays')
    .argument('<user>')
    .option('--organisation <organisation>', 'where they belong (your own)')
    .option('--team <team>', 'a team of theirs; may be given again', collect)
    .option('--role <role>', 'operator, admin, member or viewer (member)')
    .action(group.run(async (cli, id, options) => (await module()).setUser(cli, id, options)))
  users
    .command('remove')
    .description('remove a user and revoke their tokens')
    .argument('<user>')
    .action(group.run(async (cli, id) => (await module()).removeUser(cli, id)))
  const tokens = group.command('tokens', 'list tokens, issue or revoke one')
  tokens
    .command('list', { isDefault: true })
    .description('list them')
    .action(group.run(async (cli) => (await module()).listTokens(cli)))
  tokens
    .command('issue')
    .description('issue a token; its secret is printed once')
    .option('--user <user>', 'for this user (yourself)')
    .option('--label <text>', 'what it is for')
    .option('--expires <span>', 'for so long, such as 90d (for ever)')
    .action(group.run(async (cli, options) => (await module()).issueToken(cli, options)))
  tokens
    .command('revoke')
    .description('revoke a token')
    .argument('<token>', 'id as listed')
    .action(group.run(async (cli, id) => (await module()).revokeToken(cli, id)))
  group
    .command('whoami', 'who your token belongs to')
    .action(group.run(async (cli) => (await import('../commands/whoami.ts')).whoAmI(cli)))
}
