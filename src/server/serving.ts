import { createGateway, type Gateway } from '../gateway/index.ts'
import type { User } from '../model/index.ts'
import { authenticate } from './caller.ts'
import type { Services } from './context.ts'
import type { Metrics } from './metrics.ts'
import { ServedModels } from './served-models.ts'
import { sessionSecret } from './sign-in/session-cookie.ts'

/** The gateway in front of this ledger's models: callers by their tokens, replicas by their readiness. */
export function createServing(
  { ledger, clock, log, traffic }: Pick<Services, 'ledger' | 'clock' | 'log' | 'traffic'>,
  metrics: Metrics,
): Gateway {
  const models = new ServedModels(ledger)
  return createGateway<{ readonly id: string; readonly user: User }>({
    authorise: (token) => {
      const caller = authenticate(ledger.state, token, clock.now())
      return caller && { id: caller.user.id, user: caller.user }
    },
    otherToken: (headers) => sessionSecret('POST', (name) => headers[name] as string | undefined),
    endpoints: ({ user }) => models.visibleTo(user),
    onRequestFinished: (request) => {
      const { model, status, totalMs } = request
      traffic.take(request, performance.now())
      metrics.requests.inc({ model, status: `${status}` })
      metrics.latencySeconds.observe({ model }, totalMs / 1000)
    },
    onBug: (error) => log.error({ err: error }, 'the gateway failed on a request'),
  })
}
