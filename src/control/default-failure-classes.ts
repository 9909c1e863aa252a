import { assert } from '../base/index.ts'
import catalogue from './data/failure-classes.json' with { type: 'json' }
import type { FailureClasses } from './failure-classes.ts'
import { parseFailureClasses } from './failure-classes.ts'

/** The classes that Banyan ships with. */
export const DEFAULT_FAILURE_CLASSES: FailureClasses = shipped()

function shipped(): FailureClasses {
  const parsed = parseFailureClasses(JSON.stringify(catalogue))
  assert(parsed.ok, parsed.ok ? '' : parsed.error)
  return parsed.value
}
