import { ApiProblem } from './api-problem.ts'

export interface ClientOptions {
  /** For example `http://127.0.0.1:4480`. */
  readonly baseUrl: string
  readonly token?: string | undefined
  readonly fetch?: typeof fetch
  /** Pauses between tries of a request that may be repeated; as many tries more as there are pauses. */
  readonly retryPausesMs?: readonly number[]
  /** A stream that is silent for this long is opened again; the server sends a comment at least every 15 s. */
  readonly silenceMs?: number
}

export interface Exchange {
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly signal?: AbortSignal | undefined
  /** Whether sending it twice does the same as once. */
  readonly repeatable: boolean
}

const DEFAULT_PAUSES_MS: readonly number[] = [200, 500, 1_000]

/** Sends requests with the token, repeats what may be repeated, and turns refusals into `ApiProblem`. */
export class Connection {
  readonly #options: ClientOptions
  readonly #base: string

  constructor(options: ClientOptions) {
    this.#options = options
    this.#base = options.baseUrl.replace(/\/+$/, '')
  }

  get silenceMs(): number {
    return this.#options.silenceMs ?? 60_000
  }

  get pausesMs(): readonly number[] {
    return this.#options.retryPausesMs ?? DEFAULT_PAUSES_MS
  }

  unreachable(reason: unknown): ApiProblem {
    return ApiProblem.unreachable(this.#base, reason)
  }

  /** The response of a success; throws `ApiProblem` on everything else, and the signal's reason when aborted. */
  async send(exchange: Exchange): Promise<Response> {
    const pauses = exchange.repeatable ? this.pausesMs : []
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.sendOnce(exchange)
      } catch (error) {
        const pause = pauses[attempt]
        if (pause === undefined || !(error instanceof ApiProblem) || !error.isTransient) throw error
        await sleep(Math.max(pause, (error.retryAfterSeconds ?? 0) * 1_000), exchange.signal)
      }
    }
  }

  async sendOnce({ method, path, headers, body, signal }: Exchange): Promise<Response> {
    const send = this.#options.fetch ?? fetch
    const request: RequestInit = {
      method,
      headers: {
        ...(this.#options.token ? { authorization: `Bearer ${this.#options.token}` } : {}),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    }
    let response: Response
    try {
      response = await send(`${this.#base}${path}`, request)
    } catch (error) {
      signal?.throwIfAborted()
      throw this.unreachable(error)
    }
    if (!response.ok) throw await ApiProblem.fromResponse(response)
    return response
  }

  /** The parsed JSON of a response of ours. */
  async json(response: Response): Promise<unknown> {
    const text = await response.text().catch((error: unknown) => {
      throw this.unreachable(error)
    })
    try {
      return text === '' ? undefined : JSON.parse(text)
    } catch {
      throw this.unreachable(`what answers there is not Banyan, it says ${text.slice(0, 80)}`)
    }
  }
}

/** Resolves after the pause; rejects with the signal's reason when it is aborted before. */
export function sleep(pauseMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const onAbort = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, pauseMs)
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
