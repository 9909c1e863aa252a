import type { ComponentChildren } from 'preact'
import { useEffect } from 'preact/hooks'

interface Props {
  readonly title: string
  readonly lead?: string
  readonly children?: ComponentChildren
}

/** The name of the page, also of the tab, with what can be done from here. */
export function PageHead({ title, lead, children }: Props) {
  useEffect(() => {
    document.title = `${title} · Banyan`
  }, [title])
  return (
    <div class="page-head">
      <h1>{title}</h1>
      {children}
      {lead && <p class="lead">{lead}</p>}
    </div>
  )
}
