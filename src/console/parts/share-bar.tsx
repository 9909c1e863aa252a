import { numberText } from '../core/values.ts'

interface Props {
  readonly held: number
  readonly guaranteed: number
  /** What the whole length stands for. */
  readonly most: number
}

/** What is held against what is guaranteed: up to the mark it is one's own, beyond it borrowed. */
export function ShareBar({ held, guaranteed, most }: Props) {
  const percent = (value: number) => `${Math.min(100, (value / Math.max(most, 1)) * 100)}%`
  return (
    <div class="bar" title={`${numberText(held)} held, ${numberText(guaranteed)} guaranteed`}>
      {held > guaranteed && <span class="second" style={{ width: percent(held) }} />}
      <span style={{ width: percent(Math.min(held, guaranteed)) }} />
      {guaranteed > 0 && <i style={{ left: `calc(${percent(guaranteed)} - 2px)` }} />}
    </div>
  )
}
