import { expect, it } from 'vitest'
import { UsageReader } from './usage-reader.ts'

function usageOf(text: string, partBytes = 7) {
  const reader = new UsageReader()
  const bytes = Buffer.from(text)
  for (let i = 0; i < bytes.length; i += partBytes) reader.pass(bytes.subarray(i, i + partBytes))
  return reader.usage
}

it('finds the usage of a whole answer, however it is cut up', () => {
  const text = JSON.stringify({
    choices: [{ text: 'x'.repeat(20_000) }],
    usage: { prompt_tokens: 12, completion_tokens: 34, completion_tokens_details: { reasoning_tokens: 7 } },
  })
  for (const partBytes of [1, 7, 4_096, 100_000]) {
    expect(usageOf(text, partBytes)).toEqual({ promptTokens: 12, completionTokens: 34 })
  }
})

it('finds that of embeddings, which complete nothing', () => {
  expect(usageOf('{"data":[],"usage":{"prompt_tokens":5,"total_tokens":5}}')).toEqual({
    promptTokens: 5,
    completionTokens: 0,
  })
})

it('takes the last one of a stream that counts as it goes', () => {
  const part = (usage: object | null) => `data: ${JSON.stringify({ choices: [], usage })}\n\n`
  const counted = [1, 2, 3].map((n) => part({ prompt_tokens: 9, completion_tokens: n })).join('')
  expect(usageOf(`${counted}${part(null)}data: [DONE]\n\n`)).toEqual({ promptTokens: 9, completionTokens: 3 })
})

it('believes no usage that the model only talks about', () => {
  const said = '"usage": {"prompt_tokens": 1, "completion_tokens": 1}'
  expect(usageOf(JSON.stringify({ choices: [{ text: said }] }))).toBeUndefined()
  expect(usageOf('{"choices":[]}')).toBeUndefined()
})
