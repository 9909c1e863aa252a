export * from './engine.ts'
export * from './store.ts'
export type { Event, LoggedEvent } from '../event.ts'
