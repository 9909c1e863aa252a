import { expect, it } from 'vitest'
import { createMatrixMemory, transpose } from './matmul.js'
import { uniformNumbers } from './random.js'

/** The product by its definition, in double precision. */
function slowProduct(a, b, m, n, k) {
  return Array.from({ length: m * n }, (_, at) => {
    const [row, column] = [Math.floor(at / n), at % n]
    let sum = 0
    for (let i = 0; i < k; i++) sum += a[row * k + i] * b[i * n + column]
    return sum
  })
}

const [m, n, k] = [12, 24, 7]

function operands(plan = {}) {
  const { arrays, matmul } = createMatrixMemory({ a: m * k, aTransposed: k * m, b: k * n, c: m * n, ...plan })
  const uniform = uniformNumbers(5)
  for (const x of [arrays.a, arrays.b, arrays.c]) for (let i = 0; i < x.length; i++) x[i] = uniform() - 0.5
  transpose(arrays.aTransposed, arrays.a, m, k)
  return Object.assign(arrays, { matmul, product: slowProduct(arrays.a, arrays.b, m, n, k) })
}

function expectClose(actual, expected) {
  expect(Math.max(...expected.map((value, i) => Math.abs(value - actual[i])))).toBeLessThan(1e-6)
}

it('gives A B', () => {
  const { matmul, a, b, c, product } = operands()
  matmul(c, a, b, m, n, k)
  expectClose(c, product)
})

it('adds A B to what is there, with A given transposed', () => {
  const { matmul, aTransposed, b, c, product } = operands()
  const before = Array.from(c)
  matmul(c, aTransposed, b, m, n, k, { transposeA: true, add: true })
  expectClose(
    c,
    product.map((value, i) => value + before[i]),
  )
})

it('takes rows that stand apart, and leaves what is between them', () => {
  const { matmul, a, b, wide, product } = operands({ wide: m * (n + 8) })
  wide.fill(9)
  matmul(wide, a, b, m, n, k, { rowC: n + 8 })
  for (let row = 0; row < m; row++) {
    expectClose(wide.subarray(row * (n + 8), row * (n + 8) + n), product.slice(row * n, (row + 1) * n))
    expect(Array.from(wide.subarray(row * (n + 8) + n, (row + 1) * (n + 8)))).toEqual(Array(8).fill(9))
  }
})
