// The model one byte at a time, for serving. Keys and values of earlier bytes are kept, so that a byte costs one
// product with each weight: about a million multiplications, a millisecond or two in plain JavaScript.
import { EPSILON, matricesOf, VOCABULARY } from './gpt.js'

/**
 * A text being read: `feed(byte)` returns the logits of the byte after it, in an array that the next call
 * overwrites. When the context is full, the later half of the text is read again as a fresh one.
 */
export function createDecoder(config, parameters) {
  const { width, layers, heads, context } = config
  const weights = matricesOf(config, parameters)
  const keys = Array.from({ length: layers }, () => new Float32Array(context * width))
  const values = Array.from({ length: layers }, () => new Float32Array(context * width))
  const x = new Float32Array(width)
  const normed = new Float32Array(width)
  const qkv = new Float32Array(3 * width)
  const mixed = new Float32Array(width)
  const up = new Float32Array(4 * width)
  const change = new Float32Array(width)
  const logits = new Float32Array(VOCABULARY)
  let read = []

  return { feed }

  function feed(byte) {
    if (read.length === context) {
      const kept = read.slice(context / 2)
      read = []
      for (const earlier of kept) advance(earlier)
    }
    advance(byte)
    normalise(normed, x)
    multiply(logits, normed, weights.head)
    return logits
  }

  function advance(byte) {
    const position = read.length
    read.push(byte)
    for (let i = 0; i < width; i++) {
      x[i] = weights.embedding[byte * width + i] + weights.position[position * width + i]
    }
    for (let layer = 0; layer < layers; layer++) {
      normalise(normed, x)
      multiply(qkv, normed, weights[`${layer}.qkv`])
      keys[layer].set(qkv.subarray(width, 2 * width), position * width)
      values[layer].set(qkv.subarray(2 * width), position * width)
      for (let head = 0; head < heads; head++) attend(keys[layer], values[layer], position, head)
      multiply(change, mixed, weights[`${layer}.out`])
      for (let i = 0; i < width; i++) x[i] += change[i]
      normalise(normed, x)
      multiply(up, normed, weights[`${layer}.up`])
      for (let i = 0; i < up.length; i++) up[i] = up[i] > 0 ? up[i] * up[i] : 0
      multiply(change, up, weights[`${layer}.down`])
      for (let i = 0; i < width; i++) x[i] += change[i]
    }
  }

  function attend(keysOfLayer, valuesOfLayer, position, head) {
    const headWidth = width / heads
    const from = head * headWidth
    const scores = new Float32Array(position + 1)
    for (let at = 0; at <= position; at++) {
      for (let i = 0; i < headWidth; i++) scores[at] += qkv[from + i] * keysOfLayer[at * width + from + i]
    }
    softmax(scores, headWidth ** -0.5)
    mixed.fill(0, from, from + headWidth)
    for (let at = 0; at <= position; at++) {
      for (let i = 0; i < headWidth; i++) mixed[from + i] += scores[at] * valuesOfLayer[at * width + from + i]
    }
  }
}

/** Replaces `scores` by the softmax of `scale` times them. */
export function softmax(scores, scale) {
  let highest = Number.NEGATIVE_INFINITY
  for (let i = 0; i < scores.length; i++) if (scores[i] > highest) highest = scores[i]
  let sum = 0
  for (let i = 0; i < scores.length; i++) {
    scores[i] = Math.exp((scores[i] - highest) * scale)
    sum += scores[i]
  }
  for (let i = 0; i < scores.length; i++) scores[i] /= sum
}

function normalise(out, x) {
  let squares = 0
  for (let i = 0; i < x.length; i++) squares += x[i] * x[i]
  const inverse = 1 / Math.sqrt(squares / x.length + EPSILON)
  for (let i = 0; i < x.length; i++) out[i] = x[i] * inverse
}

/** out = x W, for W with as many rows as x has numbers. */
function multiply(out, x, weight) {
  const columns = out.length
  out.fill(0)
  for (let row = 0; row < x.length; row++) {
    const factor = x[row]
    if (factor === 0) continue
    for (let column = 0; column < columns; column++) out[column] += factor * weight[row * columns + column]
  }
}
