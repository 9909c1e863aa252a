import { createStore, useStore } from './store.ts'

export type Theme = 'light' | 'dark'

const KEY = 'banyan.theme'
const system = window.matchMedia('(prefers-color-scheme: dark)')
const theme = createStore<Theme>(chosen() ?? ofSystem())
system.addEventListener('change', () => {
  if (chosen() === undefined) apply(ofSystem())
})
apply(theme.get())

export function useTheme(): Theme {
  return useStore(theme)
}

export function toggleTheme(): void {
  const next = theme.get() === 'dark' ? 'light' : 'dark'
  window.localStorage.setItem(KEY, next)
  apply(next)
}

function apply(value: Theme): void {
  document.documentElement.dataset.theme = value
  theme.set(value)
}

function chosen(): Theme | undefined {
  const value = window.localStorage.getItem(KEY)
  return value === 'light' || value === 'dark' ? value : undefined
}

function ofSystem(): Theme {
  return system.matches ? 'dark' : 'light'
}
