import { once } from 'node:events'
import { Duplex } from 'node:stream'
import { Worker } from 'node:worker_threads'
import type { EmbeddedWorkerData, FromEmbedded, ToEmbedded } from './embedded-messages.ts'
import { EmbeddedDatabaseEnded } from './failure.ts'

/** PostgreSQL in a worker thread on one folder. It has one session, so one client at a time may speak to it. */
export class EmbeddedServer {
  readonly #worker: Worker
  #client: ClientStream | undefined
  #failure: Error | undefined
  /** Resolves when the thread has ended, whether by `close` or by itself. */
  readonly ended: Promise<void>

  private constructor(worker: Worker) {
    this.#worker = worker
    worker.on('error', (error) => this.#fail(new EmbeddedDatabaseEnded(error.message, { cause: error })))
    worker.on('message', (message: FromEmbedded) => {
      if (message.kind === 'answer') this.#client?.push(message.bytes)
      if (message.kind === 'gave-up') {
        this.#fail(new EmbeddedDatabaseEnded(`the embedded database gave up: ${message.line}`))
        void worker.terminate()
      }
    })
    this.ended = new Promise((resolve) => {
      worker.on('exit', () => {
        this.#fail(new EmbeddedDatabaseEnded('the embedded database has ended'))
        resolve()
      })
    })
  }

  /** Starts on a folder, which is filled when it is empty. Rejects with what PostgreSQL said where it cannot start. */
  static async start(folder: string): Promise<EmbeddedServer> {
    const worker = startWorker({ folder })
    const [message] = (await once(worker, 'message')) as [FromEmbedded]
    if (message.kind === 'ready') return new EmbeddedServer(worker)
    await worker.terminate()
    throw new Error(message.kind === 'failed' ? [message.message, ...message.said].join('\n') : message.kind)
  }

  /** What `pg` uses in place of a socket. */
  connect(): Duplex {
    this.#client = new ClientStream((message) => this.#send(message))
    if (this.#failure) this.#client.destroy(this.#failure)
    return this.#client
  }

  async close(): Promise<void> {
    this.#send({ kind: 'close' })
    await this.ended
  }

  #send(message: ToEmbedded): void {
    this.#worker.postMessage(message, message.kind === 'query' ? [message.bytes.buffer as ArrayBuffer] : [])
  }

  #fail(failure: Error): void {
    this.#failure ??= failure
    this.#client?.destroy(this.#failure)
  }
}

/** Node below 22.18 runs no TypeScript by itself, and loaders of the main thread do not reach into workers. */
function startWorker(workerData: EmbeddedWorkerData): Worker {
  if (!import.meta.url.endsWith('.ts')) {
    return new Worker(new URL('./embedded-worker.js', import.meta.url), { workerData })
  }
  const source = new URL('./embedded-worker.ts', import.meta.url).href
  const loader = import.meta.resolve('tsx/esm/api')
  const run = `import('${loader}').then(({ tsImport }) => tsImport('${source}', '${source}'))`
  return new Worker(run, { eval: true, workerData })
}

class ClientStream extends Duplex {
  readonly #post: (message: ToEmbedded) => void

  constructor(post: (message: ToEmbedded) => void) {
    super()
    this.#post = post
  }

  connect(): this {
    queueMicrotask(() => this.emit('connect'))
    return this
  }

  setNoDelay(): this {
    return this
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    // A copy, because the buffer is a view into one that `pg` writes the next message into.
    this.#post({ kind: 'query', bytes: Uint8Array.from(chunk) })
    done()
  }

  /** `pg` writes the messages of a query while corked: they go over as one. */
  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), 'binary', done)
  }

  override _final(done: () => void): void {
    this.push(null)
    done()
  }
}
