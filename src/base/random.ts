import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'

/** A repeatable stream of numbers. Drawing from one stream never shifts another. */
export interface RandomStream {
  /** Uniform in [0, 1) with 53 bits. */
  next(): number
  /** A whole number, uniform in [0, bound). */
  below(bound: number): number
  /** Exponential with the given mean, in the mean's unit. */
  exponential(mean: number): number
  /** The stream of this name below this one. The same name always gives the same stream. */
  fork(name: string): RandomStream
}

/** The stream called `name` of the world with this seed: the same pair gives the same numbers on every machine. */
export function randomStream(seed: number, name: string): RandomStream {
  const generator = xoroshiro128plus(hash32(`${seed}/${name}`))
  const next = () => {
    const high = generator.next() >>> 5
    const low = generator.next() >>> 6
    return (high * 2 ** 26 + low) / 2 ** 53
  }
  return {
    next,
    below: (bound) => Math.floor(next() * bound),
    exponential: (mean) => -mean * Math.log(1 - next()),
    fork: (child) => randomStream(seed, `${name}/${child}`),
  }
}

/**
 * A hash of 32 bits in which every bit hangs on every letter: FNV-1a over UTF-16 code units (Fowler, Noll, Vo; offset
 * basis 2166136261, prime 16777619), then the finaliser of MurmurHash3 (Appleby, `fmix32`). Without the second, streams
 * whose names differ in the last letter would begin alike.
 */
export function hash32(text: string): number {
  let hash = 2166136261
  for (let i = 0; i < text.length; i++) {
    hash ^= text.charCodeAt(i)
    hash = Math.imul(hash, 16777619)
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
