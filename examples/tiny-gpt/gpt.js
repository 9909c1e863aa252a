// A decoder-only transformer over bytes, forward and backward: no biases, RMS norm, squared ReLU. Parameters and
// gradients are each one flat array, so that summing over workers, the optimiser and a checkpoint need no loop
// over tensors.
import { createMatrixMemory, transpose } from './matmul.js'
import { normalNumbers, uniformNumbers } from './random.js'

export const VOCABULARY = 256
export const EPSILON = 1e-5

/** Where each matrix stands in the flat array of parameters: `{name, rows, columns, offset, scale}`. */
export function parameterLayout({ width, layers, context }) {
  const matrices = [
    { name: 'embedding', rows: VOCABULARY, columns: width, scale: 0.5 },
    { name: 'position', rows: context, columns: width, scale: 0.1 },
    ...Array.from({ length: layers }, (_, layer) => [
      { name: `${layer}.qkv`, rows: width, columns: 3 * width, scale: width ** -0.5 },
      { name: `${layer}.out`, rows: width, columns: width, scale: 0 },
      { name: `${layer}.up`, rows: width, columns: 4 * width, scale: width ** -0.5 },
      { name: `${layer}.down`, rows: 4 * width, columns: width, scale: 0 },
    ]).flat(),
    { name: 'head', rows: width, columns: VOCABULARY, scale: 0.005 },
  ]
  let offset = 0
  return matrices.map((matrix) => {
    const placed = { ...matrix, offset }
    offset += matrix.rows * matrix.columns
    return placed
  })
}

export function parameterCount(config) {
  const { rows, columns, offset } = parameterLayout(config).at(-1)
  return offset + rows * columns
}

/** Sets fresh parameters: normal, with each matrix's own scale. */
export function initialise(config, parameters, seed) {
  const normal = normalNumbers(uniformNumbers(seed))
  for (const { rows, columns, offset, scale } of parameterLayout(config)) {
    for (let i = offset; i < offset + rows * columns; i++) parameters[i] = scale * normal()
  }
}

/** Named views of a flat array of parameters or gradients. */
export function matricesOf(config, flat) {
  return Object.fromEntries(
    parameterLayout(config).map(({ name, rows, columns, offset }) => [
      name,
      flat.subarray(offset, offset + rows * columns),
    ]),
  )
}

/**
 * The model with room for `sequences` texts of `context` bytes. `step(inputs, targets, meanOver)` returns the summed
 * loss in nats over all positions and leaves in `gradients` those of the sum divided by `meanOver`; `inputs` and
 * `targets` are bytes, sequence after sequence.
 */
export function createGpt(config, sequences) {
  const { width, layers, heads, context } = config
  const tokens = sequences * context
  const headWidth = width / heads
  const count = parameterCount(config)
  const scores = sequences * heads * context * context

  const { arrays, matmul } = createMatrixMemory({
    parameters: count,
    gradients: count,
    blocks: Array.from({ length: layers }, () => ({
      input: tokens * width,
      normed: tokens * width,
      inverseRms: tokens,
      qkv: tokens * 3 * width,
      attention: scores,
      mixed: tokens * width,
      middle: tokens * width,
      middleNormed: tokens * width,
      middleInverseRms: tokens,
      up: tokens * 4 * width,
      activated: tokens * 4 * width,
    })),
    output: tokens * width,
    outputNormed: tokens * width,
    outputInverseRms: tokens,
    logits: tokens * VOCABULARY,
    // Scratch of the backward pass.
    dx: tokens * width,
    dNormed: tokens * width,
    dMixed: tokens * width,
    dQkv: tokens * 3 * width,
    dUp: tokens * 4 * width,
    dScores: context * context,
    transposedWeight: 4 * width * width,
    transposedHead: VOCABULARY * width,
    transposed: headWidth * context,
  })
  const { parameters, gradients, blocks } = arrays
  const weights = matricesOf(config, parameters)
  const slopes = matricesOf(config, gradients)

  return { parameters, gradients, step }

  function step(inputs, targets, meanOver) {
    embed(inputs)
    for (let layer = 0; layer < layers; layer++) {
      forwardBlock(blocks[layer], layer, blocks[layer + 1]?.input ?? arrays.output)
    }
    normalise(arrays.outputNormed, arrays.outputInverseRms, arrays.output, width)
    matmul(arrays.logits, arrays.outputNormed, weights.head, tokens, VOCABULARY, width)
    const loss = crossEntropy(arrays.logits, targets, meanOver)
    backwardHead()
    for (let layer = layers - 1; layer >= 0; layer--) backwardBlock(blocks[layer], layer)
    backwardEmbedding(inputs)
    return loss
  }

  function embed(inputs) {
    const { input } = blocks[0]
    for (let token = 0; token < tokens; token++) {
      const from = inputs[token] * width
      const place = (token % context) * width
      for (let i = 0; i < width; i++) {
        input[token * width + i] = weights.embedding[from + i] + weights.position[place + i]
      }
    }
  }

  function forwardBlock(block, layer, output) {
    normalise(block.normed, block.inverseRms, block.input, width)
    matmul(block.qkv, block.normed, weights[`${layer}.qkv`], tokens, 3 * width, width)
    attend(block)
    block.middle.set(block.input)
    matmul(block.middle, block.mixed, weights[`${layer}.out`], tokens, width, width, { add: true })
    normalise(block.middleNormed, block.middleInverseRms, block.middle, width)
    matmul(block.up, block.middleNormed, weights[`${layer}.up`], tokens, 4 * width, width)
    squaredRelu(block.activated, block.up)
    output.set(block.middle)
    matmul(output, block.activated, weights[`${layer}.down`], tokens, width, 4 * width, { add: true })
  }

  function backwardHead() {
    const { logits, outputNormed, outputInverseRms, dx, dNormed, transposedHead } = arrays
    matmul(slopes.head, outputNormed, logits, width, VOCABULARY, tokens, { transposeA: true })
    transpose(transposedHead, weights.head, width, VOCABULARY)
    matmul(dNormed, logits, transposedHead, tokens, width, VOCABULARY)
    dx.fill(0)
    addNormaliseSlope(dx, dNormed, outputNormed, outputInverseRms, width)
  }

  /** Turns `dx` from the slope of the block's output into that of its input. */
  function backwardBlock(block, layer) {
    const { dx, dNormed, dMixed, dQkv, dUp } = arrays
    backwardMatmul(dUp, dx, block.activated, `${layer}.down`, 4 * width, width)
    squaredReluSlope(dUp, block.up)
    backwardMatmul(dNormed, dUp, block.middleNormed, `${layer}.up`, width, 4 * width)
    addNormaliseSlope(dx, dNormed, block.middleNormed, block.middleInverseRms, width)
    backwardMatmul(dMixed, dx, block.mixed, `${layer}.out`, width, width)
    backwardAttend(block)
    backwardMatmul(dNormed, dQkv, block.normed, `${layer}.qkv`, width, 3 * width)
    addNormaliseSlope(dx, dNormed, block.normed, block.inverseRms, width)
  }

  /** For output = input W: the slopes of W (rows x columns) from `input`, and of the input into `dInput`. */
  function backwardMatmul(dInput, dOutput, input, name, rows, columns) {
    matmul(slopes[name], input, dOutput, rows, columns, tokens, { transposeA: true })
    transpose(arrays.transposedWeight, weights[name], rows, columns)
    matmul(dInput, dOutput, arrays.transposedWeight, tokens, rows, columns)
  }

  function backwardEmbedding(inputs) {
    const { dx } = arrays
    slopes.embedding.fill(0)
    slopes.position.fill(0)
    for (let token = 0; token < tokens; token++) {
      const to = inputs[token] * width
      const place = (token % context) * width
      for (let i = 0; i < width; i++) {
        slopes.embedding[to + i] += dx[token * width + i]
        slopes.position[place + i] += dx[token * width + i]
      }
    }
  }

  /** Where the queries, keys, values, output and scores of one head of one sequence start. */
  function* eachHead() {
    for (let sequence = 0; sequence < sequences; sequence++) {
      for (let head = 0; head < heads; head++) {
        const query = sequence * context * 3 * width + head * headWidth
        yield {
          query,
          key: query + width,
          value: query + 2 * width,
          mixed: sequence * context * width + head * headWidth,
          scores: (sequence * heads + head) * context * context,
        }
      }
    }
  }

  function attend({ qkv, attention, mixed }) {
    const { transposed } = arrays
    for (const at of eachHead()) {
      const scores = attention.subarray(at.scores, at.scores + context * context)
      transpose(transposed, qkv.subarray(at.key), context, headWidth, 3 * width)
      matmul(scores, qkv.subarray(at.query), transposed, context, context, headWidth, { rowA: 3 * width })
      causalSoftmax(scores, context, headWidth ** -0.5)
      const strides = { rowB: 3 * width, rowC: width }
      matmul(mixed.subarray(at.mixed), scores, qkv.subarray(at.value), context, headWidth, context, strides)
    }
  }

  function backwardAttend({ qkv, attention }) {
    const { transposed, dScores, dMixed, dQkv } = arrays
    const intoQkv = { rowB: 3 * width, rowC: 3 * width }
    for (const at of eachHead()) {
      const scores = attention.subarray(at.scores, at.scores + context * context)
      const dOutput = dMixed.subarray(at.mixed)
      transpose(transposed, qkv.subarray(at.value), context, headWidth, 3 * width)
      matmul(dScores, dOutput, transposed, context, context, headWidth, { rowA: width })
      const fromMixed = { transposeA: true, rowB: width, rowC: 3 * width }
      matmul(dQkv.subarray(at.value), scores, dOutput, context, headWidth, context, fromMixed)
      softmaxSlope(dScores, scores, context, headWidth ** -0.5)
      matmul(dQkv.subarray(at.query), dScores, qkv.subarray(at.key), context, headWidth, context, intoQkv)
      const transposeA = true
      matmul(dQkv.subarray(at.key), dScores, qkv.subarray(at.query), context, headWidth, context, {
        ...intoQkv,
        transposeA,
      })
    }
  }
}

/** Each row of `x` divided by its root mean square, whose inverse is kept for the way back. */
function normalise(out, inverseRms, x, width) {
  for (let row = 0; row < inverseRms.length; row++) {
    const from = row * width
    let squares = 0
    for (let i = from; i < from + width; i++) squares += x[i] * x[i]
    const inverse = 1 / Math.sqrt(squares / width + EPSILON)
    inverseRms[row] = inverse
    for (let i = from; i < from + width; i++) out[i] = x[i] * inverse
  }
}

/** dx += (dn - n mean(dn n)) / rms, row by row. */
function addNormaliseSlope(dx, dNormed, normed, inverseRms, width) {
  for (let row = 0; row < inverseRms.length; row++) {
    const from = row * width
    let along = 0
    for (let i = from; i < from + width; i++) along += dNormed[i] * normed[i]
    along /= width
    for (let i = from; i < from + width; i++) dx[i] += (dNormed[i] - normed[i] * along) * inverseRms[row]
  }
}

function squaredRelu(out, x) {
  for (let i = 0; i < x.length; i++) out[i] = x[i] > 0 ? x[i] * x[i] : 0
}

function squaredReluSlope(slope, x) {
  for (let i = 0; i < x.length; i++) slope[i] = x[i] > 0 ? 2 * x[i] * slope[i] : 0
}

/** Softmax of `scale` times each row of a square matrix, in place, over the entries up to the diagonal; 0 after it. */
function causalSoftmax(scores, size, scale) {
  for (let row = 0; row < size; row++) {
    const from = row * size
    const end = from + row + 1
    let highest = Number.NEGATIVE_INFINITY
    for (let i = from; i < end; i++) if (scores[i] > highest) highest = scores[i]
    let sum = 0
    for (let i = from; i < end; i++) {
      scores[i] = Math.exp((scores[i] - highest) * scale)
      sum += scores[i]
    }
    for (let i = from; i < end; i++) scores[i] /= sum
    scores.fill(0, end, from + size)
  }
}

function softmaxSlope(slope, probabilities, size, scale) {
  for (let row = 0; row < size; row++) {
    const from = row * size
    const end = from + row + 1
    let along = 0
    for (let i = from; i < end; i++) along += slope[i] * probabilities[i]
    for (let i = from; i < end; i++) slope[i] = probabilities[i] * (slope[i] - along) * scale
    slope.fill(0, end, from + size)
  }
}

/** The summed loss in nats; turns `logits` into its slope divided by `meanOver`. */
function crossEntropy(logits, targets, meanOver) {
  let loss = 0
  for (let token = 0; token < targets.length; token++) {
    const from = token * VOCABULARY
    const target = from + targets[token]
    let highest = Number.NEGATIVE_INFINITY
    for (let i = from; i < from + VOCABULARY; i++) if (logits[i] > highest) highest = logits[i]
    const targetLogit = logits[target] - highest
    let sum = 0
    for (let i = from; i < from + VOCABULARY; i++) {
      logits[i] = Math.exp(logits[i] - highest)
      sum += logits[i]
    }
    loss += Math.log(sum) - targetLogit
    for (let i = from; i < from + VOCABULARY; i++) logits[i] /= sum * meanOver
    logits[target] -= 1 / meanOver
  }
  return loss
}
