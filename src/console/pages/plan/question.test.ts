import { expect, test } from 'vitest'
import { DAY_MS } from '../../../base/units.ts'
import { servingQuestion, trainingQuestion } from './question.ts'

test('what was written becomes a question: amounts, spans from now, a cluster with its nodes', () => {
  const written = {
    model: 'llama3-70b',
    tokens: '1.5T',
    by: '30d',
    budget: '$2M',
    on: 'nd-h100-v5',
    nodes: '64',
  }
  expect(trainingQuestion({ ...written, precision: '' }, 1_000)).toEqual({
    question: {
      model: 'llama3-70b',
      tokens: 1.5e12,
      finishBy: 1_000 + 30 * DAY_MS,
      dollars: 2e6,
      cluster: 'nd-h100-v5:64',
      curve: true,
    },
  })
})

test('the live cluster is planned for when none is named', () => {
  expect(
    servingQuestion({ model: 'llama3-8b', on: 'live', nodes: '4', first: '300ms', rate: '0.5' }),
  ).toEqual({
    question: { model: 'llama3-8b', firstTokenMs: 300, requestsPerSecond: 0.5 },
  })
})

test('what cannot be read is named with what to write instead', () => {
  expect(trainingQuestion({ model: 'm', tokens: 'many', by: 'soon', gpus: '1.5' }, 0).faults).toEqual({
    tokens: expect.stringContaining('write for example'),
    by: expect.stringContaining('write a date'),
    gpus: 'give a whole number',
  })
})
