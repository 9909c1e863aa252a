import { describe, expect, it } from 'vitest'
import { createDecoder, softmax } from './decoder.js'
import { createGpt, initialise, parameterLayout } from './gpt.js'
import { uniformNumbers } from './random.js'

const config = { context: 8, width: 16, layers: 2, heads: 2 }
const sequences = 3
const positions = sequences * config.context

function aGpt() {
  const gpt = createGpt(config, sequences)
  const uniform = uniformNumbers(3)
  // No matrix may be zero here, as some are at the start: a slope through it would be zero as well.
  for (let i = 0; i < gpt.parameters.length; i++) gpt.parameters[i] = 0.6 * (uniform() - 0.5)
  const bytes = Uint8Array.from({ length: positions + 1 }, () => 256 * uniform())
  return { gpt, inputs: bytes.subarray(0, positions), targets: bytes.subarray(1) }
}

describe('gradients', () => {
  it.each(parameterLayout(config).map(({ name }) => name))('of %s are the slope of the loss', (name) => {
    const { gpt, inputs, targets } = aGpt()
    const { offset, rows, columns } = parameterLayout(config).find((matrix) => matrix.name === name)
    gpt.step(inputs, targets, positions)
    const slope = gpt.gradients.slice(offset, offset + rows * columns)
    const steepness = Math.hypot(...slope)
    const before = gpt.parameters.slice()
    const lossAt = (distance) => {
      gpt.parameters.set(before)
      for (let i = 0; i < slope.length; i++) gpt.parameters[offset + i] += (distance * slope[i]) / steepness
      return gpt.step(inputs, targets, positions) / positions
    }
    expect((lossAt(0.01) - lossAt(-0.01)) / 0.02 / steepness).toBeCloseTo(1, 2)
  })
})

it('begins with the loss of a guess among 256 bytes', () => {
  const { gpt, inputs, targets } = aGpt()
  initialise(config, gpt.parameters, 1)
  expect(gpt.step(inputs, targets, positions) / positions).toBeCloseTo(Math.log(256), 1)
})

describe('the decoder', () => {
  it('gives the same loss, byte by byte, as the whole model', () => {
    const { gpt, inputs, targets } = aGpt()
    let loss = 0
    for (let sequence = 0; sequence < sequences; sequence++) {
      const decoder = createDecoder(config, gpt.parameters)
      for (let i = sequence * config.context; i < (sequence + 1) * config.context; i++) {
        const probabilities = decoder.feed(inputs[i]).slice()
        softmax(probabilities, 1)
        loss -= Math.log(probabilities[targets[i]])
      }
    }
    expect(loss).toBeCloseTo(gpt.step(inputs, targets, positions), 3)
  })

  it('reads the later half again when its context is full', () => {
    const { gpt, inputs } = aGpt()
    const long = createDecoder(config, gpt.parameters)
    for (const byte of inputs.subarray(0, 8)) long.feed(byte)
    const short = createDecoder(config, gpt.parameters)
    for (const byte of inputs.subarray(4, 8)) short.feed(byte)
    expect(long.feed(inputs[8])).toEqual(short.feed(inputs[8]))
  })
})
