import { randomUUID } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import { constants } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { AttemptId, DurationMs, NodeId } from '../../base/index.ts'
import { SECOND_MS } from '../../base/index.ts'
import type {
  Engine,
  EngineCause,
  EngineFact,
  EngineInventory,
  LaunchOrder,
  LogChunk,
  NodeServiceOrder,
  Observation,
  StopOrder,
} from '../../control/ports/index.ts'
import { readRecord, reasonOf } from '../engine-shared/durable-file.ts'
import { assertIsName } from '../engine-shared/engine-folder.ts'
import { FactFeed } from '../engine-shared/fact-feed.ts'
import type { FinishedAttempts } from '../engine-shared/finished-attempts.ts'
import { refusedByMachine } from '../engine-shared/refusals.ts'
import { AttemptFiles, type AttemptRecord } from './attempt-files.ts'
import { parseGpuGres } from './gres.ts'
import { OWN_REASON } from './inventory.ts'
import { jobRequest, misplaced } from './job-request.ts'
import type { News } from './news.ts'
import { NodeWatch } from './node-watch.ts'
import { type Sighting, SlurmAttempt } from './slurm-attempt.ts'
import { type Site, SlurmSite } from './slurm-site.ts'
import {
  type JobRequest,
  type SlurmJob,
  type SlurmNode,
  SlurmRefusal,
  type SlurmTransport,
} from './transport.ts'
import { Turns } from './turns.ts'

/** How long an observation waits for something to happen. */
const PATIENCE_MS: DurationMs = 20 * SECOND_MS
/** A node's state and foreign use may be this old. */
const NODES_EVERY_MS: DurationMs = 2 * SECOND_MS
/** How often the one folder of news is looked into while anything is under way. */
const NEWS_EVERY_MS: DurationMs = 25
/** More submissions at once only wait for each other in the controller. */
const SUBMISSIONS_AT_ONCE = 8

export interface SlurmEngineParts {
  readonly transport: SlurmTransport
  /** Folders on the file system that the nodes share. */
  readonly live: string
  readonly finished: FinishedAttempts
  readonly news: News
  readonly launcher: string
  /** Tells the jobs of this installation from those of any other. */
  readonly installation: string
  readonly partition: string | undefined
  readonly account: string | undefined
  readonly qos: string | undefined
  /** Text of a topology.conf that counts instead of Slurm's own. */
  readonly topology: string | undefined
  readonly pollMs: DurationMs
  readonly pendingPatienceMs: DurationMs
  readonly logBytesPerTask: number
  readonly log: (message: string) => void
}

/** Runs attempts as Slurm jobs. See the README for how they are kept apart, watched and found again. */
export class SlurmEngine implements Engine {
  readonly id = 'slurm'
  readonly #parts: SlurmEngineParts
  readonly #attempts = new Map<AttemptId, SlurmAttempt>()
  /** Attempts for which Slurm holds something, or may come to. */
  readonly #unreleased = new Set<SlurmAttempt>()
  readonly #launching = new Map<AttemptId, Promise<void>>()
  /** Taken over from a server that ended before it had the job's id. */
  readonly #unsubmitted = new Set<SlurmAttempt>()
  readonly #watch = new NodeWatch()
  readonly #feed = new FactFeed(randomUUID(), () => this.#wholePicture())
  readonly #closing = new AbortController()
  readonly #site: SlurmSite
  readonly #submissions = new Turns(SUBMISSIONS_AT_ONCE)
  #nodes: readonly SlurmNode[] = []
  #nodesAt = Number.NEGATIVE_INFINITY
  #polls = 0
  #polling: Promise<void> | undefined
  #hasPolled = false
  #trouble: Error | undefined
  #loops: Promise<unknown> = Promise.resolve()
  #hurry: (() => void) | undefined

  constructor(parts: SlurmEngineParts) {
    this.#parts = parts
    this.#site = new SlurmSite(parts.transport, parts)
  }

  /** Takes in what earlier servers launched from the same folder, and begins to poll. */
  async adopt(): Promise<void> {
    for (const name of await readdir(this.#parts.live)) {
      const files = new AttemptFiles(join(this.#parts.live, name))
      const record = await readRecord<AttemptRecord>(files.order)
      if (record) {
        const attempt = new SlurmAttempt(files, record)
        this.#take(attempt)
        attempt.mayBeSubmitted = true
        if ((await files.claim()) !== undefined) attempt.submittedAtPoll = 0
        // Whether it was submitted, the first poll tells.
        else this.#unsubmitted.add(attempt)
      } else await rm(files.path, { recursive: true, force: true })
    }
    this.#loops = Promise.all([this.#pollForEver(), this.#listenForEver()])
  }

  async inventory(): Promise<EngineInventory> {
    await this.#poll()
    const site = await this.#site.know()
    const nodes = this.#watch.facts.flatMap((fact) => (fact.kind === 'node-present' ? fact.node : []))
    return { levels: site.topology.levels, nodes }
  }

  async launch(order: LaunchOrder): Promise<void> {
    const { attempt } = order
    const launching = this.#launching.get(attempt) ?? this.#launch(order)
    this.#launching.set(attempt, launching)
    try {
      await launching
    } finally {
      this.#launching.delete(attempt)
    }
  }

  async stop(attempt: AttemptId, how: StopOrder): Promise<void> {
    if (!(how.signal in constants.signals)) throw new Error(`there is no signal "${how.signal}"`)
    await this.#launching.get(attempt)?.catch(() => {})
    const stopping = this.#attempts.get(attempt)
    await stopping?.stop(how, this.#parts.transport)
    if (stopping?.job?.state === 'PENDING') this.#hurry?.()
  }

  async observe(cursor: string | undefined, signal: AbortSignal): Promise<Observation> {
    if (!this.#feed.knows(cursor)) {
      await Promise.allSettled(this.#launching.values())
      await this.#poll()
    }
    if (this.#trouble) throw this.#trouble
    return this.#feed.observe(cursor, signal, PATIENCE_MS)
  }

  async logs(attempt: AttemptId, task: number, from: number): Promise<LogChunk> {
    assertIsName(attempt)
    const live = this.#attempts.get(attempt)
    const logs = live && { path: live.files.path, logs: live.files.logs, hasEnded: live.hasEnded }
    return this.#parts.finished.readLog(attempt, task, from, logs, () => !this.#launching.has(attempt))
  }

  async forget(attempt: AttemptId): Promise<void> {
    const known = this.#attempts.get(attempt)
    if (!known?.hasEnded) return
    await this.#parts.finished.keep(attempt, known.files.path)
    this.#attempts.delete(attempt)
  }

  async setNodeService(node: NodeId, order: NodeServiceOrder): Promise<void> {
    try {
      await this.#parts.transport.setNode(
        node,
        order.kind === 'resume' ? order : { kind: 'drain', reason: `${OWN_REASON}${order.reason}` },
      )
    } catch (error) {
      if (!(error instanceof SlurmRefusal)) throw error
      // Without an operator's rights in Slurm the node is out of use for Banyan alone.
      this.#parts.log(`Slurm did not ${order.kind} ${node}: ${error.message}`)
    }
  }

  async close(): Promise<void> {
    this.#closing.abort()
    this.#hurry?.()
    this.#feed.close()
    await this.#loops
    await this.#polling?.catch(() => {})
    await this.#parts.transport.close()
  }

  async #launch(order: LaunchOrder): Promise<void> {
    assertIsName(order.attempt)
    const known = this.#attempts.get(order.attempt)
    if (known) return this.#submit(known)
    if (await this.#parts.finished.has(order.attempt)) return
    if (!this.#hasPolled) await this.#poll()
    const nodes = new Map(this.#nodes.map((node) => [node.name, node]))
    const parts = order.allocation.parts
    const record: AttemptRecord = {
      order,
      hasGpus: parts.some(({ node }) => parseGpuGres(nodes.get(node)?.gres ?? '') !== undefined),
      addresses: Object.fromEntries(parts.map(({ node }) => [node, nodes.get(node)?.address ?? node])),
    }
    const attempt = new SlurmAttempt(new AttemptFiles(join(this.#parts.live, order.attempt)), record)
    this.#take(attempt)
    const refusal = misplaced(order, nodes) ?? (await this.#prepare(attempt))
    if (refusal) this.#feed.publish(attempt.refuse(refusal))
    else await this.#submit(attempt)
  }

  async #prepare(attempt: SlurmAttempt): Promise<EngineCause | undefined> {
    try {
      const { installation, news, logBytesPerTask } = this.#parts
      await attempt.files.prepare(attempt.record, {
        fence: `${installation}/${attempt.id}`,
        news: news.pathOf(attempt.id),
        logBytesPerTask,
      })
      return undefined
    } catch (error) {
      await rm(attempt.files.path, { recursive: true, force: true })
      return refusedByMachine(`cannot write its launch record in ${attempt.files.path}: ${reasonOf(error)}`)
    }
  }

  /** Submits the attempt's job unless it is there already; the controller is asked where that is in doubt. */
  async #submit(attempt: SlurmAttempt): Promise<void> {
    const isKnown = () => attempt.hasEnded || attempt.submittedAtPoll !== Number.POSITIVE_INFINITY
    if (isKnown()) return
    if (attempt.mayBeSubmitted) {
      await this.#poll()
      if (isKnown()) return
    }
    attempt.mayBeSubmitted = true
    try {
      const request = await this.#request(attempt)
      await this.#submissions.take(() => this.#parts.transport.submit(request))
      attempt.submittedAtPoll = this.#polls
    } catch (error) {
      if (!(error instanceof SlurmRefusal)) throw error
      this.#feed.publish(attempt.refuse(refusedByMachine(`Slurm refused its job: ${error.message}`)))
    }
  }

  #take(attempt: SlurmAttempt): void {
    this.#attempts.set(attempt.id, attempt)
    this.#unreleased.add(attempt)
  }

  async #submitAnew(attempt: SlurmAttempt): Promise<void> {
    this.#unsubmitted.delete(attempt)
    try {
      await this.#submit(attempt)
    } catch {
      // The controller does not answer: the next poll that it answers tries again.
      this.#unsubmitted.add(attempt)
    }
  }

  async #request({ record, files }: SlurmAttempt): Promise<JobRequest> {
    const { partition } = await this.#site.know()
    const { order } = record
    const { account, qos, launcher } = this.#parts
    const comment = `${this.#mark}${order.attempt}`
    return jobRequest({ order, nodes: this.#nodes, partition, account, qos, comment, files, launcher })
  }

  get #mark(): string {
    return `banyan:${this.#parts.installation}:`
  }

  async #pollForEver(): Promise<void> {
    const { signal } = this.#closing
    while (!signal.aborted) {
      const hurried = new Promise<void>((resolve) => {
        this.#hurry = resolve
      })
      try {
        await this.#poll()
      } catch {
        // Kept as the trouble that observers are told.
      }
      const over = new AbortController()
      const rested = pause(this.#parts.pollMs, undefined, { signal: over.signal }).catch(() => {})
      await Promise.race([rested, hurried])
      over.abort()
    }
  }

  /** What launchers told reaches the server at once, also while the controller is slow or silent. */
  async #listenForEver(): Promise<void> {
    const { signal } = this.#closing
    const { news, log } = this.#parts
    while (!signal.aborted) {
      try {
        const told = this.#unreleased.size > 0 ? await news.take() : []
        const facts = await Promise.all(told.map(async (id) => this.#attempts.get(id)?.listen() ?? []))
        if (facts.some(({ length }) => length > 0)) this.#feed.publish(...facts.flat())
      } catch (error) {
        log(`the folder of news: ${reasonOf(error)}; what it would have told comes with the next poll`)
        await pause(SECOND_MS, undefined, { signal }).catch(() => {})
      }
      await pause(NEWS_EVERY_MS, undefined, { signal }).catch(() => {})
    }
  }

  /** One look at everything. Calls during a look that began before wait for another one. */
  async #poll(): Promise<void> {
    const before = this.#polling
    if (before) await before.catch(() => {})
    if (this.#polling !== before && this.#polling) return this.#polling
    const polling = this.#look()
    this.#polling = polling
    try {
      await polling
    } finally {
      if (this.#polling === polling) this.#polling = undefined
    }
  }

  async #look(): Promise<void> {
    const { transport, pendingPatienceMs, log } = this.#parts
    try {
      const poll = ++this.#polls
      const site = await this.#site.know()
      const jobs = await transport.jobs()
      const byAttempt = this.#jobsByAttempt(jobs)
      const facts: EngineFact[] = []
      const lostNode: Sighting['lostNode'] = async ({ order }) => {
        const node = (await this.#nodesOf(site)).find(
          ({ name, states }) =>
            order.allocation.parts.some((part) => part.node === name) &&
            states.some((state) => /^(?:DOWN|NOT_RESPONDING|NO_RESPOND|FAIL)$/.test(state)),
        )
        return (
          node && { node: node.name, why: node.reason.replace(/\s*\[[^\]]*\]$/, '') || 'does not respond' }
        )
      }
      await Promise.all(
        [...this.#unreleased].map(async (attempt) => {
          try {
            const own = byAttempt.get(attempt.id) ?? []
            facts.push(...(await attempt.look({ jobs: own, poll, lostNode }, transport, pendingPatienceMs)))
            if (attempt.hasEnded && attempt.isReleased) this.#unreleased.delete(attempt)
          } catch (error) {
            log(`attempt ${attempt.id}: ${reasonOf(error)}; trying again soon`)
          }
        }),
      )
      if (performance.now() - this.#nodesAt >= NODES_EVERY_MS) {
        // Whatever may hold something on a node when it is shown counts as Banyan's own, not as foreign use.
        const holding = [...this.#unreleased]
        this.#nodes = await this.#nodesOf(site)
        this.#nodesAt = performance.now()
        const attempts = new Set([...holding, ...this.#unreleased])
        const { domainsOf } = site.topology
        facts.push(...this.#watch.look({ nodes: this.#nodes, jobs, attempts, domainsOf }))
      }
      this.#trouble = undefined
      this.#hasPolled = true
      for (const attempt of this.#unsubmitted) void this.#submitAnew(attempt)
      if (facts.length > 0) this.#feed.publish(...facts)
    } catch (error) {
      this.#trouble = error instanceof Error ? error : new Error(String(error))
      throw this.#trouble
    }
  }

  async #nodesOf({ partition }: Site): Promise<SlurmNode[]> {
    const nodes = await this.#parts.transport.nodes()
    return nodes.filter(({ partitions }) => partitions.includes(partition.name))
  }

  #jobsByAttempt(jobs: readonly SlurmJob[]): Map<string, SlurmJob[]> {
    const byAttempt = new Map<string, SlurmJob[]>()
    for (const job of jobs) {
      if (!job.comment.startsWith(this.#mark)) continue
      const attempt = job.comment.slice(this.#mark.length)
      byAttempt.set(
        attempt,
        [...(byAttempt.get(attempt) ?? []), job].sort((a, b) => a.id - b.id),
      )
    }
    return byAttempt
  }

  #wholePicture(): EngineFact[] {
    return [...this.#watch.facts, ...[...this.#attempts.values()].flatMap(({ facts }) => facts)]
  }
}
