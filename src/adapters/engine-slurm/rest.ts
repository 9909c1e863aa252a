import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { errorsOf, jobOf, nodeOf, partitionOf, REST_VERSIONS, submission } from './rest-dialect.ts'
import {
  type JobRequest,
  type NodeOrder,
  type SlurmJob,
  type SlurmNode,
  type SlurmPartition,
  SlurmRefusal,
  type SlurmTransport,
  SlurmUnreachable,
} from './transport.ts'

export interface RestAddress {
  /** `http://host:6820`, or `unix:/run/slurmrestd.socket`. */
  readonly url: string
  /** Who the token is of. */
  readonly user: string
  /** A JWT, asked for at every call since tokens run out; undefined on a socket that trusts who opens it. */
  readonly token: () => Promise<string | undefined>
}

const PATIENCE_MS = 60_000
const UNREACHABLE =
  /unable to contact|connection|timed out|communication|unspecified error|zero bytes|socket|authentication|temporarily|standby|unexpected message/i

type Answer = Readonly<Record<string, unknown>>

/** Slurm by its REST daemon. The newest version of the interface that both sides know is found at the first call. */
export class SlurmRest implements SlurmTransport {
  readonly #address: RestAddress
  #version: number | undefined

  constructor(address: RestAddress) {
    this.#address = address
  }

  get name(): string {
    return this.#version === undefined ? 'rest' : `rest v0.0.${this.#version}`
  }

  async jobs(): Promise<SlurmJob[]> {
    return listIn(await this.#call('GET', 'jobs'), 'jobs').map(jobOf)
  }

  async nodes(): Promise<SlurmNode[]> {
    return listIn(await this.#call('GET', 'nodes'), 'nodes').map(nodeOf)
  }

  async partitions(): Promise<SlurmPartition[]> {
    return listIn(await this.#call('GET', 'partitions'), 'partitions').map(partitionOf)
  }

  async topology(): Promise<string | undefined> {
    return undefined
  }

  async submit(request: JobRequest): Promise<number> {
    const version = await this.#negotiated()
    const answer = await this.#call('POST', 'job/submit', submission(request, version))
    const id = answer.job_id
    if (typeof id !== 'number' || id <= 0) throw new SlurmRefusal('slurmrestd answered without a job id')
    return id
  }

  async cancel(job: number, onlyPending: boolean): Promise<void> {
    if (onlyPending && !(await this.#isPending(job))) return
    try {
      await this.#call('DELETE', `job/${job}`)
    } catch (error) {
      if (!(error instanceof SlurmRefusal) || !/invalid job id|already complet/i.test(error.message))
        throw error
    }
  }

  async setNode(name: string, order: NodeOrder): Promise<void> {
    const body = order.kind === 'drain' ? { state: ['DRAIN'], reason: order.reason } : { state: ['RESUME'] }
    await this.#call('POST', `node/${encodeURIComponent(name)}`, body)
  }

  async close(): Promise<void> {}

  async #isPending(job: number): Promise<boolean> {
    const found = listIn(await this.#call('GET', `job/${job}`), 'jobs').map(jobOf)
    return found[0]?.state === 'PENDING'
  }

  async #call(method: string, path: string, body?: unknown): Promise<Answer> {
    const version = await this.#negotiated()
    const { status, text } = await this.#send(method, `/slurm/v0.0.${version}/${path}`, body)
    const answer = parseAnswer(text)
    const said = answer && errorsOf(answer)
    if (status === 401 || status === 403) {
      throw new SlurmUnreachable(
        `slurmrestd does not accept the token (HTTP ${status}); make a new one with scontrol token`,
      )
    }
    if (status === 404 || status === 405) {
      throw new SlurmRefusal(
        `slurmrestd v0.0.${version} has no ${method} ${path.split('/')[0]}; a newer Slurm does`,
      )
    }
    if (said !== undefined || status >= 400 || !answer) {
      const words = said ?? `slurmrestd answered HTTP ${status}: ${text.slice(0, 200)}`
      throw UNREACHABLE.test(words) || !answer ? new SlurmUnreachable(words) : new SlurmRefusal(words)
    }
    return answer
  }

  async #negotiated(): Promise<number> {
    if (this.#version !== undefined) return this.#version
    const { status, text } = await this.#send('GET', '/openapi/v3')
    const paths = Object.keys((parseAnswer(text)?.paths ?? {}) as object)
    if (status !== 200 || paths.length === 0) {
      throw new SlurmUnreachable(
        `slurmrestd at ${this.#address.url} does not say what it offers (HTTP ${status})`,
      )
    }
    const offered = new Set(paths.map((path) => Number(/^\/slurm\/v0\.0\.(\d+)\//.exec(path)?.[1])))
    this.#version = REST_VERSIONS.find((version) => offered.has(version))
    if (this.#version === undefined) {
      throw new SlurmRefusal(
        `slurmrestd offers none of v0.0.${REST_VERSIONS.at(-1)} to v0.0.${REST_VERSIONS[0]}; use the commands instead`,
      )
    }
    return this.#version
  }

  async #send(method: string, path: string, body?: unknown): Promise<{ status: number; text: string }> {
    const { url, user, token } = this.#address
    const secret = await token()
    const isSocket = url.startsWith('unix:')
    const target = isSocket ? new URL('http://localhost') : new URL(url)
    const content = body === undefined ? undefined : JSON.stringify(body)
    const headers = {
      ...(secret === undefined ? {} : { 'X-SLURM-USER-NAME': user, 'X-SLURM-USER-TOKEN': secret }),
      ...(content === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(content) }),
    }
    const send = target.protocol === 'https:' ? httpsRequest : httpRequest
    return new Promise((resolve, reject) => {
      const fail = (error: Error) => reject(new SlurmUnreachable(`slurmrestd at ${url}: ${error.message}`))
      const call = send(
        {
          method,
          path,
          headers,
          timeout: PATIENCE_MS,
          ...(isSocket
            ? { socketPath: url.slice('unix:'.length) }
            : { host: target.hostname, port: target.port }),
        },
        (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.once('error', fail)
          response.once('end', () =>
            resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
          )
        },
      )
      call.once('error', fail)
      call.once('timeout', () => call.destroy(new Error(`no answer within ${PATIENCE_MS / 1000} s`)))
      call.end(content)
    })
  }
}

function parseAnswer(text: string): Answer | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Answer) : undefined
  } catch {
    return undefined
  }
}

function listIn(answer: Answer, name: string): unknown[] {
  const list = answer[name]
  return Array.isArray(list) ? list : []
}
