import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Client } from '../../../src/api/index.ts'
import { ServerProcess, type ServerProcessOptions } from '../../server/server-process.ts'
import { SlurmCluster } from '../../slurm/slurm-cluster.ts'

type Size = Parameters<typeof SlurmCluster.start>[0]

/** A Slurm with a folder that its nodes and Banyan's servers share. */
export class SlurmSite {
  readonly cluster: SlurmCluster
  readonly folder: string
  readonly servers: ServerProcess[] = []

  private constructor(cluster: SlurmCluster, folder: string) {
    this.cluster = cluster
    this.folder = folder
  }

  static async open(size: Size): Promise<SlurmSite> {
    const cluster = await SlurmCluster.start(size)
    return new SlurmSite(cluster, await mkdtemp(join(tmpdir(), 'banyan-site-')))
  }

  /** A server over this Slurm; several with a database share it. */
  server(
    name: string,
    more: Partial<ServerProcessOptions> = {},
    args: readonly string[] = [],
  ): ServerProcess {
    const server = new ServerProcess({
      dataDir: join(this.folder, name),
      args: ['--engine', 'slurm', '--slurm-dir', join(this.folder, 'shared'), ...args],
      env: this.cluster.env,
      ...more,
    })
    this.servers.push(server)
    return server
  }

  async close(): Promise<void> {
    for (const server of this.servers) if (server.child.exitCode === null) await server.end('SIGKILL')
    await this.cluster.stop()
    await rm(this.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }
}

/** Resolves with the workload when the condition holds; it is told by the server's own events. */
export async function when(
  client: Client,
  id: string,
  holds: (workload: Awaited<ReturnType<Client['getWorkload']>>) => boolean,
) {
  const over = new AbortController()
  try {
    for await (const _ of client.followEvents({ workload: id, after: 0 }, { signal: over.signal })) {
      const workload = await client.getWorkload({ id })
      if (holds(workload)) return workload
      if (/succeeded|failed|cancelled/.test(workload.state)) {
        throw new Error(`${id} is ${workload.state}: ${workload.stateReason}`)
      }
    }
    throw new Error(`the events of ${id} ended`)
  } finally {
    over.abort()
  }
}

export async function submitOne(client: Client, spec: object, folder: string): Promise<string> {
  const { workloads } = await client.submitWorkload({
    spec: JSON.stringify(spec),
    file: 'spec.json',
    folder,
    set: {},
    dryRun: false,
  })
  return workloads[0]!.id
}
