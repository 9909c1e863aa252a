import { writeFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import type { Client, Explained } from '../src/api/index.ts'
import { SlurmSite, submitOne, when } from '../test/scenarios/slurm/slurm-server.ts'

/**
 * `tsx scripts/slurm-explanations.ts` writes docs/slurm-explanations.md: what Slurm and what Banyan say of the same
 * waiting job on the same Slurm, both as they print it. Needs root and Debian's Slurm packages.
 */
const DOCUMENT = new URL('../docs/slurm-explanations.md', import.meta.url)
/** Slurm looks at a job more than once before it names its reason. */
const SETTLED_MS = 6_000

interface Situation {
  readonly name: string
  readonly what: string
  /** Options of the jobs that hold the machine, and of the one that waits. */
  readonly slurm: { readonly holders: readonly string[]; readonly waits: string }
  readonly banyan: { readonly holders: readonly object[]; readonly waits: object }
  /** Nodes that are drained meanwhile. */
  readonly drained?: readonly string[]
  /** GPUs that the team may have at most meanwhile. */
  readonly limitGpus?: number
}

const whole = { nodes: 1, gpusPerNode: 2 }
const SITUATIONS: readonly Situation[] = [
  {
    name: 'shape',
    what: 'One of two GPUs is free on each of four nodes; a job wants one whole node.',
    slurm: { holders: [1, 2, 3, 4].map((n) => `-w gpu-00${n} --gres=gpu:1`), waits: '-N1 --gres=gpu:2' },
    banyan: { holders: [], waits: whole },
  },
  {
    name: 'quota',
    what: 'The machine is free, but this user’s share is used up: two nodes at most (a partition with MaxNodes=2 there, a limit of four GPUs here).',
    slurm: { holders: [], waits: '-p limited -N3 --gres=gpu:2' },
    banyan: { holders: [], waits: { nodes: 3, gpusPerNode: 2 } },
    limitGpus: 4,
  },
  {
    name: 'priority',
    what: 'All nodes are held; behind a first job that waits for two nodes stands a second that wants one.',
    slurm: { holders: ['-N4 --gres=gpu:2', '-N2 --gres=gpu:2'], waits: '-N1 --gres=gpu:2' },
    banyan: {
      holders: [
        { nodes: 4, gpusPerNode: 2 },
        { nodes: 2, gpusPerNode: 2, priority: 'high' },
      ],
      waits: whole,
    },
  },
  {
    name: 'topology',
    what: 'One node is free under each of two leaf switches; a job wants two nodes under one leaf.',
    slurm: {
      holders: ['-w gpu-001 --gres=gpu:2', '-w gpu-003 --gres=gpu:2'],
      waits: '-N2 --gres=gpu:2 --switches=1@5:00',
    },
    banyan: { holders: [], waits: { nodes: 2, gpusPerNode: 2, topology: { within: 'block' } } },
  },
  {
    name: 'drained node',
    what: 'Two of four nodes are drained; a job wants three.',
    slurm: { holders: [], waits: '-N3 --gres=gpu:2' },
    banyan: { holders: [], waits: { nodes: 3, gpusPerNode: 2 } },
    drained: ['gpu-001', 'gpu-002'],
  },
]

const site = await SlurmSite.open({
  nodes: 4,
  gpusPerNode: 2,
  nodesPerLeaf: 2,
  extra: ['PartitionName=limited Nodes={nodes} MaxNodes=2 MaxTime=1-0 State=UP PriorityTier=10'],
})
try {
  const client = await site.server('data').client()
  const rows: string[] = []
  for (const situation of SITUATIONS) {
    const slurm = await bySlurm(situation)
    const banyan = await byBanyan(client, situation)
    rows.push(
      `| **${situation.name}**: ${situation.what} | \`${slurm}\` | ${banyan.map(cell).join('<br>')} |`,
    )
    console.log(`${situation.name}\n  Slurm:  ${slurm}\n  Banyan: ${banyan.join('\n          ')}`)
  }
  const version = await site.cluster.command('sinfo', '--version')
  writeFileSync(DOCUMENT, page(version, rows))
} finally {
  await site.close()
}

function page(version: string, rows: readonly string[]): string {
  return `# What a waiting job is told

The same five situations on the same machine of four nodes with two GPUs each under two leaf switches (${version}): what
\`squeue -o '%r, starts %S'\` says of the job that waits, and what \`banyan explain\` says. Made by
\`npx tsx scripts/slurm-explanations.ts\` from what both printed.

| situation | Slurm | Banyan |
| --- | --- | --- |
${rows.join('\n')}
`
}

async function bySlurm({ slurm, drained = [] }: Situation): Promise<string> {
  const { cluster } = site
  for (const node of drained)
    await cluster.command('scontrol', 'update', `nodename=${node}`, 'state=drain', 'reason=ECC')
  const submit = (options: string) =>
    cluster.command(
      'sbatch',
      '--parsable',
      '-o',
      '/dev/null',
      '-t',
      '60',
      '--mem=1000',
      ...options.split(' '),
      '--wrap',
      'sleep 600',
    )
  for (const options of slurm.holders) await submit(options)
  await pause(SETTLED_MS)
  const job = await submit(slurm.waits)
  await pause(SETTLED_MS)
  const said = await cluster.command('squeue', '-h', '-j', job, '-o', '%r, starts %S')
  await cluster.cancelAll()
  for (const node of drained) await cluster.command('scontrol', 'update', `nodename=${node}`, 'state=resume')
  return said
}

async function byBanyan(client: Client, situation: Situation): Promise<string[]> {
  const { banyan, slurm, drained = [], limitGpus } = situation
  const { cluster } = site
  const isFree = async () =>
    (await client.listNodes()).items.every(({ state, foreign }) => state === 'ready' && foreign === undefined)
  while (!(await isFree())) await pause(200)
  // Where a single node must be held, somebody else holds it: Banyan chooses its nodes itself.
  const isByOthers = banyan.holders.length === 0 && slurm.holders.length > 0
  if (isByOthers) {
    for (const options of slurm.holders) {
      await cluster.command(
        'sbatch',
        '-o',
        '/dev/null',
        '--mem=1000',
        ...options.split(' '),
        '--wrap',
        'sleep 600',
      )
    }
    const count = slurm.holders.length
    const held = async () =>
      (await client.listNodes()).items.filter(({ foreign }) => foreign !== undefined).length
    while ((await held()) < count) await pause(200)
  }
  for (const node of drained) await client.drainNode({ id: node, reason: 'ECC' })
  const team = (await client.listTeams()).items[0]!
  if (limitGpus !== undefined) await client.setQueue({ id: team.id, limitGpus })
  const spec = (more: object, name: string) => ({
    type: 'train',
    name,
    run: 'sleep 600',
    tasksPer: 'node',
    time: '1h',
    ...more,
  })
  const ids: string[] = []
  for (const [index, holder] of banyan.holders.entries()) {
    const id = await submitOne(client, spec(holder, `holder-${index + 1}`), site.folder)
    if (index === 0) await when(client, id, ({ state }) => state === 'running')
    ids.push(id)
  }
  const id = await submitOne(client, spec(banyan.waits, 'waits'), site.folder)
  ids.push(id)
  await pause(SETTLED_MS)
  const said = linesOf(await client.explainWorkload({ id }))
  for (const one of ids.reverse()) await client.stopWorkload({ id: one, kill: true })
  await cluster.cancelAll()
  for (const node of drained) await client.resumeNode({ id: node, reason: 'done' })
  if (limitGpus !== undefined) await client.setQueue({ id: team.id, limitGpus: null })
  return said
}

function linesOf({ explanations: [first], state }: Explained): string[] {
  if (!first) return [state]
  const tried = first.counterfactuals.map(({ message }) => `tried: ${message}`)
  return [...first.blockers.map(({ kind, message }) => `${kind}: ${message}`), ...tried]
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}
