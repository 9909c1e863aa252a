import type { Client } from '../../../api/client/client.ts'
import { whatIfRequest } from '../../../api/wire/what-if.ts'
import type { PRIORITY_CLASSES } from '../../../model/policy.ts'
import { countText } from '../../core/values.ts'

/** One change to try. */
export type Edit = Parameters<Client['askWhatIf']>[0]['edits'][number]

/** What can be tried, what it takes, and who may (the server says so of everything else). */
export const KINDS = {
  'add-nodes': { name: 'Add nodes', ask: 'How many', first: '32', isOperators: true },
  'remove-nodes': { name: 'Take nodes away', ask: 'Their ids, with commas', first: '', isOperators: true },
  stop: { name: 'Cancel what waits', ask: 'The workload’s id', first: '', isOperators: false },
  raise: { name: 'Change a priority', ask: 'The workload’s id', first: '', isOperators: false },
  guarantee: { name: 'Change a guarantee', ask: 'The queue’s id', first: '', isOperators: true },
} as const
export type Kind = keyof typeof KINDS

/** The edits of an address; none where it has been tampered with. */
export function editsOf(written: string): readonly Edit[] {
  try {
    return whatIfRequest.shape.edits.safeParse(JSON.parse(written)).data ?? []
  } catch {
    return []
  }
}

/** Where these changes are tried. */
export function whatIfPath(edits: readonly Edit[]): string {
  return `/what-if?${new URLSearchParams({ edits: JSON.stringify(edits) }).toString()}`
}

/** The change that the form has. */
export function editOf(kind: Kind, subject: string, priority: string, gpus: string): Edit {
  switch (kind) {
    case 'add-nodes':
      return { kind: 'add-nodes', count: Number(subject) }
    case 'remove-nodes':
      return { kind: 'remove-nodes', nodes: subject.split(/[\s,]+/).filter(Boolean) }
    case 'stop':
      return { kind: 'stop', workload: subject }
    case 'raise':
      return {
        kind: 'set-priority',
        workload: subject,
        priority: priority as (typeof PRIORITY_CLASSES)[number],
      }
    case 'guarantee':
      return { kind: 'set-queue', queue: subject, settings: { guaranteedGpus: Number(gpus) } }
  }
}

/** A change in words. */
export function textOf(edit: Edit): string {
  switch (edit.kind) {
    case 'add-nodes':
      return `${countText(edit.count, 'node')} more`
    case 'remove-nodes':
      return `without ${edit.nodes.join(', ')}`
    case 'stop':
      return `${edit.workload} is cancelled`
    case 'set-priority':
      return `${edit.workload} has priority ${edit.priority}`
    case 'set-queue':
      return `${edit.queue} is guaranteed ${countText(edit.settings.guaranteedGpus ?? 0, 'GPU')}`
    case 'submit':
      return 'the spec is submitted'
    case 'reserve':
      return `${edit.reservation.id} is reserved`
    case 'cancel-reservation':
      return `${edit.reservation} is called off`
    case 'set-policy':
      return `the policy has ${Object.keys(edit.settings).join(', ')} changed`
  }
}
