import type { Answer, CallInput, Contract, StreamedEvent } from '../contract.ts'
import { type ContractOf, contractOf, OPERATIONS, type Operation } from '../contracts.ts'
import { type ChatRequest, type CompletionRequest, streamChat, streamCompletion } from './chat.ts'
import { type ClientOptions, Connection } from './connection.ts'
import { followEvents } from './event-stream.ts'

export interface CallOptions {
  readonly signal?: AbortSignal
  /** Made anew for each call when left out. */
  readonly idempotencyKey?: string
}

type Arguments<Input> =
  Record<never, never> extends Input
    ? [input?: Input, options?: CallOptions]
    : [input: Input, options?: CallOptions]

type Result<C extends Contract> = C['produces'] extends { kind: 'json' }
  ? Promise<Answer<C>>
  : C['produces'] extends { kind: 'events' }
    ? AsyncGenerator<StreamedEvent<C>, void, void>
    : C['produces'] extends { kind: 'text' }
      ? Promise<string>
      : Promise<ReadableStream<Uint8Array>>

/** One method for each operation of the API; every method throws `ApiProblem` when the call is refused. */
export type Client = {
  readonly [Op in Operation]: (...args: Arguments<CallInput<ContractOf<Op>>>) => Result<ContractOf<Op>>
} & {
  /** Pieces of a served model's answer, as they come. */
  readonly chat: (request: ChatRequest, options?: CallOptions) => AsyncGenerator<string, void, void>
  /** Pieces of text with which a served model goes on after a prompt. */
  readonly complete: (request: CompletionRequest, options?: CallOptions) => AsyncGenerator<string, void, void>
}

/** A client of the Banyan server at `baseUrl`. It connects when it is first used. */
export function createClient(options: ClientOptions): Client {
  const connection = new Connection(options)
  const methods = OPERATIONS.map((operation) => {
    const contract = contractOf(operation)
    const call = (input: Input = {}, how: CallOptions = {}) => invoke(connection, contract, input, how)
    return [operation, call] as const
  })
  const chat = (request: ChatRequest, how: CallOptions = {}) => streamChat(connection, request, how.signal)
  const complete = (request: CompletionRequest, how: CallOptions = {}) =>
    streamCompletion(connection, request, how.signal)
  return { ...Object.fromEntries(methods), chat, complete } as unknown as Client
}

type Input = Readonly<Record<string, unknown>>

function invoke(connection: Connection, contract: Contract, input: Input, how: CallOptions): unknown {
  const { produces } = contract
  const path = pathOf(contract, input)
  if (produces.kind === 'events') return followEvents(connection, path, produces.last, how.signal)
  return answer(connection, contract, path, input, how)
}

async function answer(
  connection: Connection,
  contract: Contract,
  path: string,
  input: Input,
  how: CallOptions,
): Promise<unknown> {
  const response = await connection.send({
    method: contract.method,
    path,
    headers: contract.idempotent ? { 'idempotency-key': how.idempotencyKey ?? crypto.randomUUID() } : {},
    ...(contract.body ? { body: bodyOf(contract, input) } : {}),
    signal: how.signal,
    // PUT and DELETE set a state, and a submission carries its key: only other POSTs act twice.
    repeatable: contract.method !== 'POST' || contract.idempotent === true,
  })
  if (contract.produces.kind === 'text') return response.text()
  if (contract.produces.kind === 'file') return response.body
  return connection.json(response)
}

function pathOf(contract: Contract, input: Input): string {
  const path = contract.path.replace(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(String(input[name])),
  )
  const query = new URLSearchParams()
  for (const name of Object.keys(contract.query?.shape ?? {})) {
    const value = input[name]
    if (value !== undefined) query.set(name, (value as string | number | readonly string[]).toString())
  }
  return query.size > 0 ? `${path}?${query.toString()}` : path
}

function bodyOf(contract: Contract, input: Input): Input {
  const elsewhere = new Set(Object.keys({ ...contract.params?.shape, ...contract.query?.shape }))
  return Object.fromEntries(Object.entries(input).filter(([name]) => !elsewhere.has(name)))
}
