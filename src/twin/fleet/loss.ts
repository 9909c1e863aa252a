import type { Training } from './behaviour.ts'

/** Tokens that the curve is moved by, so that it begins near the loss of a guess among 50,000 words. */
const WARM_TOKENS = 1e6

/**
 * The loss that a language model reports at a step, in nats a token: Hoffmann et al. 2022 (arXiv 2203.15556, equation
 * 10), `1.69 + 406.4 / N^0.34 + 410.7 / D^0.28` for N parameters after D tokens, with noise of a hundredth that hangs
 * on the step alone.
 */
export function lossAt({ tokensPerStep, parameters }: Training, step: number): number {
  const tokens = WARM_TOKENS + step * tokensPerStep
  const loss = 1.69 + 406.4 / parameters ** 0.34 + 410.7 / tokens ** 0.28
  return Math.round(loss * (1 + noise(step) / 100) * 1e4) / 1e4
}

/** From -1 to 1, the same for the same step or rank (the finaliser of MurmurHash3, Appleby). */
export function noise(step: number): number {
  let bits = Math.imul(step ^ (step >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return ((bits ^ (bits >>> 16)) >>> 0) / 2 ** 31 - 1
}
