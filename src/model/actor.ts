/** Who caused a change: a person by user id, the scheduler's plan, an engine's observation, or Banyan itself. */
export type Actor =
  | { readonly kind: 'user'; readonly id: string }
  | { readonly kind: 'scheduler' }
  | { readonly kind: 'engine'; readonly id: string }
  | { readonly kind: 'system' }

export const SCHEDULER: Actor = { kind: 'scheduler' }
export const SYSTEM: Actor = { kind: 'system' }

export function actorName(actor: Actor): string {
  return 'id' in actor ? `${actor.kind}:${actor.id}` : actor.kind
}
