// What Banyan tells each worker of a gang through its environment.

const NUMBERS = ['RANK', 'WORLD_SIZE', 'MASTER_PORT']
const TEXTS = ['MASTER_ADDR', 'BANYAN_WORKLOAD_ID', 'BANYAN_ATTEMPT']

/** `{rank, size, address, port, session, checkpointFolder, progressFile}`; the last two may be undefined. */
export function readGang(env) {
  const missing = [...NUMBERS, ...TEXTS].filter((name) => !env[name])
  if (missing.length > 0) {
    throw new Error(
      `this is one worker of a gang, and ${missing.join(', ')} ${missing.length > 1 ? 'are' : 'is'} not set; ` +
        'start it with: banyan run examples/tiny-gpt/train.yaml',
    )
  }
  const [rank, size, port] = NUMBERS.map((name) => {
    const value = Number(env[name])
    if (!Number.isInteger(value) || value < 0)
      throw new Error(`${name} is "${env[name]}"; it must be a whole number`)
    return value
  })
  return {
    rank,
    size,
    port,
    address: env.MASTER_ADDR,
    session: `${env.BANYAN_WORKLOAD_ID}.${env.BANYAN_ATTEMPT}`,
    checkpointFolder: env.BANYAN_CHECKPOINT_DIR,
    progressFile: env.BANYAN_PROGRESS_FILE,
  }
}
