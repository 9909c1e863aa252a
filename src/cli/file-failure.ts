import { accessSync, constants, existsSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { CliFailure } from './failure.ts'

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'permission denied',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota on the disk is used up',
  EFBIG: 'it would be larger than a file may be here',
  ERR_STRING_TOO_LONG: 'it is larger than Banyan can read',
  Z_BUF_ERROR: 'its gzip data ends in the middle; get the file again',
  Z_DATA_ERROR: 'its gzip data is damaged; get the file again',
}

/** Why a file could not be read, in words. */
export function whyUnreadable(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return REASONS[code] ?? (error instanceof Error ? error.message : String(error))
}

/** Why a file could not be written, in words. */
export function whyUnwritable(error: unknown): string {
  const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
  return isMissing ? 'there is no such folder' : whyUnreadable(error)
}

/** Refuses a file that could not be written, before the work whose result it is to hold. */
export function checkWritable(file: string): void {
  try {
    if (existsSync(file)) {
      if (statSync(file).isDirectory()) throw new CliFailure('usage', `cannot write ${file}: it is a folder`)
      accessSync(file, constants.W_OK)
    } else accessSync(dirname(file), constants.W_OK)
  } catch (error) {
    throw error instanceof CliFailure ? error : unwritable(file, error)
  }
}

/** Writes what a command was asked to write. */
export function writeOutput(file: string, text: string): void {
  try {
    writeFileSync(file, text)
  } catch (error) {
    throw unwritable(file, error)
  }
}

function unwritable(file: string, error: unknown): CliFailure {
  return new CliFailure('usage', `cannot write ${file}: ${whyUnwritable(error)}`)
}
