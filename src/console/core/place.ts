import { createStore, useStore } from './store.ts'

/** Where the reader is: everything that a link needs to show the same again. */
export interface Place {
  /** Below the console's base, with a leading `/`. */
  readonly path: string
  readonly params: URLSearchParams
}

const BASE = '/console'
const place = createStore(read())
window.addEventListener('popstate', () => place.set(read()))

function read(): Place {
  const { pathname, search } = window.location
  const path = pathname.startsWith(BASE) ? pathname.slice(BASE.length) : pathname
  return { path: path === '' ? '/' : path, params: new URLSearchParams(search) }
}

export function usePlace(): Place {
  return useStore(place)
}

/** The address of a place in the console, for links. */
export function hrefOf(path: string): string {
  return `${BASE}${path}`
}

export function go(path: string, how: { readonly replace?: boolean } = {}): void {
  const before = place.get().path
  window.history[how.replace ? 'replaceState' : 'pushState'](null, '', hrefOf(path))
  place.set(read())
  if (place.get().path !== before) window.scrollTo(0, 0)
}

/** One value of the query, and what sets it; the default stands for an absent one. Setting replaces the history entry. */
export function useParam<Value extends string>(
  name: string,
  byDefault: Value,
): readonly [Value, (value: Value) => void] {
  const { params } = usePlace()
  return [
    (params.get(name) as Value | null) ?? byDefault,
    (value) => setParams({ [name]: value === byDefault ? undefined : value }),
  ]
}

export function setParams(changes: Readonly<Record<string, string | undefined>>): void {
  const { path, params } = place.get()
  const next = new URLSearchParams(params)
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined || value === '') next.delete(name)
    else next.set(name, value)
  }
  go(next.size > 0 ? `${path}?${next.toString()}` : path, { replace: true })
}
