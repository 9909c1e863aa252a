import { useMemo, useState } from 'preact/hooks'
import { setParams, usePlace } from '../../core/place.ts'
import { countText, numberText, percentText } from '../../core/values.ts'
import { Link } from '../../parts/link.tsx'
import { Empty, ErrorNote, Loading } from '../../parts/notes.tsx'
import { PageHead } from '../../parts/page-head.tsx'
import { MODES, type Mode, type Swatch } from './colouring.ts'
import { type Found, find } from './finding.ts'
import { MachineCanvas } from './machine-canvas.tsx'
import { useMachine } from './machine-feed.ts'
import { FREE, type MachineModel } from './machine-model.ts'
import { MachineTable } from './machine-table.tsx'
import { NodePanel } from './node-panel.tsx'

const MODE_NAMES: Readonly<Record<Mode, string>> = {
  tenant: 'tenant',
  workload: 'workload',
  type: 'type of work',
  state: 'state of work',
  health: 'health of nodes',
  use: 'share in use',
}

/** Every GPU of the machine at a glance: whose it is, what it does, how it is. */
export function MachinePage() {
  const { model, turn, error, again } = useMachine()
  return (
    <>
      <PageHead title="Machine" />
      {error && <ErrorNote error={error} again={again} />}
      {model ? <Machine model={model} turn={turn} /> : !error && <Loading what="the machine" />}
    </>
  )
}

function Machine({ model, turn }: { readonly model: MachineModel; readonly turn: number }) {
  const { params } = usePlace()
  const [legend, setLegend] = useState<readonly Swatch[]>([])
  const mode = MODES.find((each) => each === params.get('by')) ?? 'tenant'
  const text = params.get('find') ?? ''
  const within = useMemo(() => pathOf(params.get('at')), [params.get('at')])
  const found = useMemo(() => find(model, text), [model, turn, text])
  const chosenNode = model.indexOfNode(params.get('node') ?? '')
  if (model.nodes.length === 0) {
    return (
      <Empty title="The machine has no nodes yet">
        <p>They appear when its engine has told of them.</p>
      </Empty>
    )
  }
  return (
    <div class="stack">
      <Facts model={model} />
      <div class="row machine-tools">
        <label class="inline">
          Colour by
          <select
            value={mode}
            onChange={(event) =>
              setParams({
                by: event.currentTarget.value === 'tenant' ? undefined : event.currentTarget.value,
              })
            }
          >
            {MODES.map((each) => (
              <option key={each} value={each}>
                {MODE_NAMES[each]}
              </option>
            ))}
          </select>
        </label>
        <input
          type="search"
          data-search
          class="find"
          aria-label="Find a workload, user, team or node"
          placeholder="Find a workload, user, team or node  ( / )"
          value={text}
          onInput={(event) => setParams({ find: event.currentTarget.value })}
        />
        <Crumbs within={within} model={model} />
      </div>
      {found && <FoundLine found={found} text={text} />}
      <div class="machine-area" data-panel={chosenNode !== undefined}>
        <div class="card machine-card">
          <MachineCanvas
            model={model}
            turn={turn}
            mode={mode}
            within={within}
            found={found}
            chosenNode={chosenNode}
            onLegend={setLegend}
            onChoose={(node) => setParams({ node: model.nodes[node]?.id })}
            onZoom={(path) => setParams({ at: addressOf(path) })}
          />
          <Legend swatches={legend} text={text} />
        </div>
        {chosenNode !== undefined && (
          <NodePanel
            node={model.nodes[chosenNode]!}
            domains={model.domainsOf(chosenNode)}
            turn={turn}
            onClose={() => setParams({ node: undefined })}
          />
        )}
      </div>
      <MachineTable model={model} turn={turn} within={within} found={found} />
    </div>
  )
}

function Facts({ model }: { readonly model: MachineModel }) {
  let held = 0
  for (const slot of model.holder) if (slot !== FREE) held++
  const ready = model.nodes.filter(({ state }) => state === 'ready').length
  const running = new Set(model.slots.flatMap((attempt) => attempt?.workload ?? [])).size
  const kinds = [...new Set(model.kinds.map(({ gpuModel }) => gpuModel))].join(', ')
  return (
    <dl class="facts">
      <div>
        <dt>GPUs in use</dt>
        <dd>
          {numberText(held)} <span class="muted">of {numberText(model.gpuCount)}</span>
        </dd>
      </div>
      <div>
        <dt>In use</dt>
        <dd>{percentText(model.gpuCount === 0 ? 0 : held / model.gpuCount)}</dd>
      </div>
      <div>
        <dt>Nodes ready</dt>
        <dd>
          {numberText(ready)} <span class="muted">of {numberText(model.nodes.length)}</span>
        </dd>
      </div>
      <div>
        <dt>Workloads on it</dt>
        <dd>{numberText(running)}</dd>
      </div>
      <div>
        <dt>GPU</dt>
        <dd>{kinds}</dd>
      </div>
    </dl>
  )
}

function Crumbs({ within, model }: { readonly within: readonly string[]; readonly model: MachineModel }) {
  if (within.length === 0)
    return <span class="hint">A name or a double click looks closer; a click tells of a node.</span>
  return (
    <nav class="crumbs" aria-label="Place in the machine">
      <button type="button" class="plain" onClick={() => setParams({ at: undefined })}>
        Whole machine
      </button>
      {within.map((name, depth) => (
        <button
          type="button"
          class="plain"
          key={name}
          aria-current={depth === within.length - 1 ? 'location' : undefined}
          title={model.levels[depth]}
          onClick={() => setParams({ at: addressOf(within.slice(0, depth + 1)) })}
        >
          / {name}
        </button>
      ))}
    </nav>
  )
}

function FoundLine({ found, text }: { readonly found: Found; readonly text: string }) {
  const [only] = found.workloads
  if (found.gpus === 0) {
    return (
      <p class="stale" role="status">
        Nothing on the machine has “{text}” in its name. What waits or has ended stands under Queue and
        Workloads.
      </p>
    )
  }
  const spans = found.spans.map(({ level, count }) => countText(count, level)).join(', ')
  return (
    <p class="found" role="status">
      <b>{countText(found.gpus, 'GPU')}</b> on {countText(found.nodes.length, 'node')} in {spans}
      {found.workloads.length === 1 && only !== undefined && (
        <>
          {' '}
          · <Link to={`/workloads/${encodeURIComponent(only)}`}>open {only}</Link>
        </>
      )}
      {found.workloads.length > 1 && ` · ${countText(found.workloads.length, 'workload')}`}
    </p>
  )
}

function Legend({ swatches, text }: { readonly swatches: readonly Swatch[]; readonly text: string }) {
  return (
    <ul class="legend" aria-label="Colours">
      {swatches.map(({ key, label, colour, gpus }) => (
        <li key={key}>
          <button
            type="button"
            class="plain"
            disabled={key === '' || key.startsWith(' ')}
            aria-pressed={key === text}
            title="Light these up"
            onClick={() => setParams({ find: key === text ? undefined : key })}
          >
            <i style={{ background: colour }} /> {label} <span class="muted">{numberText(gpus)}</span>
          </button>
        </li>
      ))}
    </ul>
  )
}

/** Domains in the address stand with `~` between them, since a name may have a slash. */
function addressOf(path: readonly string[]): string {
  return path.join('~')
}

function pathOf(address: string | null): readonly string[] {
  return address === null || address === '' ? [] : address.split('~')
}
