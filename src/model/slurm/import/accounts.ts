/** An account of `sacctmgr dump` with the accounts above it, outermost first, and its users. */
export interface SlurmAccount {
  readonly name: string
  readonly path: readonly string[]
  readonly settings: ReadonlyMap<string, string>
  readonly users: string[]
}

/** The accounts of a file that `sacctmgr dump CLUSTER` wrote; the root account itself is left out. */
export function readAccounts(text: string): SlurmAccount[] {
  const accounts = new Map<string, SlurmAccount>()
  let parent = 'root'
  for (const line of text.split('\n')) {
    const [, kind, name = '', rest = ''] = /^(\w+)\s*-\s*'?([^':]*)'?:?(.*)$/.exec(line.trim()) ?? []
    if (kind === undefined || line.trim().startsWith('#')) continue
    if (kind === 'Parent') parent = name
    else if (kind === 'User') accounts.get(parent)?.users.push(name)
    else if (kind === 'Account' && name !== 'root') {
      const above = accounts.get(parent)
      const path = above ? [...above.path, above.name] : []
      accounts.set(name, { name, path, settings: settingsOf(rest), users: [] })
    }
  }
  return [...accounts.values()]
}

function settingsOf(text: string): ReadonlyMap<string, string> {
  const found = [...text.matchAll(/([A-Za-z]\w*)=('[^']*'|[^:]*)/g)]
  return new Map(found.map(([, key = '', value = '']) => [key.toLowerCase(), value.replace(/^'|'$/g, '')]))
}

/** GPUs in a list of TRES such as `cpu=100,gres/gpu=64`; undefined when it limits none. */
export function gpusInTres(tres: string | undefined): number | undefined {
  const found = /(?:^|,)gres\/gpu=(\d+)/.exec(tres ?? '')
  return found ? Number(found[1]) : undefined
}
