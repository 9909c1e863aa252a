export * from './engine.ts'
export * from './store.ts'
export type { LoggedEvent } from '../event.ts'
