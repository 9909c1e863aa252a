/** Names of the levels of a cluster's tree of domains, outermost first; the last is always `node`. */
export interface ClusterDescription {
  readonly name: string
  readonly levels: readonly string[]
}

export const NODE_LEVEL = 'node'

/** One machine under one block under one site: the tree of the local engine. */
export const LOCAL_LEVELS: readonly string[] = ['site', NODE_LEVEL]
