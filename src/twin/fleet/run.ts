import type { AttemptId, NodeId } from '../../base/index.ts'
import type { LaunchOrder } from '../../control/index.ts'
import { allocatedGpus } from '../../model/index.ts'
import type { Ticket, TimeUs } from '../kernel/agenda.ts'
import type { Behaviour } from './behaviour.ts'

/** One attempt on the simulated fleet. All times and spans are microseconds. */
export interface Run {
  readonly attempt: AttemptId
  readonly order: LaunchOrder
  readonly behaviour: Behaviour
  /** `hung`: all tasks live and none computes. */
  state: 'starting' | 'running' | 'hung' | 'stopping'
  /** When it was launched. */
  readonly launchedAt: TimeUs
  /** Its progress is settled up to here; meaningful from `running` on. */
  settledAt: TimeUs
  /** When all its tasks ran, and how long after that it reports next; absent while it does not. */
  runningAt?: TimeUs
  reportUs?: TimeUs
  /** Work that it found saved when it was launched. */
  readonly resumedUs: TimeUs
  /** Work done by then, and the part of it that a new attempt would find. */
  doneUs: TimeUs
  savedUs: TimeUs
  /** When the newest checkpoint became durable; before the first one of this attempt absent. */
  savedAt?: TimeUs
  /** Computing and saving time since the newest checkpoint was durable, or since the start. */
  phaseUs: TimeUs
  /** Work per time while it computes, of what its size could do: 1 is full speed. */
  speed: number
  /** What its size could do, of what the size that it asked for could: 1 for gangs that are not elastic. */
  readonly scale: number
  /** Of its time on the fleet since it ran: computing that was missed by going slower, saving, hanging. */
  slowedUs: TimeUs
  savingUs: TimeUs
  hungUs: TimeUs
  /** Its next planned occurrence. */
  next?: Ticket | undefined
  /** The newest checkpoint that facts told of. */
  reportedSaveAt?: TimeUs
}

/** How and when a run ended. `settledAt` of a stopping run is when it was told to end. */
export interface RunEnd {
  readonly at: TimeUs
  readonly how: 'done' | 'stopped' | 'failed'
}

/** How the first task of a crash ends. */
export interface CrashExit {
  readonly node: NodeId
  readonly exitCode?: number
  readonly signal?: string
  readonly logTail: string
}

/** A run that was just launched and found so much work saved. */
export function newRun(order: LaunchOrder, behaviour: Behaviour, savedUs: TimeUs, launchedAt: TimeUs): Run {
  return {
    attempt: order.attempt,
    order,
    behaviour,
    state: 'starting',
    launchedAt,
    settledAt: launchedAt,
    resumedUs: savedUs,
    doneUs: savedUs,
    savedUs,
    phaseUs: 0,
    speed: 1,
    scale: scaleOf(order),
    slowedUs: 0,
    savingUs: 0,
    hungUs: 0,
  }
}

/** Elastic gangs are taken to do work in proportion to their size. */
export function scaleOf({ allocation, askedSize }: LaunchOrder): number {
  if (!askedSize) return 1
  if ('nodes' in askedSize) return allocation.parts.length / askedSize.nodes
  return allocatedGpus(allocation) / askedSize.gpus
}

/**
 * Brings the run's progress up to `now`. It alternates computing for `saveEveryUs` and saving for `saveUs`; all cycles
 * in between are added up at once.
 */
export function settle(run: Run, now: TimeUs): void {
  const elapsed = now - run.settledAt
  if (elapsed <= 0) return
  if (run.state === 'running') {
    const { saveEveryUs, saveUs } = run.behaviour
    const rate = run.speed * run.scale
    let computed = elapsed
    if (saveEveryUs !== undefined) {
      const cycle = saveEveryUs + saveUs
      const from = run.phaseUs
      const to = from + elapsed
      const cycles = Math.floor(to / cycle)
      if (cycles > 0) {
        run.savedUs = run.doneUs + (cycles * saveEveryUs - Math.min(from, saveEveryUs)) * rate
        run.savedAt = run.settledAt + cycles * cycle - from
      }
      computed = computing(to, saveEveryUs, cycle) - computing(from, saveEveryUs, cycle)
      run.phaseUs = to - cycles * cycle
    }
    run.doneUs += computed * rate
    run.slowedUs += computed * (1 - run.speed)
    run.savingUs += elapsed - computed
    const { workUs } = run.behaviour
    if (workUs !== undefined && run.doneUs > workUs) run.doneUs = workUs
    if (run.behaviour.hold) run.savedUs = run.doneUs
  } else if (run.state === 'hung') {
    run.hungUs += elapsed
  }
  run.settledAt = now
}

/** How long a settled, running run takes until its work is done if nothing changes; infinite when it never is. */
export function timeLeft(run: Run): TimeUs {
  const { workUs, saveEveryUs, saveUs } = run.behaviour
  if (workUs === undefined || run.speed <= 0) return Number.POSITIVE_INFINITY
  const toCompute = (workUs - run.doneUs) / (run.speed * run.scale)
  if (saveEveryUs === undefined) return Math.ceil(toCompute)
  const inThisCycle = Math.max(0, saveEveryUs - run.phaseUs)
  if (toCompute <= inThisCycle) return Math.ceil(toCompute)
  const untilSaved = saveEveryUs + saveUs - run.phaseUs
  const after = toCompute - inThisCycle
  const fullCycles = Math.max(0, Math.ceil(after / saveEveryUs) - 1)
  return Math.ceil(untilSaved + after + fullCycles * saveUs)
}

/** How long until the next checkpoint of a settled, running run is durable. */
export function timeToSave({ behaviour, phaseUs }: Run): TimeUs {
  return behaviour.saveEveryUs === undefined
    ? Number.POSITIVE_INFINITY
    : behaviour.saveEveryUs + behaviour.saveUs - phaseUs
}

/** How long until a settled, running run reports next; infinite where it reports nothing. */
export function timeToReport({ reportUs, runningAt, settledAt }: Run): TimeUs {
  if (reportUs === undefined || runningAt === undefined) return Number.POSITIVE_INFINITY
  return Math.max(0, runningAt + reportUs - settledAt)
}

/** Computing time within the first `span` of alternating cycles. */
function computing(span: number, saveEvery: number, cycle: number): number {
  const cycles = Math.floor(span / cycle)
  return cycles * saveEvery + Math.min(span - cycles * cycle, saveEvery)
}
