// A ring of worker processes over TCP that sums arrays. Each worker sends only to the next one, and sends
// 2 (n - 1) / n of the array whatever the number n of workers (Patarasuk and Yuan, "Bandwidth optimal all-reduce
// algorithms for clusters of workstations", J. Parallel Distrib. Comput. 69, 2009).
import { createServer } from 'node:net'
import { connectLink, Link } from './link.js'

/**
 * The ring of the `size` workers of one attempt, once all have met. Rank 0 listens at `address:port` and tells every
 * other worker where the one after it listens. `session` names the attempt: whoever names another is turned away.
 * Rejects when not all are there after `meetMs`.
 */
export async function joinRing({ rank, size, address, port, session, meetMs = 60_000, silenceMs = 300_000 }) {
  if (size === 1) return new Ring(0, 1, undefined, undefined)
  const meeting = { rank, size, address, port, session, silenceMs, deadline: Date.now() + meetMs }
  return rank === 0 ? hostRing(meeting) : enterRing(meeting)
}

/** The links on which the others came serve as the ring's links into and out of rank 0. */
async function hostRing({ size, address, port, ...meeting }) {
  const server = await listen(port, address)
  const peers = await acceptPeers(server, size - 1, meeting)
  peers.sort((a, b) => a.hello.rank - b.hello.rank)
  await Promise.all(
    peers.map(({ link }, i) => link.sendMessage({ next: peers[i + 1]?.hello.listens ?? null })),
  )
  return new Ring(0, size, peers[0].link, peers[size - 2].link)
}

async function enterRing({ rank, size, address, port, ...meeting }) {
  const first = await connectLink({ host: address, port, peer: 'worker 0', ...meeting })
  const server = await listen(0, first.localAddress)
  const previous = rank === 1 ? first : acceptPeers(server, 1, meeting).then(([peer]) => peer.link)
  const listens = { host: first.localAddress, port: server.address().port }
  await first.sendMessage({ session: meeting.session, rank, listens })
  const { next } = await first.receiveMessage()
  const links = await Promise.all([next ? enterNext(next, rank, meeting) : first, previous])
  server.close()
  if (!links.includes(first)) first.close()
  return new Ring(rank, size, ...links)
}

async function enterNext(next, rank, meeting) {
  const link = await connectLink({ ...next, peer: `worker ${rank + 1}`, ...meeting })
  await link.sendMessage({ session: meeting.session, rank })
  return link
}

/** The first `count` links whose hello names this session, as `{hello, link}`; then the server stops listening. */
function acceptPeers(server, count, { session, silenceMs, deadline }) {
  return new Promise((resolve, reject) => {
    const peers = new Map()
    const late = setTimeout(() => {
      server.close()
      reject(new Error(`${count - peers.size} of ${count} workers did not come in time`))
    }, deadline - Date.now())
    server.on('connection', async (socket) => {
      const link = new Link(socket, { peer: 'a new worker', silenceMs })
      const hello = await link.receiveMessage().catch(() => undefined)
      if (hello?.session !== session || peers.has(hello.rank)) return link.close()
      link.peer = `worker ${hello.rank}`
      peers.set(hello.rank, { hello, link })
      if (peers.size < count) return
      clearTimeout(late)
      server.close()
      resolve([...peers.values()])
    })
  })
}

function listen(port, host) {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error) => reject(new Error(`cannot listen at ${host}:${port} (${error.code})`)))
    server.listen(port, host, () => resolve(server))
  })
}

class Ring {
  #rank
  #size
  #next
  #previous

  constructor(rank, size, next, previous) {
    this.#rank = rank
    this.#size = size
    this.#next = next
    this.#previous = previous
  }

  /**
   * Replaces the float32 array of every worker by the sum over all of them, the same to the last bit on each: every
   * part is added up in one order and then passed round. All must call it with the same length.
   */
  async sum(array) {
    if (this.#size === 1) return
    const incoming = new Float32Array(Math.ceil(array.length / this.#size))
    for (let round = 0; round < this.#size - 1; round++) {
      const part = this.#part(array, this.#rank - round - 1)
      const received = incoming.subarray(0, part.length)
      await this.#pass(this.#part(array, this.#rank - round), received)
      for (let i = 0; i < part.length; i++) part[i] += received[i]
    }
    for (let round = 0; round < this.#size - 1; round++) {
      await this.#pass(this.#part(array, this.#rank - round + 1), this.#part(array, this.#rank - round))
    }
  }

  leave() {
    this.#next?.close()
    this.#previous?.close()
  }

  #part(array, index) {
    const part = (index + this.#size) % this.#size
    const bound = (i) => Math.floor((i * array.length) / this.#size)
    return array.subarray(bound(part), bound(part + 1))
  }

  async #pass(out, into) {
    await Promise.all([this.#next.send(bytesOf(out)), this.#previous.receive(bytesOf(into))])
  }
}

function bytesOf(array) {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}
