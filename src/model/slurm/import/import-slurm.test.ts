import { describe, expect, it } from 'vitest'
import { topologyOf } from '../switch-tree.ts'
import { parseTopology } from '../topology-yaml.ts'
import { importSlurm } from './import-slurm.ts'

const CONF = `
# A site
ClusterName=hal
PriorityType=priority/multifactor
PriorityDecayHalfLife=14-0
PriorityWeightFairshare=10000
PriorityWeightAge=1000   # ages
PreemptType=preempt/none
SchedulerParameters=bf_window=4320
NodeName=DEFAULT CPUs=96 RealMemory=2000000 Gres=gpu:h100:8
NodeName=gpu-[001-128] Weight=5
NodeName=old-[1-4] CPUs=64 Gres=gpu:4
PartitionName=main Nodes=gpu-[001-128] Default=YES MaxTime=7-0 PriorityTier=10 \\
  State=UP
PartitionName=old Nodes=old-[1-4] PriorityTier=1
`
const ACCOUNTS = `# To edit this file start with a cluster line
Cluster - 'hal':Fairshare=1:QOS='normal'
Parent - 'root'
User - 'root':DefaultAccount='root':AdminLevel='Administrator':Fairshare=1
Account - 'research':Description='r':Organization='r':Fairshare=30:GrpTRES='gres/gpu=512'
Account - 'ops':Description='o':Organization='o':MaxJobs=10
Parent - 'research'
Account - 'nlp':Description='n':Organization='r':Fairshare=2
User - 'grace':DefaultAccount='research':Fairshare=1
Parent - 'nlp'
User - 'ada':DefaultAccount='nlp':Fairshare=1
`
const QOS =
  'Name|Priority|GraceTime|MaxTRESPU\nnormal|100|00:00:00|\nurgent|1000|00:00:00|gres/gpu=8\nscavenge|1|00:00:00|\n'

const site = importSlurm({
  slurmConf: CONF,
  gresConf: 'NodeName=old-[1-4] Name=gpu Type=a100 File=/dev/nvidia[0-3]\n',
  accounts: ACCOUNTS,
  qos: QOS,
})

describe('a Slurm site', () => {
  it('has its nodes by group, defaults and gres.conf read in', () => {
    expect(site.cluster).toMatchObject({
      name: 'hal',
      nodes: [
        { hosts: 'gpu-[001-128]', count: 128, gpuModel: 'H100', gpus: 8, cpus: 96, memoryMib: 2_000_000 },
        { hosts: 'old-[1-4]', count: 4, gpuModel: 'A100', gpus: 4, cpus: 64 },
      ],
    })
  })

  it('has queues of its accounts, with shares and limits, and their users', () => {
    expect(site.queues).toMatchObject([
      { id: 'research', weight: 30, limitGpus: 512 },
      { id: 'research/research', parent: 'research' },
      { id: 'ops', weight: 1 },
      { id: 'ops/ops', parent: 'ops' },
      { id: 'research/nlp', parent: 'research', weight: 2 },
    ])
    expect(site.users).toEqual([
      { id: 'grace', organisation: 'research', teams: ['research/research'] },
      { id: 'ada', organisation: 'research', teams: ['research/nlp'] },
    ])
  })

  it('has names that its scripts may go on to use', () => {
    expect(site.names).toMatchObject({
      partitions: { main: { gpu: 'H100' }, old: { gpu: 'A100', priority: 'low' } },
      qos: { normal: { priority: 'normal' }, urgent: { priority: 'high' }, scavenge: { priority: 'low' } },
      accounts: { nlp: { team: 'research/nlp' }, ops: { team: 'ops/ops' } },
    })
  })

  it('has a policy', () => {
    expect(site.policy).toEqual({ preempt: false, usageHalfLifeMs: 14 * 86_400_000 })
  })

  it('has a report of all that has no counterpart', () => {
    const report = site.report.join('\n')
    for (const said of [
      'Weight=5',
      'maxtime=7-0',
      'maxjobs=10',
      'maxtrespu=gres/gpu=8',
      'priorityweightage=1000',
      'bf_window=4320',
    ]) {
      expect(report).toContain(said)
    }
  })
})

describe('a topology', () => {
  const domains = (text: string, node: string) => {
    const switches = parseTopology(text)
    if (!switches.ok) throw new Error(switches.error)
    const { levels, domainsOf } = topologyOf(switches.value, 'hal')
    return [levels.join(' > '), domainsOf(node).join(' > ')]
  }

  it.each([
    [
      'SwitchName=top Switches=l[1-2]\nSwitchName=l1 Nodes=n[1-2]\nSwitchName=l2 Nodes=n[3-4]',
      'n3',
      'pod > block > node',
      'top > l2',
    ],
    ['SwitchName=l1 Nodes=n[1-2]', 'n9', 'pod > block > node', 'hal > unconnected'],
    [
      'BlockName=b1 Nodes=n[1-2]\nBlockName=b2 Nodes=n[3-4]\nBlockSizes=2,4',
      'n4',
      'pod > block > node',
      'hal > b2',
    ],
    ['', 'n1', 'site > node', 'hal'],
    [
      '- topology: t\n  cluster_default: true\n  tree:\n    switches:\n      - switch: top\n        children: l[1-2]\n      - switch: l1\n        nodes: n[1-2]\n      - switch: l2\n        nodes: n[3-4]\n',
      'n1',
      'pod > block > node',
      'top > l1',
    ],
    [
      '- topology: b\n  block:\n    block_sizes: [2]\n    blocks:\n      - block: b1\n        nodes: n[1-2]\n',
      'n2',
      'pod > block > node',
      'hal > b1',
    ],
  ])('%j puts %s into its domains', (text, node, levels, path) => {
    expect(domains(text, node)).toEqual([levels, path])
  })

  it('that is not understood is refused with its line', () => {
    const read = parseTopology('SwitchName=a Nodes=n1\nNonsense=1')
    expect(!read.ok && read.error).toContain('line 2')
  })
})
