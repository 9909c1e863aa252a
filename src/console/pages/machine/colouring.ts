import type { MachineAttemptView, MachineNodeView } from '../../../api/wire/machine.ts'
import type { Theme } from '../../core/theme.ts'
import { FREE, type MachineModel, OTHERS } from './machine-model.ts'

/** What a GPU's colour tells. */
export const MODES = ['tenant', 'workload', 'type', 'state', 'health', 'use'] as const
export type Mode = (typeof MODES)[number]

/** One line of the legend: what is painted so, and how many GPUs are. */
export interface Swatch {
  readonly key: string
  readonly label: string
  readonly colour: string
  readonly gpus: number
}

type NodeState = MachineNodeView['state']

/** Distinct also for the most common forms of colour blindness, and on both grounds. */
const CATEGORIES = [
  '#3b82c4',
  '#e08a2e',
  '#3fa66b',
  '#c8553d',
  '#8a6fc7',
  '#2aa5a0',
  '#d36aa2',
  '#a3902b',
  '#5f7d95',
  '#b3745a',
]
const STATES: Readonly<Record<MachineAttemptView['state'], string>> = {
  starting: '#3b82c4',
  running: '#3fa66b',
  stopping: '#e08a2e',
  ended: '#5f7d95',
}
const TYPES: Readonly<Record<MachineAttemptView['type'], string>> = {
  train: '#3b82c4',
  serve: '#e08a2e',
  machines: '#8a6fc7',
}
const NODES: Readonly<Record<NodeState | 'lost', string>> = {
  ready: '#3fa66b',
  cordoned: '#a3902b',
  draining: '#e08a2e',
  testing: '#3b82c4',
  down: '#c8403a',
  lost: '#8a6fc7',
}
const USES = ['#cfe3d8', '#9fcdb4', '#5fb388', '#2b8a5e', '#0b6e4f']
const GROUND: Readonly<Record<Theme, { free: string; others: string; dimTo: string }>> = {
  light: { free: '#d7dfda', others: '#96a29b', dimTo: '#eef1ef' },
  dark: { free: '#2a362f', others: '#6d7b73', dimTo: '#1a231e' },
}
const MOST_SWATCHES = 14

/** What GPUs of one meaning look like, and how many there are. */
interface Shade {
  readonly key: string
  readonly label: string
  readonly colour: string
  /** Packed RGBA, as it is and dimmed. */
  readonly lit: number
  readonly dim: number
  gpus: number
}

/** Paints GPUs by what the mode tells, and counts them for the legend. */
export class Colouring {
  readonly #theme: Theme
  readonly #mode: Mode
  readonly #shades = new Map<string, Shade>()
  #tenantCount = 0

  constructor(mode: Mode, theme: Theme) {
    this.#mode = mode
    this.#theme = theme
  }

  /**
   * Paints every shown GPU into `pixels` (one packed RGBA each); where `isLit` is given, all others are dimmed. Returns
   * the legend, largest first.
   */
  paint(
    model: MachineModel,
    gpuPixel: Int32Array,
    pixels: Uint32Array,
    isLit: ((gpu: number, node: number) => boolean) | undefined,
  ): Swatch[] {
    pixels.fill(0)
    if (this.#mode === 'tenant') this.#meetTenants(model)
    for (const shade of this.#shades.values()) shade.gpus = 0
    const bySlot: (Shade | undefined)[] = []
    const { nodes, firstGpu, holder } = model
    for (let node = 0; node < nodes.length; node++) {
      const first = firstGpu[node]!
      const end = firstGpu[node + 1]!
      if (first === end || gpuPixel[first] === -1) continue
      const ofNode = this.#shadeOfNode(nodes[node]!)
      for (let gpu = first; gpu < end; gpu++) {
        const slot = holder[gpu]!
        let shade = ofNode
        if (slot !== FREE && this.#mode === 'use') shade = this.#shadeOfUse(model.heldMilli[gpu]!)
        else if (slot !== FREE && this.#mode !== 'health') {
          shade = bySlot[slot === OTHERS ? 0 : slot + 1] ??= this.#shadeOfAttempt(model.slots[slot])
        }
        shade.gpus++
        pixels[gpuPixel[gpu]!] = isLit === undefined || isLit(gpu, node) ? shade.lit : shade.dim
      }
    }
    return legendOf([...this.#shades.values()].filter(({ gpus }) => gpus > 0))
  }

  /** Of a GPU that nobody holds; and of every one, where the colour tells of health. */
  #shadeOfNode({ state, contact }: MachineNodeView): Shade {
    if (this.#mode === 'health') {
      const key = contact === 'lost' && state !== 'down' ? 'lost' : state
      return this.#shade(key, key === 'lost' ? 'contact lost' : key, NODES[key])
    }
    const { free } = GROUND[this.#theme]
    if (state === 'ready') return this.#shade('free', 'free', free)
    return this.#shade(`node ${state}`, `node ${state}`, mixed(NODES[state], free, 0.45))
  }

  #shadeOfUse(milli: number): Shade {
    const step = Math.min(USES.length - 1, Math.floor((milli - 1) / 200))
    return this.#shade(`use ${step}`, USE_LABELS[step]!, USES[step]!)
  }

  #shadeOfAttempt(attempt: MachineAttemptView | undefined): Shade {
    if (!attempt) return this.#shade(' others', 'held by others', GROUND[this.#theme].others)
    const { workload, name, type, state, owner } = attempt
    switch (this.#mode) {
      case 'workload':
        return this.#shade(workload, `${workload} ${name}`, workloadColour(workload, this.#theme))
      case 'type':
        return this.#shade(type, type, TYPES[type])
      case 'state':
        return this.#shade(state, state, STATES[state])
      default:
        return this.#shade(owner.organisation, owner.organisation, GROUND[this.#theme].others)
    }
  }

  /** Tenants keep the colour that they were given when they were first met; those met together get theirs by name. */
  #meetTenants(model: MachineModel): void {
    const names = new Set(model.slots.flatMap((attempt) => attempt?.owner.organisation ?? []))
    for (const name of [...names].sort()) {
      if (!this.#shades.has(name)) {
        this.#shade(name, name, CATEGORIES[this.#tenantCount++ % CATEGORIES.length]!)
      }
    }
  }

  #shade(key: string, label: string, colour: string): Shade {
    const known = this.#shades.get(key)
    if (known) return known
    const dimmed = mixed(colour, GROUND[this.#theme].dimTo, 0.14)
    const shade = { key, label, colour, lit: packed(colour), dim: packed(dimmed), gpus: 0 }
    this.#shades.set(key, shade)
    return shade
  }
}

/** Canvas pixels are RGBA in memory; every host of a browser today is little-endian. */
function packed(colour: string): number {
  const [r, g, b] = channels(colour)
  return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0
}

const USE_LABELS = ['up to 20 %', 'up to 40 %', 'up to 60 %', 'up to 80 %', 'all of it']

function legendOf(shades: readonly Shade[]): Swatch[] {
  const swatches: Swatch[] = shades.map(({ key, label, colour, gpus }) => ({ key, label, colour, gpus }))
  swatches.sort((a, b) => b.gpus - a.gpus || (a.key < b.key ? -1 : 1))
  if (swatches.length <= MOST_SWATCHES) return swatches
  const rest = swatches.slice(MOST_SWATCHES - 1)
  const gpus = rest.reduce((sum, swatch) => sum + swatch.gpus, 0)
  return [
    ...swatches.slice(0, MOST_SWATCHES - 1),
    { key: '', label: `${rest.length} more`, colour: 'transparent', gpus },
  ]
}

/** A colour of the workload's own: neighbours in the list of ids are far apart in hue. */
function workloadColour(id: string, theme: Theme): string {
  let hash = 0
  for (let i = 0; i < id.length; i++) hash = (hash * 31 + id.charCodeAt(i)) >>> 0
  const hue = (hash * 137.508) % 360
  const lightness = (theme === 'dark' ? 55 : 48) + (hash % 3) * 7
  return fromHsl(hue, 52, lightness)
}

function fromHsl(hue: number, saturation: number, lightness: number): string {
  const a = (saturation * Math.min(lightness, 100 - lightness)) / 10_000
  const channel = (n: number) => {
    const k = (n + hue / 30) % 12
    return Math.round(255 * (lightness / 100 - a * Math.max(-1, Math.min(k - 3, 9 - k, 1))))
  }
  return hexOf(channel(0), channel(8), channel(4))
}

/** `share` of the first colour over the second. */
function mixed(colour: string, ground: string, share: number): string {
  const over = channels(colour)
  const under = channels(ground)
  const [r, g, b] = over.map((value, i) => Math.round(value * share + under[i]! * (1 - share)))
  return hexOf(r!, g!, b!)
}

function channels(hex: string): [number, number, number] {
  const value = Number.parseInt(hex.slice(1), 16)
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255]
}

function hexOf(r: number, g: number, b: number): string {
  return `#${((r << 16) | (g << 8) | b).toString(16).padStart(6, '0')}`
}
