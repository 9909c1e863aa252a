const KINDS: Readonly<Record<string, 'good' | 'info' | 'warn' | 'bad'>> = {
  running: 'good',
  succeeded: 'good',
  ready: 'good',
  starting: 'info',
  open: 'good',
  planned: 'info',
  queued: 'info',
  testing: 'info',
  stopping: 'warn',
  cordoned: 'warn',
  draining: 'warn',
  preempted: 'warn',
  failed: 'bad',
  down: 'bad',
  'user-failure': 'bad',
  'platform-failure': 'bad',
}

/** A state or outcome as a word in its colour. */
export function StateBadge({ state }: { readonly state: string }) {
  return <span class={`badge ${KINDS[state] ?? ''}`}>{state}</span>
}
