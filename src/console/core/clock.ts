import { useEffect, useState } from 'preact/hooks'

/** The server's clock beside this machine's: it may be wrong, ahead, or run faster (the twin's). */
interface ServerClock {
  readonly serverAt: number
  readonly hereAt: number
  /** Server milliseconds in one of here. */
  readonly speed: number
}

let clock: ServerClock = { serverAt: Date.now(), hereAt: Date.now(), speed: 1 }

/** Takes what the server says of its clock; without a speed it goes on as before. */
export function setServerClock(serverAt: number, speed = clock.speed): void {
  clock = { serverAt, hereAt: Date.now(), speed }
}

/** What time it is at the server, in milliseconds since the Unix epoch. */
export function serverNow(): number {
  return clock.serverAt + (Date.now() - clock.hereAt) * clock.speed
}

/** The server's time, told anew this often. */
export function useNow(everyMs = 1_000): number {
  const [now, setNow] = useState(serverNow)
  useEffect(() => {
    const timer = setInterval(() => setNow(serverNow()), everyMs)
    return () => clearInterval(timer)
  }, [everyMs])
  return now
}
