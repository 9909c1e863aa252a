import { xoroshiro128plus, xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus'
import { present } from '../../base/index.ts'
import { hash32, type RandomStream } from '../../base/random.ts'

/** The state of every stream that was drawn from, by name. */
export interface StreamsRecord {
  readonly seed: number
  readonly states: Readonly<Record<string, readonly number[]>>
}

type Generator = ReturnType<typeof xoroshiro128plus>

/**
 * The named random streams of one simulated world, which can be written down in the middle and go on. A stream gives
 * the same numbers as `randomStream(seed, name)` of base.
 */
export class Streams {
  readonly seed: number
  readonly #generators = new Map<string, Generator>()
  readonly #streams = new Map<string, RandomStream>()

  constructor(seed: number) {
    this.seed = seed
  }

  /** The stream of this name; asked for again it goes on where it was. */
  named(name: string): RandomStream {
    const known = this.#streams.get(name)
    if (known) return known
    const generator = this.#generators.get(name) ?? xoroshiro128plus(hash32(`${this.seed}/${name}`))
    this.#generators.set(name, generator)
    const next = () => ((generator.next() >>> 5) * 2 ** 26 + (generator.next() >>> 6)) / 2 ** 53
    const stream: RandomStream = {
      next,
      below: (bound) => Math.floor(next() * bound),
      exponential: (mean) => -mean * Math.log(1 - next()),
      fork: (child) => this.named(`${name}/${child}`),
    }
    this.#streams.set(name, stream)
    return stream
  }

  record(): StreamsRecord {
    const names = [...this.#generators.keys()].sort()
    const states = names.map((name) => [name, [...present(this.#generators.get(name), name).getState()]])
    return { seed: this.seed, states: Object.fromEntries(states) }
  }

  /** Puts all streams where they were; streams that were asked for before must be asked for again. */
  load(record: StreamsRecord): void {
    this.#streams.clear()
    this.#generators.clear()
    for (const [name, state] of Object.entries(record.states))
      this.#generators.set(name, xoroshiro128plusFromState(state))
  }
}
