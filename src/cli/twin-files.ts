import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { Scenario } from '../twin/index.ts'
import { CliFailure } from './failure.ts'
import { whyUnreadable } from './file-failure.ts'

/** The text of each file that a scenario reads, and when second 0 of its traces was, where that is said. */
export interface Files {
  readonly texts: ReadonlyMap<string, string>
  readonly epochMs?: number
}

/** Throws a `CliFailure` for a file that cannot be read, and for an `--epoch` that is none. */
export function readFiles(scenario: Scenario, epoch: string | undefined): Files {
  const texts = new Map<string, string>()
  for (const source of scenario.workloads) {
    const file =
      source.kind === 'trace' ? source.file : source.kind === 'serve' ? source.requests.file : undefined
    if (file !== undefined) texts.set(file, readTrace(file))
  }
  if (epoch === undefined) return { texts }
  const epochMs = Date.parse(/T.*(Z|[+-]\d\d:\d\d)$|^\d{4}-\d\d-\d\d$/.test(epoch) ? epoch : `${epoch}Z`)
  if (Number.isNaN(epochMs))
    throw new CliFailure('usage', `--epoch is "${epoch}"; write for example 2017-09-04T10:35:00Z`)
  return { texts, epochMs }
}

/** The text of a file; what begins with gzip's magic number is unpacked. */
function readTrace(file: string): string {
  try {
    const bytes = readFileSync(file)
    return (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString('utf8')
  } catch (error) {
    throw new CliFailure('usage', `cannot read ${file}: ${whyUnreadable(error)}`)
  }
}
