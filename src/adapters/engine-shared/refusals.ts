import type { EngineCause } from '../../control/ports/index.ts'

export function refusedByUser(message: string): EngineCause {
  return { kind: 'launch-refused', message, blame: 'user' }
}

export function refusedByMachine(message: string): EngineCause {
  return { kind: 'launch-refused', message, blame: 'platform' }
}
