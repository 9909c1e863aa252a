import { join } from 'node:path'

export interface ClusterSize {
  readonly nodes: number
  readonly gpusPerNode: number
  readonly nodesPerLeaf: number
  readonly cpusPerNode: number
  /** Silence after which the controller takes a node as down. */
  readonly slurmdTimeoutSeconds: number
  readonly withRest: boolean
  /** Nodes that exist for the controller alone: jobs are placed on them and never begin. */
  readonly onPaper: boolean
  readonly schedulerParameters: string
  /** More lines for slurm.conf; `{nodes}` becomes the list of all nodes. */
  readonly extra: readonly string[]
}

interface Wanted extends ClusterSize {
  readonly folder: string
  readonly host: string
  readonly controllerPort: number
  readonly firstNodePort: number
  readonly nodeNames: readonly string[]
}

/** The configuration files of a test cluster by name. Its nodes have null devices for GPUs. */
export function slurmConfiguration(wanted: Wanted): Readonly<Record<string, string>> {
  return {
    'slurm.conf': slurmConf(wanted),
    'gres.conf': gresConf(wanted),
    'topology.conf': topologyConf(wanted),
    'cgroup.conf': 'CgroupPlugin=cgroup/v1\nCgroupAutomount=no\n',
  }
}

function slurmConf(wanted: Wanted): string {
  const { folder, nodeNames, cpusPerNode, gpusPerNode, onPaper } = wanted
  const all = nodeNames.join(',')
  const hardware = `CPUs=${cpusPerNode} Boards=1 SocketsPerBoard=1 CoresPerSocket=${cpusPerNode} ThreadsPerCore=1 RealMemory=100000 Gres=gpu:h100:${gpusPerNode}`
  const nodes = nodeNames.map((name, index) =>
    onPaper
      ? `NodeName=${name} ${hardware} State=CLOUD`
      : `NodeName=${name} NodeHostname=${wanted.host} NodeAddr=127.0.1.${index + 1} Port=${wanted.firstNodePort + index} ${hardware} Feature=hopper State=UNKNOWN`,
  )
  return `${[
    'ClusterName=test',
    `SlurmctldHost=${wanted.host}(127.0.0.1)`,
    `SlurmctldPort=${wanted.controllerPort}`,
    'SlurmUser=slurm',
    'SlurmdUser=root',
    'AuthType=auth/munge',
    `AuthInfo=socket=${join(folder, 'munge/munge.socket')},cred_expire=10`,
    'AuthAltTypes=auth/jwt',
    `AuthAltParameters=jwt_key=${join(folder, 'etc/jwt.key')}`,
    `StateSaveLocation=${join(folder, 'state')}`,
    `SlurmdSpoolDir=${join(folder, 'spool/%n')}`,
    `SlurmctldPidFile=${join(folder, 'run/slurmctld.pid')}`,
    `SlurmdPidFile=${join(folder, 'run/slurmd-%n.pid')}`,
    `SlurmctldLogFile=${join(folder, 'log/slurmctld.log')}`,
    `SlurmdLogFile=${join(folder, 'log/slurmd-%n.log')}`,
    'ProctrackType=proctrack/linuxproc',
    'TaskPlugin=task/none',
    'JobAcctGatherType=jobacct_gather/none',
    'AccountingStorageType=accounting_storage/none',
    'MpiDefault=none',
    'SwitchType=switch/none',
    'ReturnToService=1',
    'SlurmctldTimeout=30',
    `SlurmdTimeout=${wanted.slurmdTimeoutSeconds}`,
    'InactiveLimit=0',
    'KillWait=5',
    'MinJobAge=300',
    'MailProg=/bin/true',
    'MaxJobCount=50000',
    'SlurmdParameters=config_overrides',
    'GresTypes=gpu',
    'SelectType=select/cons_tres',
    'SelectTypeParameters=CR_Core_Memory',
    'TopologyPlugin=topology/tree',
    'SchedulerType=sched/backfill',
    wanted.schedulerParameters,
    'PriorityType=priority/multifactor',
    'PriorityWeightAge=1000',
    'PreemptType=preempt/partition_prio',
    'PreemptMode=REQUEUE',
    'DebugFlags=NO_CONF_HASH',
    ...(onPaper
      ? [
          'SuspendProgram=/bin/true',
          'ResumeProgram=/bin/true',
          'SuspendTime=60000',
          'ResumeTimeout=60000',
          'ResumeRate=0',
        ]
      : []),
    ...nodes,
    `PartitionName=batch Nodes=${all} Default=YES MaxTime=7-0 DefaultTime=60 State=UP OverSubscribe=NO PriorityTier=10`,
    `PartitionName=guests Nodes=${all} MaxTime=1-0 State=UP OverSubscribe=NO PriorityTier=10`,
    ...wanted.extra.map((line) => line.replaceAll('{nodes}', all)),
  ].join('\n')}\n`
}

function gresConf({ folder, nodeNames, gpusPerNode, onPaper }: Wanted): string {
  if (onPaper)
    return `AutoDetect=off\nNodeName=${nodeNames.join(',')} Name=gpu Type=h100 Count=${gpusPerNode}\n`
  const device = join(folder, 'dev/nvidia')
  const range = gpusPerNode === 1 ? '0' : `[0-${gpusPerNode - 1}]`
  return `AutoDetect=off\nNodeName=${nodeNames.join(',')} Name=gpu Type=h100 File=${device}${range}\n`
}

function topologyConf({ nodeNames, nodesPerLeaf }: Wanted): string {
  const leaves: string[] = []
  for (let from = 0; from < nodeNames.length; from += nodesPerLeaf) {
    leaves.push(
      `SwitchName=leaf${leaves.length + 1} Nodes=${nodeNames.slice(from, from + nodesPerLeaf).join(',')}`,
    )
  }
  const spine = leaves.length > 1 ? [`SwitchName=spine Switches=leaf[1-${leaves.length}]`] : []
  return `${[...leaves, ...spine].join('\n')}\n`
}
