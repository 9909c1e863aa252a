import type { ComponentChildren } from 'preact'
import { go, hrefOf } from '../core/place.ts'

interface Props {
  readonly to: string
  readonly class?: string
  readonly isCurrent?: boolean
  readonly title?: string | undefined
  readonly style?: Readonly<Record<string, string>>
  readonly children: ComponentChildren
}

/** A link to a place in the console: a plain click stays on the page, all others are the browser's. */
export function Link({ to, class: className = '', isCurrent = false, title, style, children }: Props) {
  return (
    <a
      href={hrefOf(to)}
      class={className}
      aria-current={isCurrent ? 'page' : undefined}
      title={title}
      style={style}
      onClick={(event) => {
        if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
        event.preventDefault()
        go(to)
      }}
    >
      {children}
    </a>
  )
}
