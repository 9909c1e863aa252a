// Text out of the decoder: sampling, whole characters, stop texts.
import { createDecoder, softmax } from './decoder.js'
import { VOCABULARY } from './gpt.js'
import { uniformNumbers } from './random.js'

/**
 * Yields pieces of text that follow `prompt` and returns `{reason, promptTokens, completionTokens}`; `reason` is
 * `stop` when a stop text came (it is not in the pieces), else `length`. A token is a byte. Equal seeds give equal
 * texts.
 */
export function* generate({ config, parameters }, { prompt, maxTokens, temperature, topP, stop, seed }) {
  const bytes = Buffer.from(prompt || '\n')
  const decoder = createDecoder(config, parameters)
  const uniform = uniformNumbers(seed)
  const characters = new TextDecoder()
  let logits
  for (const byte of bytes.subarray(1 - config.context)) logits = decoder.feed(byte)
  let held = ''
  for (let count = 1; count <= maxTokens; count++) {
    const byte = sample(logits, { temperature, topP, uniform })
    held += characters.decode(Uint8Array.of(byte), { stream: count < maxTokens })
    const stopsAt = firstOf(held, stop)
    if (stopsAt >= 0) {
      yield held.slice(0, stopsAt)
      return { reason: 'stop', promptTokens: bytes.length, completionTokens: count }
    }
    // What may be the beginning of a stop text waits for the next byte.
    const safe = count < maxTokens ? held.length - overlap(held, stop) : held.length
    if (safe > 0) yield held.slice(0, safe)
    held = held.slice(safe)
    if (count < maxTokens) logits = decoder.feed(byte)
  }
  return { reason: 'length', promptTokens: bytes.length, completionTokens: maxTokens }
}

/** A byte drawn by its probability among the likeliest that together have `topP`; the likeliest at temperature 0. */
function sample(logits, { temperature, topP, uniform }) {
  const order = Array.from({ length: VOCABULARY }, (_, byte) => byte).sort(
    (a, b) => logits[b] - logits[a] || a - b,
  )
  if (temperature === 0) return order[0]
  const probabilities = Float32Array.from(logits)
  softmax(probabilities, 1 / temperature)
  const candidates = []
  let mass = 0
  for (const byte of order) {
    candidates.push(byte)
    mass += probabilities[byte]
    if (mass >= topP) break
  }
  let left = uniform() * mass
  for (const byte of candidates) {
    left -= probabilities[byte]
    if (left < 0) return byte
  }
  return order[0]
}

/** Where the first stop text begins in `text`, or -1. */
function firstOf(text, stop) {
  const places = stop.map((ending) => text.indexOf(ending)).filter((place) => place >= 0)
  return places.length > 0 ? Math.min(...places) : -1
}

/** The length of the longest end of `text` with which a stop text begins. */
function overlap(text, stop) {
  for (
    let length = Math.min(text.length, Math.max(0, ...stop.map((ending) => ending.length)));
    length > 0;
    length--
  ) {
    if (stop.some((ending) => ending.startsWith(text.slice(-length)))) return length
  }
  return 0
}
