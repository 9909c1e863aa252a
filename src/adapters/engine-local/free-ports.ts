import { createServer } from 'node:net'

/** Below the range from which Linux takes the ports of outgoing connections (32768 up), so that none of those is hit. */
const FIRST_PORT = 20_000
const PORT_COUNT = 12_000

/** Chooses ports that nothing listens on and that no live attempt was promised. */
export class FreePorts {
  /** Starts anywhere, so that two installations on one machine rarely try the same. */
  #next = Math.floor(Math.random() * PORT_COUNT)

  async choose(count: number, promised: ReadonlySet<number>): Promise<number[]> {
    const chosen: number[] = []
    for (let tried = 0; chosen.length < count; tried++) {
      if (tried === PORT_COUNT) {
        throw new Error(`no free network port between ${FIRST_PORT} and ${FIRST_PORT + PORT_COUNT - 1}`)
      }
      const port = FIRST_PORT + (this.#next++ % PORT_COUNT)
      if (!promised.has(port) && (await isFree(port))) chosen.push(port)
    }
    return chosen
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, exclusive: true }, () => server.close(() => resolve(true)))
  })
}
