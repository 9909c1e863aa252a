import type { Handlers, Operation } from '../../api/index.ts'
import type { CallContext } from '../context.ts'

/** The handlers of some operations. */
export type HandlersOf<Ops extends Operation> = Pick<Handlers<CallContext>, Ops>
