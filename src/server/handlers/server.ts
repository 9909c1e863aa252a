import { openApiDocument } from '../../api/index.ts'
import { SIGN_IN_PATH } from '../sign-in/routes.ts'
import { tokenView } from '../token-view.ts'
import type { HandlersOf } from './part.ts'

export const serverHandlers: HandlersOf<
  'getHealth' | 'getOpenApi' | 'getSignIn' | 'getVersion' | 'whoAmI' | 'getMetrics' | 'backUp'
> = {
  getHealth: async (_input, { version, stopping }) => ({
    status: stopping.aborted ? 'stopping' : 'ok',
    version,
    leader: true,
  }),
  getOpenApi: async (_input, { version }) => ({ openapi: '3.1.0', ...openApiDocument(version) }),
  getSignIn: async (_input, { oidc }) => (oidc ? { oidc: { name: oidc.name, path: SIGN_IN_PATH } } : {}),
  getVersion: async (_input, { version, storeKind, engine, ledger, startedAt, clock, twin }) => ({
    version,
    api: 'v1',
    node: process.version,
    store: storeKind,
    engines: [engine.id],
    cluster: { name: ledger.state.cluster.name, levels: [...ledger.state.cluster.levels] },
    startedAt,
    now: clock.now(),
    leader: true,
    ...(twin ? { twin } : {}),
  }),
  whoAmI: async (_input, { caller }) => ({ user: caller.user, token: tokenView(caller.token) }),
  getMetrics: (_input, { metrics }) => metrics(),
  backUp: (_input, { backUp }) => backUp(),
}
