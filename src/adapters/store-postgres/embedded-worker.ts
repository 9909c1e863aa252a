import { parentPort, workerData } from 'node:worker_threads'
import { present } from '../../base/index.ts'
import { openFolder } from './durable-folder.ts'
import type { EmbeddedWorkerData, FromEmbedded, ToEmbedded } from './embedded-messages.ts'

/** Runs PostgreSQL on this thread, so that the event loop of the server stays free. Bytes of its wire protocol go in and out. */
const port = present(parentPort, 'port to the thread that started this worker')
const { folder } = workerData as EmbeddedWorkerData

const said: string[] = []
let isReady = false
const hear = (line: string) => {
  if (!isReady) said.push(line)
  // PGlite takes the abort that follows for an error of the query and may spin for ever, so another thread must end this one.
  else if (/\b(PANIC|FATAL): /.test(line))
    send({ kind: 'gave-up', line: line.replace(/^.*?(?=PANIC|FATAL)/, '') })
}
const send = (message: FromEmbedded, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer)

try {
  const database = await openFolder(folder, hear)
  let answer: Uint8Array[] = []
  port.on('message', (message: ToEmbedded) => {
    if (message.kind === 'close') {
      database.close().then(
        () => process.exit(),
        (error) => {
          throw error
        },
      )
      return
    }
    answer = []
    // It answers before it returns; the promise only waits for a file system that is not used here.
    void database.execProtocolRawStream(message.bytes, {
      syncToFs: false,
      onRawData: (bytes) => answer.push(bytes.slice()),
    })
    const bytes = Uint8Array.from(Buffer.concat(answer))
    send({ kind: 'answer', bytes }, [bytes.buffer])
  })
  isReady = true
  send({ kind: 'ready' })
} catch (error) {
  send({ kind: 'failed', message: error instanceof Error ? error.message : String(error), said })
}
