import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { useSignedIn } from '../../core/session.ts'
import { ErrorNote } from '../../parts/notes.tsx'

/** Where reading begins, and what is kept on the page. */
const TAIL_BYTES = 30_000
const KEPT_CHARACTERS = 300_000
const DRAW_EVERY_MS = 150

interface Props {
  readonly workload: string
  readonly taskCount: number
}

/** The output of the tasks as it grows; it stays at the end unless the reader has scrolled up. */
export function Logs({ workload, taskCount }: Props) {
  const { client } = useSignedIn()
  const [task, setTask] = useState<number>()
  const [text, setText] = useState('')
  const [ended, setEnded] = useState<string>()
  const [error, setError] = useState<Error>()
  const box = useRef<HTMLPreElement>(null)
  const isAtEnd = useRef(true)

  useEffect(() => {
    const over = new AbortController()
    let all = ''
    let timer: ReturnType<typeof setTimeout> | undefined
    const show = () => {
      timer = undefined
      setText(all)
    }
    const follow = async () => {
      const question = { id: workload, tail: TAIL_BYTES, ...(task === undefined ? {} : { task }) }
      for await (const event of client.followLog(question, { signal: over.signal })) {
        if (event.type === 'end') setEnded(event.data.reason)
        else {
          const { task: rank, text: piece } = event.data
          const isMixed = task === undefined && taskCount > 1
          all = `${all}${isMixed ? ranked(rank, piece) : piece}`.slice(-KEPT_CHARACTERS)
          timer ??= setTimeout(show, DRAW_EVERY_MS)
        }
      }
    }
    setText('')
    setEnded(undefined)
    setError(undefined)
    follow().catch((reason: unknown) => {
      if (!over.signal.aborted) setError(reason instanceof Error ? reason : new Error(String(reason)))
    })
    return () => {
      over.abort(new DOMException('no longer shown', 'AbortError'))
      clearTimeout(timer)
    }
  }, [client, workload, task, taskCount])

  useLayoutEffect(() => {
    const { current } = box
    if (current && isAtEnd.current) current.scrollTop = current.scrollHeight
  }, [text])

  return (
    <section class="card" aria-label="Logs">
      <header>
        <h2>Logs</h2>
        {taskCount > 1 && (
          <label class="inline">
            Task
            <select
              value={task ?? ''}
              onChange={(event) => {
                const { value } = event.currentTarget
                setTask(value === '' ? undefined : Number(value))
              }}
            >
              <option value="">all {taskCount}</option>
              {Array.from({ length: Math.min(taskCount, 256) }, (_, rank) => (
                <option key={rank} value={rank}>
                  {rank}
                </option>
              ))}
            </select>
          </label>
        )}
      </header>
      <div class="card-body">
        {error && <ErrorNote error={error} />}
        <pre
          ref={box}
          class="log"
          role="log"
          aria-label="Output"
          onScroll={(event) => {
            const { scrollTop, scrollHeight, clientHeight } = event.currentTarget
            isAtEnd.current = scrollHeight - scrollTop - clientHeight < 24
          }}
        >
          {text === '' ? (ended === undefined ? 'Waiting for output …' : 'It wrote nothing.') : text}
        </pre>
        {ended !== undefined && <p class="hint">End: {ended}</p>}
      </div>
    </section>
  )
}

/** Each line with the rank of its task in front. */
function ranked(rank: number, piece: string): string {
  const lines = piece.endsWith('\n') ? piece.slice(0, -1) : piece
  return `${lines
    .split('\n')
    .map((line) => `[${rank}] ${line}`)
    .join('\n')}\n`
}
