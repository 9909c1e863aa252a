import { useEffect, useState } from 'preact/hooks'
import type { LoggedEventView } from '../../../api/wire/event.ts'
import { useSignedIn } from '../../core/session.ts'

const DRAW_EVERY_MS = 300

/** Everything that happened to a workload, from the beginning and on as it happens. */
export function useEvents(workload: string): {
  readonly events: readonly LoggedEventView[]
  readonly error: Error | undefined
} {
  const { client } = useSignedIn()
  const [events, setEvents] = useState<readonly LoggedEventView[]>([])
  const [error, setError] = useState<Error>()
  useEffect(() => {
    const over = new AbortController()
    const all: LoggedEventView[] = []
    let timer: ReturnType<typeof setTimeout> | undefined
    const follow = async () => {
      for await (const { type, data } of client.followEvents(
        { workload, after: 0 },
        { signal: over.signal },
      )) {
        if (type !== 'event') throw new Error('the server broke off')
        all.push(data)
        timer ??= setTimeout(() => {
          timer = undefined
          setEvents([...all])
        }, DRAW_EVERY_MS)
      }
    }
    follow().catch((reason: unknown) => {
      if (!over.signal.aborted) setError(reason instanceof Error ? reason : new Error(String(reason)))
    })
    return () => {
      over.abort(new DOMException('no longer shown', 'AbortError'))
      clearTimeout(timer)
    }
  }, [client, workload])
  return { events, error }
}
