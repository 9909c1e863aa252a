import type { Policy, Queue } from '../model/index.ts'

/** The value with the given members replaced; `null` takes a member away, `undefined` leaves it. */
export function merge<Value extends Queue | Policy>(before: Value, settings: object): Value {
  const merged: Record<string, unknown> = { ...before }
  for (const [key, value] of Object.entries(settings)) {
    if (value === null) delete merged[key]
    else if (value !== undefined) merged[key] = value
  }
  return merged as unknown as Value
}
