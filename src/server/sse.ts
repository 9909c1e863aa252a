import type { CallContext } from './context.ts'
import { problemOfError } from './problem-of-error.ts'

interface Item {
  readonly type: string
  readonly id: string
  readonly data: unknown
}

/** Proxies drop connections on which nothing comes; a comment this often keeps them. */
const HEARTBEAT_MS = 15_000
/** A refusal comes within this time, and then still has a status of its own; after it the stream opens quietly. */
const REFUSAL_MS = 50

/** The items as server-sent events. A failure after the first closes the stream; the reader resumes by `Last-Event-ID`. */
export async function eventStream(items: AsyncIterable<Item>, context: CallContext): Promise<Response> {
  const iterator = items[Symbol.asyncIterator]()
  let next: Promise<IteratorResult<Item>> | undefined = iterator.next()
  await Promise.race([next, new Promise((resolve) => setTimeout(resolve, REFUSAL_MS))])

  const encoder = new TextEncoder()
  let heartbeat: NodeJS.Timeout | undefined
  let open = true
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const say = (text: string) => open && controller.enqueue(encoder.encode(text))
      say(': banyan\n\n')
      heartbeat = setInterval(() => say(': still here\n\n'), HEARTBEAT_MS)
    },
    async pull(controller) {
      const write = (text: string) => open && controller.enqueue(encoder.encode(text))
      const end = () => {
        clearInterval(heartbeat)
        if (open) controller.close()
        open = false
      }
      try {
        const result = await (next ?? iterator.next())
        next = undefined
        if (result.done) return end()
        const { type, id, data } = result.value
        write(`event: ${type}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`)
      } catch (error) {
        write(`event: problem\ndata: ${JSON.stringify(problemOfError(error, context.log))}\n\n`)
        end()
      }
    },
    async cancel() {
      open = false
      clearInterval(heartbeat)
      await iterator.return?.()
    },
  })
  return new Response(body, {
    headers: {
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-store',
      'X-Accel-Buffering': 'no',
    },
  })
}
