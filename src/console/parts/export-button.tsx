import { useState } from 'preact/hooks'

interface Props {
  readonly name: string
  readonly save: () => Promise<void>
}

/** Fetches a file and gives it to the reader, or says why not. */
export function ExportButton({ name, save }: Props) {
  const [state, setState] = useState<'ready' | 'busy' | Error>('ready')
  return (
    <>
      <button
        type="button"
        disabled={state === 'busy'}
        onClick={() => {
          setState('busy')
          save().then(
            () => setState('ready'),
            (error: unknown) => setState(error instanceof Error ? error : new Error(String(error))),
          )
        }}
      >
        {name}
      </button>
      {state instanceof Error && (
        <span class="stale" role="alert">
          Not exported: {state.message}
        </span>
      )}
    </>
  )
}
