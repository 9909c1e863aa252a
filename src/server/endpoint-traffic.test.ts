import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import type { LoggedEvent } from '../control/index.ts'
import { EndpointTraffic } from './endpoint-traffic.ts'

function aTraffic() {
  const registry = new Registry()
  let tell: (events: readonly LoggedEvent[]) => void = () => {}
  const ledger = {
    subscribe: (listener: typeof tell) => {
      tell = listener
      return () => {}
    },
  }
  return {
    traffic: new EndpointTraffic(ledger, registry),
    registry,
    tell: (events: readonly LoggedEvent[]) => tell(events),
  }
}

const request = { endpoint: 'w1', model: 'm', status: 200, complete: true, streamed: false, totalMs: 100 }

test('a hundred requests have a rate, percentiles and a share of errors', async () => {
  const { traffic, registry } = aTraffic()
  for (let i = 1; i <= 100; i++) {
    const usage = { promptTokens: 5, completionTokens: 20 }
    traffic.take({ ...request, totalMs: i, streamed: i > 50, firstByteMs: i / 2, usage }, i * 500)
  }
  for (const status of [500, 503, 429, 404, 499]) {
    traffic.take({ ...request, status, totalMs: 9_000, complete: status !== 499 }, 50_000)
  }
  const recent = (await traffic.recent(50_500)).get('w1')
  expect(recent).toMatchObject({ windowMs: 300_000, requestsPerSecond: 2.1, errors: 3, errorShare: 3 / 105 })
  expect(recent?.outputTokensPerSecond).toBe(40)
  expect(recent?.latencyMs?.p50).toBeCloseTo(50.5, 0)
  expect(recent?.latencyMs?.p99).toBeCloseTo(99.5, 0)
  // Only what is streamed has a first token: from 25.5 to 50 ms.
  expect(recent?.firstTokenMs?.p50).toBeCloseTo(37.75, 0)
  expect(await registry.metrics()).toMatch(
    /^banyan_endpoint_latency_seconds\{quantile="0.99",workload="w1",model="m"\} 0\.09/m,
  )
})

test('what is older than the window counts no more, and without requests there is nothing', async () => {
  const { traffic } = aTraffic()
  expect((await traffic.recent(0)).size).toBe(0)
  traffic.take(request, 1_000)
  traffic.take(request, 200_000)
  expect((await traffic.recent(200_000)).get('w1')?.requestsPerSecond).toBeCloseTo(2 / 199)
  expect((await traffic.recent(400_000)).get('w1')?.requestsPerSecond).toBeCloseTo(1 / 290)
  expect((await traffic.recent(700_000)).has('w1')).toBe(false)
})

test('endpoints are told apart, and forgotten when their workload is finished', async () => {
  const { traffic, tell } = aTraffic()
  traffic.take(request, 0)
  traffic.take({ ...request, endpoint: 'w2', totalMs: 7 }, 0)
  const both = await traffic.recent(1)
  expect(both.get('w1')?.latencyMs).toEqual({ p50: 100, p99: 100 })
  expect(both.get('w2')?.latencyMs).toEqual({ p50: 7, p99: 7 })
  tell([{ event: { kind: 'workload-finished', workload: 'w1' } } as LoggedEvent])
  expect([...(await traffic.recent(1)).keys()]).toEqual(['w2'])
})
