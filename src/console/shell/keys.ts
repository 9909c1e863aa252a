import { useEffect } from 'preact/hooks'
import { FIRST_PAGE, type Page } from '../core/pages.ts'
import { go } from '../core/place.ts'
import { toggleTheme } from '../core/theme.ts'

/** How long after `g` the second key may come. */
const SEQUENCE_MS = 1_200

/** Keys that work everywhere but in text: `/` to search, `g` and a letter to go, `t` for the theme, `?` for all of them. */
export function useKeys(
  pages: readonly Page[],
  actions: { readonly search: () => void; readonly help: () => void },
): void {
  useEffect(() => {
    let leaderAt = Number.NEGATIVE_INFINITY
    const onKey = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key === 'k') {
        event.preventDefault()
        return actions.search()
      }
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
      const isSequence = event.timeStamp - leaderAt < SEQUENCE_MS
      leaderAt = Number.NEGATIVE_INFINITY
      if (isSequence) {
        const page = pages.find(({ key }) => key === event.key)
        if (page) go(page.path)
        else if (event.key === 'h') go(FIRST_PAGE)
        return
      }
      if (event.key === 'g') leaderAt = event.timeStamp
      else if (event.key === '/') {
        event.preventDefault()
        const field = document.querySelector<HTMLInputElement>('[data-search]')
        if (field) field.focus()
        else actions.search()
      } else if (event.key === 't') toggleTheme()
      else if (event.key === '?') actions.help()
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [pages, actions])
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  return target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName)
}
