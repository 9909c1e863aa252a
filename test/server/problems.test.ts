import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PROBLEM_MEDIA_TYPE, type ProblemDocument } from '../../src/api/index.ts'
import { aServer, type RunningServer } from './running-server.ts'

const SPEC = 'type: train\nname: fine\ngpus: 1\nworkdir: /\nrun: "true"\n'
const json = (value: unknown) => JSON.stringify(value)

interface Wrong {
  readonly what: string
  readonly path: string
  readonly method?: string
  readonly body?: string
  readonly headers?: Record<string, string>
  readonly status: number
  /** What the detail or one of the faults must say. */
  readonly says: RegExp
}

const WRONG: readonly Wrong[] = [
  { what: 'JSON that is none', path: '/v1/workloads', body: '{"spec":', status: 400, says: /not JSON/ },
  { what: 'JSON of another kind', path: '/v1/workloads', body: '[1]', status: 400, says: /expected object/ },
  { what: 'no body', path: '/v1/workloads', body: '', status: 400, says: /body\.spec/ },
  { what: 'a wrong type', path: '/v1/workloads', body: json({ spec: 7 }), status: 400, says: /body\.spec/ },
  {
    what: 'an unknown field',
    path: '/v1/workloads',
    body: json({ spec: SPEC, colour: 'red' }),
    status: 400,
    says: /colour/,
  },
  {
    what: 'a relative folder',
    path: '/v1/workloads',
    body: json({ spec: SPEC, folder: 'here' }),
    status: 400,
    says: /absolute/,
  },
  {
    what: 'broken YAML',
    path: '/v1/workloads',
    body: json({ spec: 'name: [', file: 'a.yaml' }),
    status: 422,
    says: /a\.yaml:1/,
  },
  {
    what: 'an unknown field of the spec',
    path: '/v1/workloads',
    body: json({ spec: `${SPEC}gpuz: 2\n`, file: 'a.yaml' }),
    status: 422,
    says: /a\.yaml:6.*gpu/s,
  },
  {
    what: 'a wrong type in the spec',
    path: '/v1/workloads',
    body: json({ spec: SPEC.replace('gpus: 1', 'gpus: many') }),
    status: 422,
    says: /gpus/,
  },
  {
    what: 'a huge spec',
    path: '/v1/workloads',
    body: json({ spec: `${SPEC}# ${'x'.repeat(2 ** 21)}` }),
    status: 422,
    says: /1 MiB|large/,
  },
  {
    what: 'a huge body',
    path: '/v1/workloads',
    body: json({ spec: 'x'.repeat(5 * 2 ** 20) }),
    status: 413,
    says: /4 MiB/,
  },
  {
    what: 'an unknown team',
    path: '/v1/workloads',
    body: json({ spec: SPEC, team: 'nope' }),
    status: 404,
    says: /nope/,
  },
  {
    what: 'an unknown dependency',
    path: '/v1/workloads',
    body: json({ spec: `${SPEC}dependsOn: nope\n` }),
    status: 422,
    says: /nope/,
  },
  {
    what: 'a key that is too long',
    path: '/v1/workloads',
    body: json({ spec: SPEC }),
    headers: { 'idempotency-key': 'k'.repeat(300) },
    status: 400,
    says: /Idempotency-Key/,
  },
  { what: 'an unknown route', path: '/v1/nothing', method: 'GET', status: 404, says: /GET \/v1\/nothing/ },
  { what: 'a path outside the API', path: '/admin', method: 'GET', status: 404, says: /\/admin/ },
  { what: 'a wrong method', path: '/v1/workloads', method: 'DELETE', status: 405, says: /DELETE/ },
  {
    what: 'a wrong method on one thing',
    path: '/v1/workloads/w1',
    method: 'PATCH',
    status: 405,
    says: /PATCH/,
  },
  {
    what: 'an unknown filter',
    path: '/v1/workloads?stat=queued',
    method: 'GET',
    status: 400,
    says: /query\.stat: unknown; known are state/,
  },
  {
    what: 'an unknown state',
    path: '/v1/workloads?state=sleeping',
    method: 'GET',
    status: 400,
    says: /state/,
  },
  {
    what: 'a limit that is no number',
    path: '/v1/workloads?limit=all',
    method: 'GET',
    status: 400,
    says: /limit/,
  },
  {
    what: 'a limit that is too large',
    path: '/v1/workloads?limit=100000',
    method: 'GET',
    status: 400,
    says: /limit/,
  },
  { what: 'a NUL in a filter', path: '/v1/workloads?name=a%00b', method: 'GET', status: 400, says: /NUL/ },
  { what: 'a NUL in a path', path: '/v1/workloads/a%00b', method: 'GET', status: 400, says: /NUL/ },
  {
    what: 'a broken escape in a path',
    path: '/v1/workloads/%E0%A4%A',
    method: 'GET',
    status: 404,
    says: /no workload/,
  },
  { what: 'an unknown workload', path: '/v1/workloads/w77', method: 'GET', status: 404, says: /w77/ },
  {
    what: 'logs of an unknown workload',
    path: '/v1/workloads/w77/logs/stream',
    method: 'GET',
    status: 404,
    says: /w77/,
  },
  {
    what: 'an unknown node',
    path: '/v1/nodes/nope/cordon',
    body: json({ reason: 'x' }),
    status: 404,
    says: /nope/,
  },
  {
    what: 'an order without a reason',
    path: '/v1/nodes/nope/cordon',
    body: '{}',
    status: 400,
    says: /reason/,
  },
  {
    what: 'a name that is none',
    path: '/v1/organisations',
    body: json({ id: 'No Good' }),
    status: 400,
    says: /a-z/,
  },
  {
    what: 'a name that is taken',
    path: '/v1/organisations',
    body: json({ id: 'default' }),
    status: 409,
    says: /default/,
  },
  {
    what: 'no token',
    path: '/v1/workloads',
    method: 'GET',
    headers: { authorization: '' },
    status: 401,
    says: /no token/,
  },
  {
    what: 'a token of nobody',
    path: '/v1/workloads',
    method: 'GET',
    headers: { authorization: 'Bearer bny_x' },
    status: 401,
    says: /unknown/,
  },
]

describe('a problem document (RFC 9457) says what was wrong with', () => {
  let server: RunningServer
  beforeAll(async () => {
    server = await aServer()
  })
  afterAll(() => server.remove())

  for (const { what, path, method = 'POST', body, headers, status, says } of WRONG) {
    test(what, async () => {
      const response = await server.request(path, {
        method,
        token: server.token,
        ...(body === undefined ? {} : { body }),
        headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      })
      const text = await response.text()
      expect(response.status, text).toBe(status)
      expect(response.headers.get('content-type')).toBe(PROBLEM_MEDIA_TYPE)
      const document = JSON.parse(text) as ProblemDocument
      expect(document).toMatchObject({
        status,
        type: expect.stringMatching(/^urn:|^https?:/),
        title: expect.any(String),
      })
      expect(
        [
          document.detail,
          ...(document.errors ?? []).map(({ field, message }) => `${field}: ${message}`),
        ].join('\n'),
      ).toMatch(says)
      if (status === 405) expect(response.headers.get('allow')).toMatch(/GET/)
      if (status === 401) expect(response.headers.get('www-authenticate')).toBe('Bearer')
    })
  }

  test('the server has lived through all of it', async () => {
    const { status } = await server.client().getHealth()
    expect(status).toBe('ok')
    expect((await server.client().listWorkloads()).items).toEqual([])
  })
})
