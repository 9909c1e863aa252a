import { useEffect, useState } from 'preact/hooks'
import { setServerClock } from '../../core/clock.ts'
import { useSignedIn } from '../../core/session.ts'
import { MachineModel } from './machine-model.ts'

/** The live machine: the model is changed in place, and `turn` counts the changes. */
export interface MachineFeed {
  readonly model: MachineModel | undefined
  readonly turn: number
  readonly error: Error | undefined
  readonly again: () => void
}

/** How often the page is drawn anew, however often the server tells of something. */
const DRAW_EVERY_MS = 250

/** Follows the machine while the page is shown. */
export function useMachine(): MachineFeed {
  const { client } = useSignedIn()
  const [shown, setShown] = useState<Pick<MachineFeed, 'model' | 'turn'>>({ model: undefined, turn: 0 })
  const [error, setError] = useState<Error>()
  const [tries, setTries] = useState(0)
  useEffect(() => {
    const over = new AbortController()
    let model: MachineModel | undefined
    let turn = 0
    let timer: ReturnType<typeof setTimeout> | undefined
    const show = () => {
      timer = undefined
      setShown({ model, turn })
    }
    const follow = async () => {
      for await (const { type, data } of client.followMachine({}, { signal: over.signal })) {
        if (type === 'machine') model = new MachineModel(data)
        else if (type === 'change') model?.apply(data)
        else throw new Error('the server broke off')
        setServerClock(data.at)
        turn++
        setError(undefined)
        timer ??= setTimeout(show, turn === 1 ? 0 : DRAW_EVERY_MS)
      }
    }
    follow().catch((reason: unknown) => {
      if (!over.signal.aborted) setError(reason instanceof Error ? reason : new Error(String(reason)))
    })
    return () => {
      over.abort(new DOMException('no longer shown', 'AbortError'))
      clearTimeout(timer)
    }
  }, [client, tries])
  return { ...shown, error, again: () => setTries((n) => n + 1) }
}
