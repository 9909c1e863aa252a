export * from './fabric.ts'
export * from './max-min.ts'
export * from './templates.ts'
export * from './traffic.ts'
