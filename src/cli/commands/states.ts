import { FINAL_WORKLOAD_STATES, WORKLOAD_STATES } from '../../model/index.ts'

/** States of work that is not over. */
export const LIVE_STATES = WORKLOAD_STATES.filter(
  (state) => !(FINAL_WORKLOAD_STATES as readonly string[]).includes(state),
)
