import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import { useTheme } from '../../core/theme.ts'
import { Colouring, type Mode, type Swatch } from './colouring.ts'
import type { Found } from './finding.ts'
import { type Box, type Layout, layoutOf } from './layout.ts'
import { FREE, type MachineModel, OTHERS } from './machine-model.ts'

interface Props {
  readonly model: MachineModel
  readonly turn: number
  readonly mode: Mode
  readonly within: readonly string[]
  readonly found: Found | undefined
  readonly chosenNode: number | undefined
  readonly onLegend: (swatches: readonly Swatch[]) => void
  readonly onChoose: (node: number) => void
  readonly onZoom: (path: readonly string[]) => void
}

interface Pointed {
  readonly gpu: number
  readonly node: number
  readonly left: number
  readonly top: number
}

/** Height of a domain's name above its box, in CSS pixels. */
const HEAD = 18
const LEAST_NAME_WIDTH = 46
const LARGEST_SCALE = 36
/** From this size on there is a line between the GPUs of a node. */
const LEAST_LINED_SCALE = 8

/**
 * Every GPU as one pixel, scaled by CSS: 100,000 of them are drawn in a few milliseconds without graphics hardware. A
 * second canvas above it carries outlines, names are text.
 */
export function MachineCanvas(props: Props) {
  const { model, turn, mode, within, found, chosenNode, onLegend, onChoose, onZoom } = props
  const theme = useTheme()
  const frame = useRef<HTMLDivElement>(null)
  const canvas = useRef<HTMLCanvasElement>(null)
  const overlay = useRef<HTMLCanvasElement>(null)
  const [width, setWidth] = useState(0)
  const [pointed, setPointed] = useState<Pointed>()

  useLayoutEffect(() => {
    const { current } = frame
    if (!current) return
    const observer = new ResizeObserver(() => setWidth(current.clientWidth))
    observer.observe(current)
    setWidth(current.clientWidth)
    return () => observer.disconnect()
  }, [])

  const place = within.join('/')
  const { layout, scale } = useMemo(() => fitted(model, within, width), [model, place, width])
  const colouring = useMemo(() => new Colouring(mode, theme), [mode, theme, model])

  useEffect(() => {
    const { current } = canvas
    if (!current || width === 0) return
    if (current.width !== layout.width || current.height !== layout.height) {
      current.width = layout.width
      current.height = layout.height
    }
    const context = current.getContext('2d')
    if (!context) return
    const image = context.createImageData(layout.width, layout.height)
    const pixels = new Uint32Array(image.data.buffer)
    onLegend(colouring.paint(model, layout.gpuPixel, pixels, found?.isLit))
    context.putImageData(image, 0, 0)
  }, [turn, layout, colouring, found, width])

  const hovered = pointed && model.holder[pointed.gpu]
  const attempt = hovered === undefined || hovered < 0 ? undefined : model.slots[hovered]
  useEffect(() => {
    const { current } = overlay
    if (!current || width === 0) return
    const outlined = new Set<number>()
    if (chosenNode !== undefined) outlined.add(chosenNode)
    if (attempt) for (const node of nodesOf(model, attempt.workload)) outlined.add(node)
    else if (pointed) outlined.add(pointed.node)
    drawOverlay(current, layout, scale, outlined, chosenNode)
  }, [layout, scale, attempt?.workload, pointed?.node, chosenNode, theme, width])

  const cssWidth = layout.width * scale
  const cssHeight = layout.height * scale
  return (
    <div class="machine-frame" ref={frame}>
      <div class="machine-stage" style={{ width: `${cssWidth}px`, height: `${cssHeight}px` }}>
        <canvas
          ref={canvas}
          role="img"
          aria-label={`${layout.shown.length} nodes, coloured by ${mode}. The table below has the same.`}
          onPointerMove={(event) => setPointed(pointAt(event, layout, scale, model))}
          onPointerLeave={() => setPointed(undefined)}
          onClick={(event) => {
            const at = pointAt(event, layout, scale, model)
            if (at) onChoose(at.node)
          }}
          onDblClick={(event) => {
            const at = pointAt(event, layout, scale, model)
            const domains = at && model.domainsOf(at.node)
            if (domains && domains.length > within.length) onZoom(domains.slice(0, within.length + 1))
          }}
        />
        <canvas ref={overlay} class="overlay" />
        {layout.boxes.map((box) => (
          <BoxName key={box.path.join('/')} box={box} scale={scale} onZoom={onZoom} />
        ))}
        {pointed && <Tip pointed={pointed} model={model} width={cssWidth} />}
      </div>
    </div>
  )
}

function BoxName({
  box,
  scale,
  onZoom,
}: {
  readonly box: Box
  readonly scale: number
  readonly onZoom: Props['onZoom']
}) {
  const width = box.width * scale
  if (width < LEAST_NAME_WIDTH) return null
  return (
    <button
      type="button"
      class="box-name"
      style={{ left: `${box.x * scale}px`, top: `${box.y * scale}px`, width: `${width}px` }}
      title={`${box.path.join(' / ')}: ${box.nodeCount} nodes. Look at it alone.`}
      onClick={() => onZoom(box.path)}
    >
      {box.path.at(-1)}
    </button>
  )
}

function Tip({
  pointed,
  model,
  width,
}: {
  readonly pointed: Pointed
  readonly model: MachineModel
  readonly width: number
}) {
  const node = model.nodes[pointed.node]
  if (!node) return null
  const slot = model.holder[pointed.gpu]!
  const attempt = slot < 0 ? undefined : model.slots[slot]
  const isRight = pointed.left > width / 2
  return (
    <div
      class={`machine-tip ${isRight ? 'left' : ''}`}
      style={{ left: `${pointed.left}px`, top: `${pointed.top}px` }}
    >
      <b>{node.id}</b> GPU {pointed.gpu - model.firstGpu[pointed.node]!}
      <span class="muted">
        {' '}
        {node.state}
        {node.contact === 'lost' ? ', contact lost' : ''}
      </span>
      <br />
      {slot === FREE && 'free'}
      {slot === OTHERS && 'held by another tenant'}
      {attempt && (
        <>
          {attempt.workload} {attempt.name} <span class="muted">{attempt.state}</span>
          <br />
          <span class="muted">
            {attempt.owner.team}, {attempt.owner.user}, {attempt.gpus} GPUs
          </span>
        </>
      )}
    </div>
  )
}

/** The layout for this width, with room for names, and how many CSS pixels one GPU takes. */
function fitted(
  model: MachineModel,
  within: readonly string[],
  width: number,
): { layout: Layout; scale: number } {
  const available = Math.max(width, 200)
  const tall = Math.max(320, window.innerHeight - 330)
  const aspect = available / tall
  let headPixels = 4
  let layout = layoutOf(model, { within, aspect, headPixels })
  let scale = scaleOf(layout, available, tall)
  for (let round = 0; round < 2; round++) {
    // Where no name has room, none gets any.
    const isNamed = layout.boxes.some((box) => box.width * scale >= LEAST_NAME_WIDTH)
    headPixels = isNamed ? Math.ceil(HEAD / scale) : 1
    layout = layoutOf(model, { within, aspect, headPixels })
    scale = scaleOf(layout, available, tall)
  }
  return { layout, scale }
}

/** Whole pixels of the screen give every GPU the same size; below one there is no choice. */
function scaleOf(layout: Layout, width: number, tall: number): number {
  const most = Math.min(width / layout.width, Math.max(tall / layout.height, width / layout.width / 1.6))
  const scale = Math.min(most, LARGEST_SCALE)
  const ratio = window.devicePixelRatio
  return scale * ratio >= 2 ? Math.floor(scale * ratio) / ratio : scale
}

function pointAt(
  event: MouseEvent & { readonly currentTarget: HTMLCanvasElement },
  layout: Layout,
  scale: number,
  model: MachineModel,
): Pointed | undefined {
  const x = Math.floor(event.offsetX / scale)
  const y = Math.floor(event.offsetY / scale)
  const gpu = layout.gpuAt[y * layout.width + x] ?? -1
  if (gpu < 0 || x < 0 || x >= layout.width) return undefined
  return { gpu, node: model.nodeOfGpu(gpu), left: event.offsetX, top: event.offsetY }
}

/** The nodes that a workload stands on. */
function nodesOf(model: MachineModel, workload: string): number[] {
  const slots = new Set(
    model.slots.flatMap((attempt, slot) => (attempt?.workload === workload ? [slot] : [])),
  )
  const nodes: number[] = []
  for (let node = 0; node < model.nodes.length; node++) {
    for (let gpu = model.firstGpu[node]!; gpu < model.firstGpu[node + 1]!; gpu++) {
      if (slots.has(model.holder[gpu]!)) {
        nodes.push(node)
        break
      }
    }
  }
  return nodes
}

function drawOverlay(
  canvas: HTMLCanvasElement,
  layout: Layout,
  scale: number,
  nodes: ReadonlySet<number>,
  chosen: number | undefined,
): void {
  const ratio = window.devicePixelRatio
  const width = Math.round(layout.width * scale * ratio)
  const height = Math.round(layout.height * scale * ratio)
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width
    canvas.height = height
  }
  const context = canvas.getContext('2d')
  if (!context) return
  context.setTransform(ratio, 0, 0, ratio, 0, 0)
  context.clearRect(0, 0, width, height)
  const style = getComputedStyle(canvas)
  if (scale >= LEAST_LINED_SCALE) {
    context.fillStyle = style.getPropertyValue('--card')
    for (const node of layout.shown) lines(context, layout, scale, node)
  }
  context.strokeStyle = style.color
  for (const node of nodes) {
    if (layout.nodeX[node] === -1) continue
    const columns = layout.tileColumns[node]!
    const rows = layout.tileRows[node]!
    context.lineWidth = node === chosen ? 2 : 1
    context.strokeRect(
      layout.nodeX[node]! * scale - 0.5,
      layout.nodeY[node]! * scale - 0.5,
      columns * scale + 1,
      rows * scale + 1,
    )
  }
}

/** Lines between the GPUs of one node. */
function lines(context: CanvasRenderingContext2D, layout: Layout, scale: number, node: number): void {
  const left = layout.nodeX[node]! * scale
  const top = layout.nodeY[node]! * scale
  const columns = layout.tileColumns[node]!
  const rows = layout.tileRows[node]!
  for (let column = 1; column < columns; column++) {
    context.fillRect(left + column * scale - 0.5, top, 1, rows * scale)
  }
  for (let row = 1; row < rows; row++) context.fillRect(left, top + row * scale - 0.5, columns * scale, 1)
}
