/** Loaded before a server: from SIGUSR2 on, the wall's clock stands an hour back, as after a step of its daemon. */
const HOUR_MS = 3_600_000
const now = Date.now
let steppedBackMs = 0
Date.now = () => now() - steppedBackMs
process.on('SIGUSR2', () => {
  steppedBackMs = HOUR_MS
})
