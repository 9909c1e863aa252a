// Checkpoints: a line of JSON, then the float32 arrays it names, one after the other. A file has its final name only
// once it is whole and on the disk.
import { createHash } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'

const KEPT = 2
const NAME = /^step-\d{8}\.ckpt$/

/** Writes `{step, config, ...}` and the named arrays durably; returns the path. Older ones than the last two go. */
export function saveCheckpoint(folder, header, arrays) {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, `step-${String(header.step).padStart(8, '0')}.ckpt`)
  const beside = `${path}.${process.pid}.part`
  const body = Buffer.concat(
    Object.values(arrays).map((array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength)),
  )
  const lengths = Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, array.length]))
  const line = JSON.stringify({ ...header, arrays: lengths, sha256: digest(body) })
  const file = openSync(beside, 'w')
  try {
    writeAll(file, Buffer.concat([Buffer.from(`${line}\n`), body]))
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(beside, path)
  syncFolder(folder)
  for (const name of checkpointNames(folder).slice(KEPT)) rmSync(join(folder, name), { force: true })
  return path
}

/** The newest checkpoint that is whole as `{path, header, arrays}`, or undefined. Says on stderr what it passes over. */
export function loadNewestCheckpoint(folder) {
  for (const name of checkpointNames(folder)) {
    const path = join(folder, name)
    try {
      return { path, ...readCheckpoint(path) }
    } catch (error) {
      console.error(`passing over ${path}: ${error.message}`)
    }
  }
}

function readCheckpoint(path) {
  const bytes = readFileSync(path)
  const endOfLine = bytes.indexOf('\n')
  const header = JSON.parse(bytes.toString('utf8', 0, endOfLine))
  const body = bytes.subarray(endOfLine + 1)
  if (digest(body) !== header.sha256) throw new Error('its contents do not match their checksum')
  let at = 0
  const arrays = {}
  for (const [name, length] of Object.entries(header.arrays)) {
    arrays[name] = new Float32Array(length)
    Buffer.from(arrays[name].buffer).set(body.subarray(at, at + 4 * length))
    at += 4 * length
  }
  return { header, arrays }
}

/** Newest first. */
function checkpointNames(folder) {
  try {
    return readdirSync(folder)
      .filter((name) => NAME.test(name))
      .sort()
      .reverse()
  } catch (error) {
    if (error.code === 'ENOENT') return []
    throw error
  }
}

function digest(bytes) {
  return createHash('sha256').update(bytes).digest('hex')
}

function writeAll(file, bytes) {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
}

/** Makes the rename itself durable. */
function syncFolder(folder) {
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}
