import type { AttemptId } from '../../../src/base/index.ts'
import type { Engine, EngineFact } from '../../../src/control/ports/index.ts'

type FactOf<Kind extends EngineFact['kind']> = Extract<EngineFact, { kind: Kind }>

/** Follows an engine as the control loop does and remembers every fact. */
export class Observer {
  readonly facts: EngineFact[] = []
  readonly #engine: Engine
  readonly #leaving = new AbortController()
  #cursor: string | undefined

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** The first fact of the kind about the attempt that satisfies the condition, now or later. */
  async fact<Kind extends EngineFact['kind']>(
    kind: Kind,
    attempt: AttemptId,
    isIt: (fact: FactOf<Kind>) => boolean = () => true,
  ): Promise<FactOf<Kind>> {
    const matches = (fact: EngineFact): fact is FactOf<Kind> =>
      fact.kind === kind && 'attempt' in fact && fact.attempt === attempt && isIt(fact as FactOf<Kind>)
    for (;;) {
      const found = this.facts.find(matches)
      if (found) return found
      await this.more()
    }
  }

  async more(): Promise<void> {
    const seen = await this.#engine.observe(this.#cursor, this.#leaving.signal)
    this.#cursor = seen.cursor
    this.facts.push(...seen.facts)
  }

  running(attempt: AttemptId): Promise<FactOf<'attempt-running'>> {
    return this.fact('attempt-running', attempt)
  }

  ended(attempt: AttemptId): Promise<FactOf<'attempt-ended'>> {
    return this.fact('attempt-ended', attempt)
  }
}

/** The whole log of a task, read as a follower does, in the chunks that the engine chooses. */
export async function wholeLog(engine: Engine, attempt: AttemptId, task: number): Promise<string> {
  let text = ''
  let next = 0
  for (;;) {
    const chunk = await engine.logs(attempt, task, next)
    text += chunk.text
    if (chunk.ended) return text
    if (chunk.next === next) throw new Error(`the log of ${attempt} stands still at ${next}`)
    next = chunk.next
  }
}
