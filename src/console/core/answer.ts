import { useCallback, useEffect, useRef, useState } from 'preact/hooks'

/** What a page knows of something it asked for: nothing yet, data (perhaps of before), and the last failure. */
export interface Answer<Value> {
  readonly data: Value | undefined
  readonly error: Error | undefined
  readonly isLoading: boolean
  /** Asks again now. */
  readonly again: () => void
}

interface Options {
  /** Asks again this often, while the page is looked at. */
  readonly everyMs?: number
  /** Asks nothing until this is true. */
  readonly when?: boolean
}

/** What was last answered under each key, so that going back shows something at once. */
const kept = new Map<string, unknown>()
const MOST_KEPT = 200

/** Asks when shown and when the key changes, then repeatedly; an answer to an older question is dropped. */
export function useAnswer<Value>(
  key: string,
  ask: (signal: AbortSignal) => Promise<Value>,
  { everyMs, when = true }: Options = {},
): Answer<Value> {
  const [state, setState] = useState<{ key: string; data?: Value; error?: Error }>({ key })
  const [turn, setTurn] = useState(0)
  const asking = useRef(ask)
  asking.current = ask

  useEffect(() => {
    if (!when) return
    const over = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const tick = async () => {
      if (!document.hidden || !kept.has(key)) {
        try {
          const data = await asking.current(over.signal)
          if (over.signal.aborted) return
          keep(key, data)
          setState({ key, data })
        } catch (error) {
          if (over.signal.aborted) return
          setState((before) => ({
            ...(before.key === key ? before : { key }),
            error: error instanceof Error ? error : new Error(String(error)),
          }))
        }
      }
      if (everyMs !== undefined) timer = setTimeout(() => void tick(), everyMs)
    }
    void tick()
    return () => {
      over.abort(new DOMException('no longer shown', 'AbortError'))
      clearTimeout(timer)
    }
  }, [key, everyMs, when, turn])

  const isCurrent = state.key === key
  const data = (isCurrent ? state.data : undefined) ?? (kept.get(key) as Value | undefined)
  const error = isCurrent ? state.error : undefined
  return {
    data,
    error,
    isLoading: when && data === undefined && error === undefined,
    again: useCallback(() => setTurn((n) => n + 1), []),
  }
}

function keep(key: string, value: unknown): void {
  kept.delete(key)
  kept.set(key, value)
  const oldest = kept.keys().next()
  if (kept.size > MOST_KEPT && !oldest.done) kept.delete(oldest.value)
}
