// One TCP connection to another worker: whole byte ranges in, whole byte ranges out.
import { connect } from 'node:net'

const CONNECT_AGAIN_MS = 100
const LARGEST_MESSAGE_BYTES = 65_536

export class Link {
  #socket
  #silenceMs
  #chunks = []
  #waiting
  #failure
  #closing = false

  /** Names the other side in errors; who that is may be known only after the first message. */
  peer

  /** A `receive` during which nothing comes for `silenceMs` fails. */
  constructor(socket, { peer, silenceMs }) {
    this.peer = peer
    this.#socket = socket
    this.#silenceMs = silenceMs
    socket.setNoDelay(true)
    socket.on('data', (chunk) => {
      this.#chunks.push(chunk)
      this.#fill()
    })
    socket.on('error', (error) => this.#break(error))
    socket.on('close', () => this.#fail(`${this.peer} closed its connection`))
    socket.on('timeout', () => this.#fail(`${this.peer} was silent for ${silenceMs / 1000} s`))
  }

  get localAddress() {
    return this.#socket.localAddress
  }

  /** Resolves when the bytes have left this process, so that the caller may change them. */
  send(bytes) {
    return new Promise((resolve, reject) => {
      if (this.#failure) return reject(this.#failure)
      this.#socket.write(bytes, (error) => {
        if (!error) return resolve()
        this.#break(error)
        reject(this.#failure ?? error)
      })
    })
  }

  /** Resolves when `target` is full. One receive at a time. */
  async receive(target) {
    if (target.length === 0) return
    return new Promise((resolve, reject) => {
      this.#waiting = { target, filled: 0, resolve, reject }
      this.#socket.setTimeout(this.#silenceMs)
      this.#fill()
      if (this.#waiting && this.#failure) this.#settle().reject(this.#failure)
    })
  }

  async sendMessage(message) {
    const body = Buffer.from(JSON.stringify(message))
    const length = Buffer.alloc(4)
    length.writeUInt32LE(body.length)
    await this.send(Buffer.concat([length, body]))
  }

  async receiveMessage() {
    const length = Buffer.alloc(4)
    await this.receive(length)
    const bytes = length.readUInt32LE()
    if (bytes > LARGEST_MESSAGE_BYTES) throw new Error(`${this.peer} does not speak this protocol`)
    const body = Buffer.alloc(bytes)
    await this.receive(body)
    return JSON.parse(body.toString())
  }

  close() {
    this.#closing = true
    this.#socket.end()
  }

  #fill() {
    while (this.#waiting && this.#chunks.length > 0) {
      const { target, filled } = this.#waiting
      const chunk = this.#chunks.shift()
      const taken = Math.min(chunk.length, target.length - filled)
      target.set(taken === chunk.length ? chunk : chunk.subarray(0, taken), filled)
      if (taken < chunk.length) this.#chunks.unshift(chunk.subarray(taken))
      this.#waiting.filled += taken
      if (this.#waiting.filled === target.length) this.#settle().resolve()
    }
  }

  #settle() {
    const settled = this.#waiting
    this.#waiting = undefined
    this.#socket.setTimeout(0)
    return settled
  }

  #break(error) {
    this.#fail(`the connection to ${this.peer} broke (${error.code ?? error.message})`)
  }

  #fail(reason) {
    if (this.#failure || this.#closing) return
    this.#failure = new Error(reason)
    this.#socket.destroy()
    if (this.#waiting) this.#settle().reject(this.#failure)
  }
}

/** A link to a listening worker, tried again until `deadline` (in ms since the epoch): it may start after us. */
export async function connectLink({ host, port, peer, silenceMs, deadline }) {
  for (;;) {
    const socket = connect({ host, port })
    const failure = await new Promise((resolve) => {
      socket.once('connect', () => resolve(undefined))
      socket.once('error', resolve)
    })
    if (!failure) {
      socket.removeAllListeners('error')
      return new Link(socket, { peer, silenceMs })
    }
    if (Date.now() > deadline) {
      throw new Error(`${peer} does not answer at ${host}:${port} (${failure.code}); has it started?`)
    }
    await new Promise((resolve) => setTimeout(resolve, CONNECT_AGAIN_MS))
  }
}
