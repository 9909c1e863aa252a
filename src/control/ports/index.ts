export type { Event, LoggedEvent } from '../event.ts'
export * from './engine.ts'
export * from './store.ts'
