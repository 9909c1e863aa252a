import type { ComponentChildren } from 'preact'

interface Props {
  readonly title: string
  /** What it rests on or where it is from, on hover. */
  readonly source?: string | undefined
  readonly children: ComponentChildren
}

/** One figure of a `dl` of the class `facts`. */
export function Fact({ title, source, children }: Props) {
  return (
    <div title={source}>
      <dt class={source === undefined ? '' : 'sourced'}>{title}</dt>
      <dd>{children}</dd>
    </div>
  )
}
