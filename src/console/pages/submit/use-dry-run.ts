import { useEffect, useRef, useState } from 'preact/hooks'
import type { Submitted } from '../../../api/wire/workload.ts'
import { type Answer, useAnswer } from '../../core/answer.ts'
import { useSignedIn } from '../../core/session.ts'

/** How long the text must rest before the server is asked. */
const REST_MS = 500

interface Question {
  /** The spec; nothing is asked while there is none. */
  readonly text: string | undefined
  readonly team: string
  readonly everyMs?: number
}

/** What submitting the text would lead to; until that is known what the text before would have, as old. */
export function useDryRun({ text, team, everyMs }: Question): {
  readonly answer: Answer<Submitted>
  readonly isOld: boolean
} {
  const { client } = useSignedIn()
  const [asked, setAsked] = useState(text)
  useEffect(() => {
    const timer = setTimeout(() => setAsked(text), REST_MS)
    return () => clearTimeout(timer)
  }, [text])
  const answer = useAnswer(
    `dry/${team}/${asked ?? ''}`,
    (signal) =>
      client.submitWorkload(
        { spec: asked ?? '', dryRun: true, ...(team === '' ? {} : { team }) },
        { signal },
      ),
    { when: text !== undefined && asked !== undefined, ...(everyMs === undefined ? {} : { everyMs }) },
  )
  const last = useRef<Submitted | undefined>(undefined)
  if (answer.data) last.current = answer.data
  const isPending = answer.data === undefined && answer.error === undefined
  return {
    answer: isPending && last.current ? { ...answer, data: last.current } : answer,
    isOld: asked !== text || isPending,
  }
}
