import type { Answer, Contract, HandlerInput, StreamedEvent } from './contract.ts'
import type { ContractOf, Operation } from './contracts.ts'

/** A handler for every operation. `Context` is what the server knows of a call: who asks, from where, until when. */
export type Handlers<Context> = { readonly [Op in Operation]: Handler<Op, Context> }

export type Handler<Op extends Operation, Context> = (
  input: HandlerInput<ContractOf<Op>>,
  context: Context,
) => Given<ContractOf<Op>>

type Given<C extends Contract> = C['produces'] extends { kind: 'json' }
  ? Promise<Answer<C>>
  : C['produces'] extends { kind: 'events' }
    ? AsyncIterable<StreamedEvent<C>>
    : C['produces'] extends { kind: 'text' }
      ? Promise<string>
      : Promise<ReadableStream<Uint8Array>>

/** The status of a good answer: the second of the contract's where the answer says that nothing was made. */
export function statusOf(contract: Contract, answer: unknown): number {
  const [first, second] = contract.statuses
  if (second === undefined || typeof answer !== 'object' || answer === null) return first
  const made = !('dryRun' in answer && answer.dryRun) && !('replayed' in answer && answer.replayed)
  return made ? first : second
}
