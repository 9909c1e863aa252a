import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { ChatMessage } from '../../../api/client/chat.ts'
import { useSignedIn } from '../../core/session.ts'
import { numberText } from '../../core/values.ts'
import { Icon } from '../../parts/icon.tsx'
import { Link } from '../../parts/link.tsx'
import { ErrorNote } from '../../parts/notes.tsx'
import { PageHead } from '../../parts/page-head.tsx'

interface Settings {
  readonly system: string
  readonly temperature: number
  readonly maxTokens: number
}

/** A conversation with a served model, which goes away with the page. */
export function Chat({ model }: { readonly model: string }) {
  const { client } = useSignedIn()
  const [messages, setMessages] = useState<readonly ChatMessage[]>([])
  const [draft, setDraft] = useState('')
  const [settings, setSettings] = useState<Settings>({ system: '', temperature: 0.7, maxTokens: 256 })
  const [answering, setAnswering] = useState<AbortController>()
  const [pace, setPace] = useState<string>()
  const [error, setError] = useState<Error>()
  const end = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => end.current?.scrollIntoView({ block: 'nearest' }), [messages])
  useEffect(() => () => answering?.abort(), [answering])

  const ask = async () => {
    const content = draft.trim()
    if (content === '' || answering) return
    const said: readonly ChatMessage[] = [...messages, { role: 'user', content }]
    const over = new AbortController()
    setDraft('')
    setError(undefined)
    setAnswering(over)
    setMessages([...said, { role: 'assistant', content: '' }])
    let answer = ''
    let pieces = 0
    const begun = performance.now()
    try {
      const system: readonly ChatMessage[] = settings.system
        ? [{ role: 'system', content: settings.system }]
        : []
      const request = {
        model,
        messages: [...system, ...said],
        max_tokens: settings.maxTokens,
        temperature: settings.temperature,
      }
      for await (const piece of client.chat(request, { signal: over.signal })) {
        answer += piece
        pieces++
        setMessages([...said, { role: 'assistant', content: answer }])
      }
      const seconds = (performance.now() - begun) / 1000
      setPace(`${numberText(pieces)} pieces in ${seconds.toFixed(1)} s`)
    } catch (failure) {
      if (!over.signal.aborted) setError(failure as Error)
      setMessages(answer === '' ? said : [...said, { role: 'assistant', content: answer }])
    } finally {
      setAnswering(undefined)
    }
  }

  return (
    <div class="chat">
      <PageHead title={model}>
        <Link class="button" to="/models">
          All models
        </Link>
        <button type="button" disabled={messages.length === 0} onClick={() => setMessages([])}>
          Begin anew
        </button>
      </PageHead>
      <details>
        <summary>System prompt and parameters</summary>
        <div class="form card card-body">
          <label>
            System prompt
            <textarea
              rows={2}
              value={settings.system}
              onInput={(event) => setSettings({ ...settings, system: event.currentTarget.value })}
            />
          </label>
          <label>
            Temperature
            <input
              type="number"
              min="0"
              max="2"
              step="0.1"
              value={settings.temperature}
              onInput={(event) =>
                setSettings({ ...settings, temperature: event.currentTarget.valueAsNumber })
              }
            />
          </label>
          <label>
            Tokens at most
            <input
              type="number"
              min="1"
              max="100000"
              value={settings.maxTokens}
              onInput={(event) => setSettings({ ...settings, maxTokens: event.currentTarget.valueAsNumber })}
            />
          </label>
        </div>
      </details>
      <div class="messages" role="log" aria-label="Conversation">
        {messages.length === 0 && <p class="note">Say something to {model}.</p>}
        {messages.map(({ role, content }, index) => (
          <p key={`${role} ${index}`} class={role}>
            <b class="hidden">{role === 'user' ? 'You' : model}: </b>
            {content || (answering && index === messages.length - 1 ? '…' : '')}
          </p>
        ))}
        <div ref={end} />
      </div>
      {error && <ErrorNote error={error} />}
      {pace && !answering && <p class="hint">{pace}</p>}
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void ask()
        }}
      >
        <textarea
          aria-label="Message"
          rows={2}
          placeholder="Message  (Enter sends, Shift-Enter makes a line)"
          value={draft}
          onInput={(event) => setDraft(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
            event.preventDefault()
            void ask()
          }}
        />
        {answering ? (
          <button type="button" onClick={() => answering.abort()}>
            Stop
          </button>
        ) : (
          <button type="submit" class="primary" aria-label="Send">
            <Icon name="up" />
          </button>
        )}
      </form>
    </div>
  )
}
