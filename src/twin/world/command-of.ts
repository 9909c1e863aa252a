import type { WorkloadId } from '../../base/index.ts'
import type { Command } from '../../control/index.ts'
import type { UserAction } from './world-setup.ts'

/** What somebody asks of the server by this action; nothing where what it is about is not there. */
export function commandOf(
  { what }: UserAction,
  acknowledged: readonly (WorkloadId | undefined)[],
  isHealed: boolean,
): Command | undefined {
  switch (what.kind) {
    case 'node':
      // A drill that nobody answered before all was healed is not held after it.
      if (isHealed && what.action !== 'resume') return undefined
      return { kind: 'node-action', node: what.node, action: what.action, reason: 'drill' }
    case 'stop': {
      const workload = acknowledged[what.job]
      return workload && { kind: 'stop', workload, kill: what.kill }
    }
    case 'scale': {
      const workload = acknowledged[what.job]
      return workload && { kind: 'scale', workload, replicas: what.replicas }
    }
    case 'command':
      return what.command
  }
}
