import { fsyncSync } from 'node:fs'
import { PGlite as Embedded, type PGlite, type PGliteOptions } from '@electric-sql/pglite'
import { NodeFS } from '@electric-sql/pglite/nodefs'

/**
 * PGlite as it comes starts PostgreSQL with fsync off, and its file system has no fsync to call: what it acknowledges
 * survives the process, not the machine. These two together make a commit wait until the disk has it.
 * `fdatasync` does nothing in that build, hence the sync method.
 */
const DURABLE_START: readonly string[] = [
  ...Embedded.defaultStartParams.filter((parameter) => parameter !== '-F'),
  '-c',
  'wal_sync_method=fsync',
  // The disk cache of the system stands behind it. The default of 128 MB was not faster at 100,000 workloads.
  '-c',
  'shared_buffers=48MB',
]

interface EmscriptenStream {
  readonly nfd: number
}

/** What of PGlite's inside is relied on here. */
export interface EmscriptenModule {
  readonly FS: {
    readonly filesystems: {
      readonly NODEFS: { readonly stream_ops: { fsync?: (stream: EmscriptenStream) => number } }
    }
  }
}

class DurableFolder extends NodeFS {
  override async init(database: PGlite, options: Parameters<NodeFS['init']>[1]) {
    const { emscriptenOpts } = await super.init(database, options)
    const preRun = [emscriptenOpts.preRun ?? []].flat()
    return { emscriptenOpts: { ...emscriptenOpts, preRun: [...preRun, addFsync] } as typeof emscriptenOpts }
  }
}

function addFsync(module: EmscriptenModule): void {
  module.FS.filesystems.NODEFS.stream_ops.fsync = (stream) => {
    fsyncSync(stream.nfd)
    return 0
  }
}

export function openFolder(folder: string, onStderr: (line: string) => void): Promise<PGlite> {
  const options: PGliteOptions = {
    fs: new DurableFolder(folder),
    startParams: [...DURABLE_START],
    onStderr: (line) => {
      onStderr(line)
      return false
    },
  }
  return Embedded.create(options)
}
