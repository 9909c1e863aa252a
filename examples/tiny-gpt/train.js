// One worker of a gang that trains a byte-level GPT data-parallel: every worker computes the gradients of its share
// of each batch, the ring sums them, and all take the same step.
import { appendFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { loadNewestCheckpoint, saveCheckpoint } from './checkpoint.js'
import { loadBatch, loadCorpus } from './corpus.js'
import { readGang } from './gang.js'
import { createGpt, initialise } from './gpt.js'
import { createOptimiser } from './optimiser.js'
import { joinRing } from './ring.js'

const STOPPED_BY_SIGNAL = 128 + 15
const WARM_UP_STEPS = 10
const LOG_EVERY_STEPS = 10

async function train(gang, options) {
  const { config, steps, batch, seed } = options
  const share = shareOf(batch, gang.rank, gang.size)
  const corpus = loadCorpus(process.env.TINY_GPT_TEXT)
  const gpt = createGpt(config, share.last - share.first)
  const ring = await joinRing(gang)
  const optimiser = createOptimiser({ ...gpt, ...options, ring, rank: gang.rank, size: gang.size })
  const state = { parameters: gpt.parameters, momentum: optimiser.momentum, squares: optimiser.squares }
  const report = gang.rank === 0 ? createReporter(gang, options, state) : undefined
  let stopAsked = false
  process.on('SIGTERM', () => {
    stopAsked = true
  })

  let step = await shareState(ring, gang.rank === 0 ? firstState(gang, options, state) : 0, state)
  for (let stopping = false; step < steps && !stopping; ) {
    step++
    const begun = performance.now()
    const { inputs, targets } = loadBatch(corpus, { seed, step, ...share, context: config.context })
    const positions = batch * config.context
    const loss = gpt.step(inputs, targets, positions) / positions
    // What this worker computed before it waits for the others: of the whole step nobody could tell who is slow.
    const computeMs = performance.now() - begun
    const signals = new Float32Array(2 + gang.size)
    signals.set([loss, stopAsked ? 1 : 0])
    signals[2 + gang.rank] = computeMs
    await ring.sum(gpt.gradients)
    // Summed too, so that all workers stop after the same step, and worker 0 knows how long each computed.
    await ring.sum(signals)
    await optimiser.update(step, rateScale(step, steps))
    stopping = signals[1] > 0
    const times = {
      stepMs: tenths(performance.now() - begun),
      computeMs: Array.from(signals.subarray(2), tenths),
    }
    report?.(step, signals[0], times, stopping)
  }
  ring.leave()
  return step === steps ? 0 : STOPPED_BY_SIGNAL
}

/** The step that rank 0 starts from, having filled `state` from the newest checkpoint or afresh. */
function firstState({ checkpointFolder }, { config, seed }, state) {
  const checkpoint = checkpointFolder ? loadNewestCheckpoint(checkpointFolder) : undefined
  if (!checkpoint) {
    initialise(config, state.parameters, seed)
    console.log(`starting afresh: ${state.parameters.length} parameters`)
    return 0
  }
  const { path, header, arrays } = checkpoint
  if (JSON.stringify(header.config) !== JSON.stringify(config)) {
    throw new Error(
      `${path} holds a model of ${JSON.stringify(header.config)}, but the options ask for ${JSON.stringify(config)}; ` +
        'use another checkpoint folder or the same options',
    )
  }
  for (const [name, array] of Object.entries(state)) array.set(arrays[name])
  console.log(`resuming after step ${header.step} from ${path}`)
  return header.step
}

/** Gives every worker the step and state of rank 0: those of the others are zero, so that the sum is rank 0's. */
async function shareState(ring, step, state) {
  const shared = Float32Array.of(step)
  await ring.sum(shared)
  for (const array of Object.values(state)) await ring.sum(array)
  return shared[0]
}

/** Writes a line of progress for each step, and checkpoints when one is due. */
function createReporter(
  { checkpointFolder, progressFile },
  { config, steps, batch, saveEvery, seed },
  state,
) {
  return (step, loss, times, stopping) => {
    const tokens = step * batch * config.context
    const due = step % saveEvery === 0 || step === steps || stopping
    const header = { step, loss, tokens, config, seed, savedAt: new Date().toISOString() }
    const checkpoint = due && checkpointFolder ? saveCheckpoint(checkpointFolder, header, state) : undefined
    if (progressFile) {
      appendFileSync(
        progressFile,
        `${JSON.stringify({ step, totalSteps: steps, loss, tokens, checkpoint, ...times })}\n`,
      )
    }
    if (step % LOG_EVERY_STEPS === 0 || checkpoint) console.log(logLine({ step, steps, loss, checkpoint }))
  }
}

function tenths(ms) {
  return Math.round(ms * 10) / 10
}

/** Where worker `rank` of `size` stands in a batch of sequences: `first` to `last` (exclusive), near equal shares. */
function shareOf(batch, rank, size) {
  if (batch < size)
    throw new Error(`a batch of ${batch} sequences cannot be shared by ${size} workers; raise --batch`)
  return { first: Math.floor((rank * batch) / size), last: Math.floor(((rank + 1) * batch) / size) }
}

/** A short warm-up, then constant, then falling to a twentieth over the last 60 % of the steps. */
function rateScale(step, steps) {
  const falling = Math.min(1, (1 - step / steps) / 0.6)
  return Math.min(1, step / WARM_UP_STEPS) * (0.05 + 0.95 * falling)
}

function logLine({ step, steps, loss, checkpoint }) {
  const saved = checkpoint ? `, saved ${checkpoint}` : ''
  return `step ${step}/${steps} loss ${loss.toFixed(3)}${saved}`
}

function readOptions(args) {
  const numbers = {
    steps: 200,
    batch: 32,
    context: 64,
    width: 160,
    layers: 3,
    heads: 5,
    'muon-rate': 0.05,
    'adam-rate': 0.012,
    'save-every': 25,
    seed: 1,
  }
  const options = Object.fromEntries(Object.keys(numbers).map((name) => [name, { type: 'string' }]))
  for (const [name, text] of Object.entries(parseArgs({ args, options }).values)) {
    numbers[name] = Number(text)
    if (!(numbers[name] > 0)) throw new Error(`--${name} is "${text}"; it must be a number above 0`)
  }
  const { context, width, layers, heads, steps, batch, seed } = numbers
  if (context % 8 !== 0 || width % (8 * heads) !== 0) {
    throw new Error(`--context ${context} must divide by 8, and --width ${width} by 8 x --heads ${heads}`)
  }
  return {
    config: { context, width, layers, heads },
    steps,
    batch,
    seed,
    muonRate: numbers['muon-rate'],
    adamRate: numbers['adam-rate'],
    saveEvery: numbers['save-every'],
  }
}

try {
  const gang = readGang(process.env)
  console.log(`worker ${gang.rank} of ${gang.size}, process ${process.pid}`)
  process.exit(await train(gang, readOptions(process.argv.slice(2))))
} catch (error) {
  console.error(`worker ${process.env.RANK ?? '?'}: ${error.message}`)
  process.exit(1)
}
