// The text: the Markdown documents of the installed packages, which `npm ci` put under node_modules.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

// Lists of versions and names, legal text, and documents in other scripts would be much of a text this small.
const SKIPPED = /licen[cs]e|changelog|change_log|changes|history|authors|contributors|notice/i
const LEAST_ASCII = 0.98

/** The documents under `folder` (default: the nearest node_modules), joined in order of their paths, as bytes. */
export function loadCorpus(folder = nearestNodeModules()) {
  const seen = new Set()
  const documents = markdownFiles(folder)
    .map((file) => readFileSync(file))
    .filter((text) => text.filter((byte) => byte < 128).length >= text.length * LEAST_ASCII)
    .filter((text) => {
      const hash = createHash('sha256').update(text).digest('hex')
      return !seen.has(hash) && seen.add(hash)
    })
  if (documents.length === 0)
    throw new Error(
      `no Markdown documents under ${folder}; run npm ci, or set TINY_GPT_TEXT to a folder of them`,
    )
  return Buffer.concat(documents.flatMap((text) => [text, Buffer.from('\n\n')]))
}

/**
 * The bytes and their successors for sequences `first` to `last` (exclusive) of a step. They depend on nothing but
 * the seed, the step and the sequence's number: a resumed run, and one with another number of workers, sees the
 * same.
 */
export function loadBatch(corpus, { seed, step, first, last, context }) {
  const inputs = new Uint8Array((last - first) * context)
  const targets = new Uint8Array((last - first) * context)
  for (let sequence = first; sequence < last; sequence++) {
    const start = scramble(seed, step, sequence) % (corpus.length - context)
    const to = (sequence - first) * context
    inputs.set(corpus.subarray(start, start + context), to)
    targets.set(corpus.subarray(start + 1, start + context + 1), to)
  }
  return { inputs, targets }
}

/** A number below 2^53 that looks random, the same for the same three on every machine. */
function scramble(seed, step, sequence) {
  const digest = createHash('sha256').update(`${seed}/${step}/${sequence}`).digest()
  return digest.readUIntLE(0, 6)
}

function markdownFiles(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(md|markdown)$/i.test(entry.name) && !SKIPPED.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort()
}

function nearestNodeModules() {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules')
    if (existsSync(candidate)) return candidate
    if (folder === dirname(folder))
      throw new Error('no node_modules folder above this file; run npm ci, or set TINY_GPT_TEXT')
  }
}
