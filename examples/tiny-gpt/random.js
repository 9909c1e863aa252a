/** A function that gives numbers uniform in (0, 1), the same for the same seed: Marsaglia's 32-bit xorshift. */
export function uniformNumbers(seed) {
  // Spread over all bits, for neighbouring seeds would begin alike; 0 is the one state that xorshift never leaves.
  let state = Math.imul(seed + 1, 0x9e3779b9) | 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return ((state >>> 0) + 0.5) / 2 ** 32
  }
}

/** Standard normal numbers from uniform ones (Box and Muller). */
export function normalNumbers(uniform) {
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform())
}
