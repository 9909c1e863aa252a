import { useState } from 'preact/hooks'

/** Something that is done once a button is pressed. */
export interface Task<Value> {
  readonly result: Value | undefined
  readonly error: Error | undefined
  readonly isBusy: boolean
  readonly run: (work: () => Promise<Value>) => void
  readonly clear: () => void
}

export function useTask<Value>(): Task<Value> {
  const [state, setState] = useState<Pick<Task<Value>, 'result' | 'error' | 'isBusy'>>(IDLE)
  return {
    ...state,
    run: (work) => {
      setState((before) => ({ ...before, error: undefined, isBusy: true }))
      work().then(
        (result) => setState({ result, error: undefined, isBusy: false }),
        (reason: unknown) => {
          const error = reason instanceof Error ? reason : new Error(String(reason))
          setState({ result: undefined, error, isBusy: false })
        },
      )
    },
    clear: () => setState(IDLE),
  }
}

const IDLE = { result: undefined, error: undefined, isBusy: false }
