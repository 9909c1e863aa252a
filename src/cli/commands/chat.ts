import type { ChatMessage, Client } from '../../api/index.ts'
import type { Cli } from '../cli.ts'
import { CliFailure } from '../failure.ts'

export interface ChatOptions {
  readonly system?: string
  readonly maxTokens?: number
  readonly temperature?: number
}

/** Talks with a served model: one answer to a prompt, or a conversation at the keyboard. */
export async function chat(
  cli: Cli,
  model: string | undefined,
  words: readonly string[],
  options: ChatOptions,
): Promise<void> {
  const client = await cli.client()
  const named = model ?? (await onlyModel(client))
  const messages: ChatMessage[] =
    options.system === undefined ? [] : [{ role: 'system', content: options.system }]
  const talk = new Conversation(cli, client, named, options, messages)
  if (words.length > 0) return talk.answer(words.join(' '))
  if (cli.io.isPiped) return talk.answer((await cli.io.readInput()).trim())
  cli.note(`Talking with ${named}. An empty line or Ctrl-D ends it.`)
  for (;;) {
    const line = (await cli.io.ask('> '))?.trim()
    if (!line) return
    await talk.answer(line)
  }
}

async function onlyModel(client: Client): Promise<string> {
  const { items } = await client.listEndpoints()
  const models = [...new Set(items.filter(({ state }) => state !== 'stopping').map(({ model }) => model))]
  const [only, second] = models
  if (only === undefined) {
    throw new CliFailure(
      'not-found',
      'no model is served',
      'A workload of type serve does: banyan run examples/tiny-gpt/serve.yaml',
    )
  }
  if (second !== undefined) {
    throw new CliFailure(
      'usage',
      'several models are served',
      `Name one: banyan chat MODEL; served are ${models.join(', ')}.`,
    )
  }
  return only
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
