import type { ChatMessage, Client } from '../../api/index.ts'
import { isFinal } from '../../model/index.ts'
import { didYouMean } from '../../model/spec/nearest.ts'
import type { Cli } from '../cli.ts'
import { CliFailure } from '../failure.ts'

export interface ChatOptions {
  readonly system?: string
  readonly maxTokens?: number
  readonly temperature?: number
}

/**
 * Talks with a served model: one answer to a prompt, or a conversation at the keyboard. The first word names the
 * model; it may be left out while only one is served.
 */
export async function chat(cli: Cli, words: readonly string[], options: ChatOptions): Promise<void> {
  const client = await cli.client()
  const { model, prompt } = chosen(await servedModels(client), words)
  const messages: ChatMessage[] =
    options.system === undefined ? [] : [{ role: 'system', content: options.system }]
  const conversation = new Conversation(cli, client, model, options, messages)
  if (prompt !== '') return conversation.answer(prompt)
  if (cli.io.isPiped) return conversation.answer((await cli.io.readInput()).trim())
  cli.note(`Talking with ${model}. An empty line or Ctrl-D ends it.`)
  for (;;) {
    const line = (await cli.io.ask('> '))?.trim()
    if (!line) return
    await conversation.answer(line)
  }
}

async function servedModels(client: Client): Promise<readonly string[]> {
  const { items } = await client.listEndpoints()
  const models = items
    .filter(({ state }) => state !== 'stopping' && !isFinal(state))
    .map(({ model }) => model)
  return [...new Set(models)]
}

function chosen(served: readonly string[], words: readonly string[]): { model: string; prompt: string } {
  const [first = '', ...rest] = words
  if (served.includes(first)) return { model: first, prompt: rest.join(' ') }
  const [only, second] = served
  if (only === undefined) {
    throw new CliFailure(
      'not-found',
      'no model is served',
      'A workload of type serve does that; examples/tiny-gpt/serve.yaml is one.',
    )
  }
  if (second === undefined) return { model: only, prompt: words.join(' ') }
  throw new CliFailure(
    'usage',
    first === '' ? 'several models are served' : `no model "${first}" is served${didYouMean(first, served)}`,
    `Name one first: banyan chat MODEL PROMPT; served are ${served.join(', ')}.`,
  )
}

class Conversation {
  readonly #cli: Cli
  readonly #client: Client
  readonly #model: string
  readonly #options: ChatOptions
  readonly #messages: ChatMessage[]

  constructor(cli: Cli, client: Client, model: string, options: ChatOptions, messages: ChatMessage[]) {
    this.#cli = cli
    this.#client = client
    this.#model = model
    this.#options = options
    this.#messages = messages
  }

  /** Streams the model's answer to one more message; the conversation so far goes along. */
  async answer(content: string): Promise<void> {
    if (content === '') throw new CliFailure('usage', 'the prompt is empty')
    this.#messages.push({ role: 'user', content })
    const { maxTokens, temperature } = this.#options
    const request = {
      model: this.#model,
      messages: this.#messages,
      ...(maxTokens === undefined ? {} : { max_tokens: maxTokens }),
      ...(temperature === undefined ? {} : { temperature }),
    }
    let answer = ''
    for await (const piece of this.#client.chat(request, { signal: this.#cli.io.interrupt() })) {
      answer += piece
      if (!this.#cli.isJson) this.#cli.io.out(piece)
    }
    this.#messages.push({ role: 'assistant', content: answer })
    this.#cli.print({ model: this.#model, content: answer }, () => '\n')
  }
}
