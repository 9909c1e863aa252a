import fc from 'fast-check'

/** CI draws the same cases each time, so that a change is judged by itself; elsewhere every run draws new ones. */
const seed = process.env.BANYAN_SEED ?? (process.env.CI === 'true' ? '20261124' : undefined)
if (seed !== undefined) fc.configureGlobal({ seed: Number(seed) })
