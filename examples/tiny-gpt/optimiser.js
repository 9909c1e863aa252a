// Muon for the matrices inside the blocks, Adam for the embeddings and the head. Muon (Jordan et al., 2024,
// https://kellerjordan.github.io/posts/muon/) steps along the nearest orthogonal matrix to the momentum; on a run as
// short as this one it reaches a given loss in about half of Adam's steps.
import { parameterLayout } from './gpt.js'
import { createMatrixMemory, transpose } from './matmul.js'

const MOMENTUM = 0.95
const ADAM_DECAY = 0.9
const ADAM_SQUARE_DECAY = 0.95
const ADAM_EPSILON = 1e-8
// Coefficients of the quintic iteration, from the same source; five rounds bring singular values to 0.7 ... 1.2.
const ROUNDS = 5
const [LINEAR, CUBIC, QUINTIC] = [3.4445, -4.775, 2.0315]

/**
 * An optimiser of `parameters` by the summed `gradients`. Its state is two flat arrays, equal on all workers; the
 * costly part, orthogonalising, is shared out among the workers of the `ring`.
 */
export function createOptimiser({ config, parameters, gradients, ring, rank, size, muonRate, adamRate }) {
  const matrices = parameterLayout(config)
  const orthogonal = matrices.filter(({ name }) => name.includes('.'))
  const plain = matrices.filter(({ name }) => !name.includes('.'))
  const orthogonalise = createOrthogonaliser(config.width, 4 * config.width)
  const momentum = new Float32Array(parameters.length)
  const squares = new Float32Array(parameters.length)
  const firstOrthogonal = orthogonal[0].offset
  const direction = new Float32Array(orthogonal.reduce((sum, { rows, columns }) => sum + rows * columns, 0))

  return { momentum, squares, update }

  /** One step, the `step`-th from 1, at `scale` times the learning rates. */
  async function update(step, scale) {
    direction.fill(0)
    for (const [index, { rows, columns, offset }] of orthogonal.entries()) {
      const end = offset + rows * columns
      for (let i = offset; i < end; i++) momentum[i] = MOMENTUM * momentum[i] + gradients[i]
      if (index % size !== rank) continue
      const out = direction.subarray(offset - firstOrthogonal, end - firstOrthogonal)
      for (let i = offset; i < end; i++) out[i - offset] = gradients[i] + MOMENTUM * momentum[i]
      orthogonalise(out, rows, columns)
    }
    await ring.sum(direction)
    for (const { rows, columns, offset } of orthogonal) {
      const rate = scale * muonRate * Math.sqrt(Math.max(1, rows / columns))
      for (let i = offset; i < offset + rows * columns; i++)
        parameters[i] -= rate * direction[i - firstOrthogonal]
    }
    const corrected = (scale * adamRate * Math.sqrt(1 - ADAM_SQUARE_DECAY ** step)) / (1 - ADAM_DECAY ** step)
    for (const { rows, columns, offset } of plain) adam(offset, offset + rows * columns, corrected)
  }

  function adam(from, to, rate) {
    for (let i = from; i < to; i++) {
      momentum[i] = ADAM_DECAY * momentum[i] + (1 - ADAM_DECAY) * gradients[i]
      squares[i] = ADAM_SQUARE_DECAY * squares[i] + (1 - ADAM_SQUARE_DECAY) * gradients[i] * gradients[i]
      parameters[i] -= (rate * momentum[i]) / (Math.sqrt(squares[i]) + ADAM_EPSILON)
    }
  }
}

/** Replaces a matrix of up to `longest` x `shortest` by about U Vᵀ of its singular value decomposition. */
function createOrthogonaliser(shortest, longest) {
  const { arrays, matmul } = createMatrixMemory({
    wide: shortest * longest,
    tall: shortest * longest,
    product: shortest * longest,
    gram: shortest * shortest,
    gramSquared: shortest * shortest,
  })
  const { gram, gramSquared } = arrays

  return (matrix, rows, columns) => {
    const [short, long] = [Math.min(rows, columns), Math.max(rows, columns)]
    const [wide, tall, product] = [arrays.wide, arrays.tall, arrays.product].map((x) =>
      x.subarray(0, short * long),
    )
    let squares = 0
    for (let i = 0; i < matrix.length; i++) squares += matrix[i] * matrix[i]
    const inverse = 1 / (Math.sqrt(squares) + 1e-7)
    for (let i = 0; i < matrix.length; i++) matrix[i] *= inverse

    if (rows === short) wide.set(matrix)
    else transpose(wide, matrix, rows, columns)
    for (let round = 0; round < ROUNDS; round++) {
      transpose(tall, wide, short, long)
      matmul(gram, wide, tall, short, short, long)
      matmul(gramSquared, gram, gram, short, short, short)
      for (let i = 0; i < gram.length; i++) gramSquared[i] = CUBIC * gram[i] + QUINTIC * gramSquared[i]
      matmul(product, gramSquared, wide, short, long, short)
      for (let i = 0; i < wide.length; i++) wide[i] = LINEAR * wide[i] + product[i]
    }
    if (rows === short) matrix.set(wide)
    else transpose(matrix, wide, short, long)
  }
}
