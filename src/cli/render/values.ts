import { DAY_MS, formatDuration, HOUR_MS } from '../../base/index.ts'
import type { Cli } from '../cli.ts'

/** `14:05`, or `tomorrow`-proof `Nov 24 14:05` when it is not today; in the reader's zone. */
export function clockTime(at: number, now: number): string {
  const date = new Date(at)
  const time = `${two(date.getHours())}:${two(date.getMinutes())}`
  if (date.toDateString() === new Date(now).toDateString()) return time
  const month = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'][
    date.getMonth()
  ]
  const year = Math.abs(at - now) > 300 * DAY_MS ? ` ${date.getFullYear()}` : ''
  return `${month} ${date.getDate()}${year} ${time}`
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}

/** `in 3m 5s`, `2h ago`, `now`. */
export function fromNow(at: number, now: number): string {
  const span = at - now
  if (Math.abs(span) < 1_000) return 'now'
  return span > 0 ? `in ${formatDuration(span)}` : `${formatDuration(-span)} ago`
}

/** GPU-milliseconds as GPU-hours, `0.0026` at the least. */
export function gpuHours(gpuMs: number): string {
  const hours = gpuMs / HOUR_MS
  if (hours === 0) return '0'
  if (hours < 0.0001) return '<0.0001'
  return hours >= 100
    ? hours.toFixed(0)
    : hours >= 1
      ? hours.toPrecision(3)
      : hours.toFixed(hours >= 0.1 ? 3 : 4)
}

/** `8`, `0.25`. */
export function gpuCount(gpus: number): string {
  return String(Math.round(gpus * 1000) / 1000)
}

/** `1 GPU`, `0.25 GPUs`. */
export function gpusText(gpus: number): string {
  return `${gpuCount(gpus)} GPU${gpus === 1 ? '' : 's'}`
}

export function bytes(count: number): string {
  if (count < 2 ** 10) return `${count} B`
  const units = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB']
  let value = count / 2 ** 10
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${value >= 100 ? value.toFixed(0) : value.toPrecision(3)} ${units[unit]}`
}

/** `1 node`, `3 nodes`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

const GOOD = ['running', 'succeeded', 'ready', 'ok']
const BAD = ['failed', 'down', 'user-failure', 'platform-failure']
const PASSING = ['starting', 'stopping', 'draining', 'testing', 'queued', 'preempted']

/** A state in the colour of how it is doing. */
export function painted(cli: Cli, state: string): string {
  if (GOOD.includes(state)) return cli.paint.green(state)
  if (BAD.includes(state)) return cli.paint.red(state)
  return PASSING.includes(state) ? cli.paint.yellow(state) : cli.paint.dim(state)
}
