/** The gateway by itself, before the replicas whose addresses are its arguments. */
import { createServer } from 'node:http'
import { createGateway } from '../../../src/gateway/index.ts'
import { announce } from './child.ts'

const replicas = process.argv.slice(2).map((url, i) => ({ id: `r${i}`, url }))
const models = new Map([
  ['m', { id: 'm', replicas, state: 'running', createdAt: 0, ownedBy: 'bench' } as const],
])
const gateway = createGateway({
  endpoints: () => models,
  authorise: (token) => ({ id: token }),
  limits: { requestsPerMinute: Number.MAX_SAFE_INTEGER, outstandingPerReplica: 10_000 },
})
const server = createServer(gateway.handle)
server.listen(0, '127.0.0.1', () => announce(server))
