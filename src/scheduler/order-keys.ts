import type { DurationMs, TimeMs } from '../base/index.ts'
import { HOUR_MS } from '../base/index.ts'
import { ordersByReports, type Policy } from '../model/index.ts'
import type { QueuedGang } from './gang.ts'
import type { Occupant } from './holding.ts'
import { type RunHistory, runTime } from './run-history.ts'
import { toldLeftMs } from './told-time.ts'

interface Rules {
  readonly policy: Policy
  readonly history: RunHistory
}

/** What the policy orders by inside a class of priority, smaller first, for a gang that waits. */
export function orderKey(rules: Rules, gang: QueuedGang): number {
  const { ordering } = rules.policy
  if (ordering === 'least-attained-service') return serviceKey(rules.policy, gang, gang.attainedGpuMs)
  return isShortest(rules.policy)
    ? leftKey(rules, gang, gang.timeLeft?.ms, gang.attainedGpuMs)
    : gang.submittedAt
}

/** The same for one that runs. */
export function liveKey(rules: Rules, { gang, gpuMilli, startedAt }: Occupant, now: TimeMs): number {
  const { ordering } = rules.policy
  const attained = gang.attainedGpuMs + (gpuMilli / 1000) * (now - startedAt)
  if (ordering === 'least-attained-service') return serviceKey(rules.policy, gang, attained)
  return isShortest(rules.policy)
    ? leftKey(rules, gang, toldLeftMs(gang, startedAt, now), attained)
    : gang.submittedAt
}

/** When a running gang reaches its next level of attained service; undefined where there is none. */
export function nextLevelAt(
  { policy }: Rules,
  { gang, gpuMilli, startedAt }: Occupant,
  now: TimeMs,
): TimeMs | undefined {
  if (policy.ordering !== 'least-attained-service') return undefined
  const gpus = gpuMilli / 1000
  const attained = gang.attainedGpuMs + gpus * (now - startedAt)
  const bound = policy.serviceLevels
    .map((gpuHours) => (gpuHours * HOUR_MS) / serviceWeight(policy, gang))
    .find((bound) => bound > attained)
  return bound === undefined ? undefined : Math.ceil(now + (bound - attained) / gpus)
}

function isShortest({ ordering }: Policy): boolean {
  return ordering === 'shortest' || ordering === 'shortest-service'
}

/** `toldMs`: what its own reports say is left. */
function leftKey(
  { policy, history }: Rules,
  gang: QueuedGang,
  toldMs: DurationMs | undefined,
  attainedGpuMs: number,
): number {
  const gpus = Math.max(0.001, requestedGpus(gang))
  const told = ordersByReports(policy) ? toldMs : undefined
  const left = told ?? Math.abs(runTime(gang, policy.runTimes, history) - attainedGpuMs / gpus)
  return policy.ordering === 'shortest' ? left : left * gpus
}

function serviceKey(policy: Policy, gang: QueuedGang, attainedGpuMs: number): number {
  const { serviceLevels, serviceSizeWeight } = policy
  const attained = attainedGpuMs * serviceWeight(policy, gang)
  if (serviceLevels.length === 0) return attained
  let level = 0
  while (level < serviceLevels.length && attained >= serviceLevels[level]! * HOUR_MS) level++
  return serviceSizeWeight === 0 ? level : level + requestedGpus(gang) / LARGEST_GANG
}

function serviceWeight({ serviceSizeWeight }: Policy, gang: QueuedGang): number {
  return serviceSizeWeight === 0 ? 1 : requestedGpus(gang) ** serviceSizeWeight
}

/** More GPUs than any gang has: sizes over it are parts of a level. */
const LARGEST_GANG = 1e9

/** GPUs that a request asks for as far as it says so itself: whole nodes count as 8 GPUs each until they are placed. */
function requestedGpus({ request: { shape } }: QueuedGang): number {
  if (shape.kind === 'gpus') return shape.gpus
  if (shape.kind === 'fraction') return shape.milliGpus / 1000
  return shape.nodes * (shape.gpusPerNode ?? 8)
}
