export { openStore, type StoreLocation } from './open-store.ts'
export { PostgresStore } from './postgres-store.ts'
export { StoreError, type StoreErrorCode } from './store-error.ts'
