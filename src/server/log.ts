import pino from 'pino'

export type Log = pino.Logger

/** Structured lines on standard error. The level comes from `BANYAN_LOG` (default `info`). */
export function createLog(level: string): Log {
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ fd: 2, sync: true }),
  )
}
