import { readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { stringify } from 'yaml'
import { importSlurm } from '../../model/slurm/import/import-slurm.ts'
import { parseTopology } from '../../model/slurm/topology-yaml.ts'
import type { Cli } from '../cli.ts'
import { CliFailure } from '../failure.ts'

export interface ImportOptions {
  readonly topology?: string
  readonly accounts?: string
  readonly qos?: string
  readonly apply?: boolean
}

/** `banyan slurm import slurm.conf`: the site in Banyan's terms as YAML, with a report; `--apply` makes the queues. */
export async function importSite(cli: Cli, file: string, options: ImportOptions): Promise<void> {
  const folder = dirname(resolve(cli.io.cwd, file))
  const topologyText =
    options.topology !== undefined
      ? await must(cli, options.topology)
      : ((await may(join(folder, 'topology.yaml'))) ?? (await may(join(folder, 'topology.conf'))))
  const switches = parseTopology(topologyText ?? '')
  if (!switches.ok) throw new CliFailure('usage', switches.error)
  const gresConf = await may(join(folder, 'gres.conf'))
  const site = importSlurm({
    slurmConf: await must(cli, file),
    switches: switches.value,
    ...(gresConf === undefined ? {} : { gresConf }),
    ...(options.accounts === undefined ? {} : { accounts: await must(cli, options.accounts) }),
    ...(options.qos === undefined ? {} : { qos: await must(cli, options.qos) }),
  })
  if (options.apply) await apply(cli, site)
  cli.print(site, () => {
    const { report, names, ...rest } = site
    const remarks = report.map((line) => `# - ${line}`)
    const head =
      report.length === 0 ? ['# Everything has a counterpart.'] : ['# Without a counterpart:', ...remarks]
    return [
      ...head,
      ...(options.apply ? [applied(site)] : []),
      stringify({ ...rest, ...names }).trimEnd(),
    ].join('\n')
  })
}

/** The policy concerns work that is there already, so that it is left to a person to say yes to. */
function applied({ queues, users }: ReturnType<typeof importSlurm>): string {
  return `# Set: ${queues.length} queues and ${users.length} ${users.length === 1 ? 'user' : 'users'}. Not set: the policy below; look at it with banyan policy apply FILE.`
}

async function apply(cli: Cli, { queues, users }: ReturnType<typeof importSlurm>): Promise<void> {
  const client = await cli.client()
  const organisations = new Set((await client.listOrganisations()).items.map(({ id }) => id as string))
  const teams = new Set((await client.listTeams()).items.map(({ id }) => id as string))
  for (const queue of queues) {
    const [organisation = '', team] = queue.id.split('/')
    if (!organisations.has(organisation)) {
      await client.createOrganisation({ id: organisation })
      organisations.add(organisation)
    }
    if (team !== undefined && !teams.has(queue.id)) await client.createTeam({ organisation, name: team })
    const { parent: _, ...settings } = queue
    await client.setQueue(settings)
  }
  for (const user of users) await client.setUser({ ...user, teams: [...user.teams], role: 'member' })
}

async function must(cli: Cli, file: string): Promise<string> {
  const text = await may(resolve(cli.io.cwd, file))
  if (text === undefined) throw new CliFailure('usage', `${file} cannot be read`)
  return text
}

async function may(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined)
}
