import type { DurationMs, RandomStream } from '../../base/index.ts'
import { DAY_MS, HOUR_MS, parseDuration, present } from '../../base/index.ts'
import shapes from '../data/workload-shapes.json' with { type: 'json' }
import { logNormal, weighted } from '../kernel/distributions.ts'
import type { JobTrace, TraceJob } from './job-trace.ts'

/** Names of the published shapes, each with its source in `data/workload-shapes.json`. */
export type ShapeName = keyof typeof shapes
export const SHAPE_NAMES = Object.keys(shapes) as ShapeName[]

export interface Generation {
  readonly shape: ShapeName
  /** GPUs of the machine that the load is a share of. */
  readonly gpus: number
  /** GPU-time asked for per GPU-time there is. */
  readonly load: number
  readonly spanMs: DurationMs
  /** Sizes above it are left out; absent means the machine. */
  readonly largestGpus?: number
  /** Where in the week the span begins; absent means its first midnight. Submissions are told from there on too. */
  readonly fromMs?: DurationMs
}

interface Size {
  readonly gpus: number
  readonly jobs: number
  readonly medianMs: DurationMs
  readonly sigma: number
}

const USERS_OF_TENANT = 8

/**
 * Jobs of a published shape: sizes by their share, run times log-normal by size and cut at the longest, Poisson
 * arrivals that follow day and week, tenants of Zipf's popularity. The arrival rate is set so that the expected
 * GPU-time is `load` of what the machine has in the span.
 */
export function generateTrace(wanted: Generation, random: RandomStream): JobTrace {
  const shape = shapes[wanted.shape]
  const longestMs = milliseconds(shape.longest)
  const largest = Math.min(wanted.gpus, wanted.largestGpus ?? wanted.gpus)
  const sizes: Size[] = shape.sizes
    .filter(({ gpus }) => gpus <= largest)
    .map(({ gpus, jobs, median, sigma }) => ({ gpus, jobs, medianMs: milliseconds(median), sigma }))
  const shares = sizes.reduce((sum, { jobs }) => sum + jobs, 0)
  const gpuMsPerJob = sizes.reduce(
    (sum, size) => sum + (size.jobs / shares) * size.gpus * meanMs(size, longestMs),
    0,
  )
  const jobsPerMs = (wanted.load * wanted.gpus) / gpuMsPerJob
  const tenants = Array.from({ length: shape.tenants }, (_, i) => ({
    name: `team-${i + 1}`,
    users: Array.from({ length: USERS_OF_TENANT }, (_, u) => `team-${i + 1}-user-${u + 1}`),
    weight: 1 / (i + 1),
  }))
  const meanIntensity = ((5 + 2 * shape.weekendShare) / 7) * ((2 + shape.nightShare) / 3)
  const jobs: TraceJob[] = []
  // Thinning (Lewis and Shedler 1979): draw at the highest rate, keep by the intensity of the hour.
  const fromMs = wanted.fromMs ?? 0
  for (let at = fromMs; ; ) {
    at += random.exponential(meanIntensity / jobsPerMs)
    if (at >= fromMs + wanted.spanMs) break
    if (random.next() >= intensity(at, shape.weekendShare, shape.nightShare)) continue
    const size = weighted(random, sizes, ({ jobs }) => jobs)
    const tenant = weighted(random, tenants, ({ weight }) => weight)
    jobs.push({
      id: `g${jobs.length + 1}`,
      submitMs: Math.floor(at),
      gpus: size.gpus,
      durationMs: Math.min(longestMs, Math.ceil(logNormal(random, size.medianMs, size.sigma))),
      tenant: tenant.name,
      user: present(tenant.users[random.below(USERS_OF_TENANT)], 'user'),
    })
  }
  return { jobs, skipped: {} }
}

/** Share of the weekday noon's arrivals: full from 8 to 24 h, `night` from 0 to 8 h, days 6 and 7 of the week less. */
function intensity(at: number, weekend: number, night: number): number {
  const isWeekend = ((Math.floor(at / DAY_MS) % 7) + 7) % 7 >= 5
  const isNight = (((at % DAY_MS) + DAY_MS) % DAY_MS) / HOUR_MS < 8
  return (isWeekend ? weekend : 1) * (isNight ? night : 1)
}

/** Mean of the log-normal cut at `longest`: E[min(X, c)] = m e^(s^2/2) F(ln(c/m)/s - s) + c (1 - F(ln(c/m)/s)). */
function meanMs({ medianMs, sigma }: Size, longestMs: DurationMs): number {
  const z = Math.log(longestMs / medianMs) / sigma
  return medianMs * Math.exp(sigma ** 2 / 2) * normalCdf(z - sigma) + longestMs * (1 - normalCdf(z))
}

/** Abramowitz and Stegun 26.2.17, error below 7.5e-8. */
function normalCdf(x: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(x))
  const poly =
    t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
  const upper = (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) * poly
  return x >= 0 ? 1 - upper : upper
}

function milliseconds(text: string): DurationMs {
  const parsed = parseDuration(text)
  return present(
    parsed.ok ? parsed.value : undefined,
    `a duration in workload-shapes.json instead of "${text}"`,
  )
}
