import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import pc from 'picocolors'
import type { Client } from '../../src/api/index.ts'
import type { Narrator } from './narrator.ts'
import { untilReady } from './wait.ts'

export interface Deployment {
  readonly workload: string
  /** What the model answered in the chat. */
  readonly text: string
}

interface Options {
  readonly client: Client
  readonly narrator: Narrator
  readonly root: string
  readonly checkpointDir: string
}

const EXAMPLE = 'examples/tiny-gpt'
const MODEL = 'tiny-gpt'
const PROMPT = '## Installation\n\n'

/** Deploys the checkpoint behind the gateway, and streams one chat and one completion from it. */
export async function deployAndAsk(options: Options): Promise<Deployment> {
  const { client, narrator } = options
  const workload = await deploy(options)
  narrator.say(`${workload}: ${EXAMPLE}/serve.yaml, starting`)
  await untilReady(client, workload)
  narrator.say(`ready; ${pc.cyan('/v1/chat/completions')}, streamed:`)
  const chat = client.chat({
    model: MODEL,
    messages: [{ role: 'user', content: PROMPT }],
    max_tokens: 160,
    seed: 1,
  })
  const text = await tell(narrator, '', chat)
  narrator.say(`${pc.cyan('/v1/completions')}, streamed:`)
  const completion = client.complete({ model: MODEL, prompt: PROMPT, max_tokens: 160, seed: 2 })
  await tell(narrator, PROMPT, completion)
  return { workload, text }
}

async function deploy({ client, root, checkpointDir }: Options): Promise<string> {
  const file = join(root, EXAMPLE, 'serve.yaml')
  const submitted = await client.submitWorkload({
    spec: await readFile(file, 'utf8'),
    file,
    folder: join(root, EXAMPLE),
    set: { 'env.TINY_GPT_CHECKPOINT_DIR': JSON.stringify(checkpointDir) },
  })
  const [workload] = submitted.workloads
  if (!workload) throw new Error('the server took the deployment but names no workload')
  return workload.id
}

async function tell(narrator: Narrator, prompt: string, pieces: AsyncIterable<string>): Promise<string> {
  narrator.piece(pc.dim(prompt))
  let text = ''
  for await (const piece of pieces) {
    text += piece
    narrator.piece(piece)
  }
  narrator.endLine()
  if (text === '') throw new Error('the model answered nothing')
  return text
}
