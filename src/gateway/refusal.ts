/** An answer of the gateway itself, in the shape of OpenAI's errors. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string

  constructor(
    status: number,
    message: string,
    { type = 'invalid_request_error', code, param, headers = {} }: RefusalDetail = {},
  ) {
    super(message)
    this.status = status
    this.headers = headers
    this.body = JSON.stringify({ error: { message, type, param: param ?? null, code: code ?? null } })
  }
}

interface RefusalDetail {
  readonly type?: 'invalid_request_error' | 'rate_limit_error' | 'server_error'
  readonly code?: string
  readonly param?: string
  readonly headers?: Readonly<Record<string, string>>
}

export function unknownRoute(method: string, path: string): Refusal {
  return new Refusal(404, `unknown request URL: ${method} ${path}`, { code: 'unknown_url' })
}

export function wrongMethod(method: string, path: string, allowed: string): Refusal {
  return new Refusal(405, `${path} takes ${allowed}, not ${method}`, {
    code: 'method_not_supported',
    headers: { allow: allowed },
  })
}

export function badBody(problem: string, param?: string): Refusal {
  return new Refusal(400, problem, param === undefined ? {} : { param })
}

export function notAuthorised(problem: string): Refusal {
  return new Refusal(401, `${problem}; send a Banyan token as "Authorization: Bearer ..."`, {
    code: 'invalid_api_key',
    headers: { 'www-authenticate': 'Bearer' },
  })
}

export function bodyTooLarge(limitBytes: number): Refusal {
  return new Refusal(413, `the request's body is over the limit of ${limitBytes} bytes`, {
    code: 'request_too_large',
  })
}

export function modelNotFound(model: string): Refusal {
  return new Refusal(
    404,
    `the model "${model}" does not exist or you may not use it; GET /v1/models lists yours`,
    {
      code: 'model_not_found',
      param: 'model',
    },
  )
}

export function tooManyRequests(message: string, retryAfterSeconds: number): Refusal {
  return new Refusal(429, `${message}; try again in ${retryAfterSeconds} s`, {
    type: 'rate_limit_error',
    code: 'rate_limit_exceeded',
    headers: { 'retry-after': String(retryAfterSeconds) },
  })
}

export function noReadyReplica(model: string, workloadState: string): Refusal {
  return new Refusal(503, `no replica of "${model}" is ready: its workload is ${workloadState}`, {
    type: 'server_error',
    code: 'no_ready_replica',
    headers: { 'retry-after': '5' },
  })
}

export function replicaFailed(model: string, tries: number, cause: string): Refusal {
  return new Refusal(502, `no replica of "${model}" answered (${tries} tried; the last: ${cause})`, {
    type: 'server_error',
    code: 'replica_failed',
  })
}

export function replicaTimedOut(model: string, silenceMs: number): Refusal {
  return new Refusal(504, `the replica of "${model}" did not begin to answer within ${silenceMs / 1000} s`, {
    type: 'server_error',
    code: 'replica_timeout',
  })
}
