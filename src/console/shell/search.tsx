import { useState } from 'preact/hooks'
import type { WorkloadView } from '../../api/wire/workload.ts'
import { useAnswer } from '../core/answer.ts'
import type { Page } from '../core/pages.ts'
import { go } from '../core/place.ts'
import { useSignedIn } from '../core/session.ts'
import { Dialog } from '../parts/dialog.tsx'

interface Hit {
  readonly to: string
  readonly title: string
  readonly detail: string
}

const MOST_HITS = 12
const WORKLOADS_SEARCHED = 1_000

/** Finds pages, workloads and nodes by any part of their names. */
export function Search({
  pages,
  onClose,
}: {
  readonly pages: readonly Page[]
  readonly onClose: () => void
}) {
  const { client } = useSignedIn()
  const [text, setText] = useState('')
  const [chosen, setChosen] = useState(0)
  const workloads = useAnswer('search/workloads', (signal) =>
    client.listWorkloads({ limit: WORKLOADS_SEARCHED }, { signal }),
  )
  const machine = useAnswer('search/machine', (signal) => client.getMachine({}, { signal }))
  const hits = hitsOf(
    text.trim().toLowerCase(),
    pages,
    workloads.data?.items ?? [],
    machine.data?.nodes ?? [],
  )
  const at = Math.min(chosen, hits.length - 1)
  const open = (hit: Hit | undefined) => {
    if (!hit) return
    onClose()
    go(hit.to)
  }
  return (
    <Dialog title="Search" onClose={onClose} class="search">
      <input
        type="search"
        aria-label="Workload, node or page"
        aria-controls="search-hits"
        placeholder="A workload, a node or a page"
        autofocus
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value)
          setChosen(0)
        }}
        onKeyDown={(event) => {
          if (event.key === 'ArrowDown') setChosen(Math.min(at + 1, hits.length - 1))
          else if (event.key === 'ArrowUp') setChosen(Math.max(at - 1, 0))
          else if (event.key === 'Enter') open(hits[at])
          else return
          event.preventDefault()
        }}
      />
      <ul id="search-hits" aria-live="polite">
        {hits.map((hit, index) => (
          <li key={hit.to} data-chosen={index === at}>
            <button type="button" class="plain" onClick={() => open(hit)}>
              <span>{hit.title}</span> <span class="muted">{hit.detail}</span>
            </button>
          </li>
        ))}
      </ul>
      {hits.length === 0 && <p class="muted">Nothing of that name.</p>}
    </Dialog>
  )
}

function hitsOf(
  text: string,
  all: readonly Page[],
  workloads: readonly WorkloadView[],
  nodes: readonly { readonly id: string; readonly state: string }[],
): Hit[] {
  const has = (...names: readonly string[]) => names.some((name) => name.toLowerCase().includes(text))
  const pages = all
    .filter(({ title }) => has(title))
    .map(({ path, title, key }) => ({
      to: path,
      title,
      detail: `page, g ${key}`,
    }))
  if (text === '') return pages.slice(0, MOST_HITS)
  const found = workloads
    .filter(({ id, spec, owner }) => has(id, spec.name, owner.user))
    .slice(0, MOST_HITS)
    .map(({ id, spec, state, owner }) => ({
      to: `/workloads/${encodeURIComponent(id)}`,
      title: `${id} ${spec.name}`,
      detail: `${state}, ${owner.user}`,
    }))
  const there = nodes
    .filter(({ id }) => has(id))
    .slice(0, MOST_HITS)
    .map(({ id, state }) => ({
      to: `/machine?node=${encodeURIComponent(id)}`,
      title: id,
      detail: `node, ${state}`,
    }))
  return [...pages, ...found, ...there].slice(0, MOST_HITS)
}
