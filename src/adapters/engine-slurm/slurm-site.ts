import type { DurationMs } from '../../base/index.ts'
import { MINUTE_MS } from '../../base/index.ts'
import { type SlurmTopology, topologyOf } from '../../model/slurm/switch-tree.ts'
import { parseTopology } from '../../model/slurm/topology-yaml.ts'
import type { SlurmPartition, SlurmTransport } from './transport.ts'

const GOOD_FOR_MS: DurationMs = 5 * MINUTE_MS

/** What changes rarely at a site. */
export interface Site {
  readonly partition: SlurmPartition
  readonly topology: SlurmTopology
}

/** Which partition is scheduled, and how its nodes hang together; asked for anew every few minutes. */
export class SlurmSite {
  readonly #transport: SlurmTransport
  readonly #wanted: { readonly partition: string | undefined; readonly topology: string | undefined }
  #known: { readonly site: Site; readonly at: number } | undefined

  constructor(
    transport: SlurmTransport,
    wanted: { readonly partition: string | undefined; readonly topology: string | undefined },
  ) {
    this.#transport = transport
    this.#wanted = wanted
  }

  async know(): Promise<Site> {
    const now = performance.now()
    if (!this.#known || now - this.#known.at > GOOD_FOR_MS) this.#known = { site: await this.#ask(), at: now }
    return this.#known.site
  }

  async #ask(): Promise<Site> {
    const { partition: wanted, topology: given } = this.#wanted
    const partitions = await this.#transport.partitions()
    // Newer versions of the REST interface do not say which partition is the default one.
    const [only] = partitions.length === 1 ? partitions : []
    const partition =
      wanted === undefined
        ? (partitions.find(({ isDefault }) => isDefault) ?? only)
        : partitions.find(({ name }) => name === wanted)
    if (!partition) {
      const names = partitions.map(({ name }) => name).join(', ')
      throw new Error(
        wanted === undefined
          ? `Slurm names no default partition; choose one with --slurm-partition: ${names}`
          : `Slurm has no partition "${wanted}"; it has ${names}`,
      )
    }
    const switches = parseTopology(given ?? (await this.#transport.topology()) ?? '')
    if (!switches.ok) throw new Error(switches.error)
    return { partition, topology: topologyOf(switches.value, 'slurm') }
  }
}
