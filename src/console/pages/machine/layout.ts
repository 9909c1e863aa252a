import type { MachineModel } from './machine-model.ts'

/** A domain's rectangle on the canvas, in GPU pixels. */
export interface Box {
  /** Names from the outermost domain down to this one. */
  readonly path: readonly string[]
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
  readonly nodeCount: number
}

/** Where everything stands on the canvas, one pixel a GPU. */
export interface Layout {
  readonly width: number
  readonly height: number
  /** Nodes that are shown, by their index in the model. */
  readonly shown: readonly number[]
  /** Left and top of each node's tile by index; -1 for one that is not shown. */
  readonly nodeX: Int32Array
  readonly nodeY: Int32Array
  /** Columns and rows of a tile by node. */
  readonly tileColumns: Int32Array
  readonly tileRows: Int32Array
  /** The domains right below the one that is looked at. */
  readonly boxes: readonly Box[]
  /** Pixel of each GPU; -1 for one that is not shown. */
  readonly gpuPixel: Int32Array
  /** GPU at each pixel; -1 for a gap. */
  readonly gpuAt: Int32Array
}

interface Options {
  /** Names of the domain that is looked at, outermost first; empty for all. */
  readonly within: readonly string[]
  /** Width by height that the whole should have. */
  readonly aspect: number
  /** Pixels above each box, for its name. */
  readonly headPixels: number
}

/** Something with a size, and what puts it somewhere. */
interface Block {
  readonly width: number
  readonly height: number
  place(x: number, y: number): void
}

/** Gap between the things of a group, by how far it is above the nodes: nodes, blocks, pods, sites. */
const GAPS = [1, 3, 6, 10]

/** Nodes by their domains: groups of one level stand in a grid, and so do the groups in them, down to the GPUs of a node. */
export function layoutOf(model: MachineModel, { within, aspect, headPixels }: Options): Layout {
  const count = model.nodes.length
  const nodeX = new Int32Array(count).fill(-1)
  const nodeY = new Int32Array(count).fill(-1)
  const tileColumns = new Int32Array(count)
  const tileRows = new Int32Array(count)
  const shown: number[] = []
  for (let node = 0; node < count; node++) {
    const domains = model.domainsOf(node)
    if (within.every((name, depth) => domains[depth] === name)) shown.push(node)
  }
  const boxes: Box[] = []

  const tile = (node: number): Block => {
    const gpus = model.firstGpu[node + 1]! - model.firstGpu[node]!
    const columns = Math.max(1, Math.ceil(Math.sqrt(gpus * 2)))
    const rows = Math.max(1, Math.ceil(gpus / columns))
    tileColumns[node] = columns
    tileRows[node] = rows
    return {
      width: columns,
      height: rows,
      place: (x, y) => {
        nodeX[node] = x
        nodeY[node] = y
      },
    }
  }
  const group = (nodes: readonly number[], depth: number, isTop: boolean): Block => {
    const depths = model.levels.length - 1
    const groups =
      depth >= depths ? undefined : groupedBy(nodes, (node) => model.domainsOf(node)[depth] ?? '')
    if (!groups) return grid(nodes.map(tile), GAPS[0]!, aspect)
    // A level with one domain in it adds nothing to see; at the top the next one gets the names.
    if (groups.size === 1 && depth + 1 < depths) return group(nodes, depth + 1, isTop)
    const members = [...groups.values()].map((inside) => {
      const inner = group(inside, depth + 1, false)
      return isTop ? boxed(inner, model.domainsOf(inside[0]!).slice(0, depth + 1), inside.length) : inner
    })
    return grid(members, GAPS[Math.min(depths - depth, GAPS.length - 1)]!, aspect)
  }
  const boxed = (inner: Block, path: readonly string[], nodeCount: number): Block => ({
    width: inner.width,
    height: inner.height + headPixels,
    place: (x, y) => {
      boxes.push({ path, x, y, width: inner.width, height: inner.height + headPixels, nodeCount })
      inner.place(x, y + headPixels)
    },
  })

  const whole = group(shown, within.length, true)
  whole.place(0, 0)
  const { width, height } = whole
  const gpuPixel = new Int32Array(model.gpuCount).fill(-1)
  const gpuAt = new Int32Array(width * height).fill(-1)
  for (const node of shown) {
    const columns = tileColumns[node]!
    for (let gpu = model.firstGpu[node]!; gpu < model.firstGpu[node + 1]!; gpu++) {
      const k = gpu - model.firstGpu[node]!
      const pixel = (nodeY[node]! + Math.floor(k / columns)) * width + nodeX[node]! + (k % columns)
      gpuPixel[gpu] = pixel
      gpuAt[pixel] = gpu
    }
  }
  return { width, height, shown, nodeX, nodeY, tileColumns, tileRows, boxes, gpuPixel, gpuAt }
}

/** Equal cells, in the number of columns that comes nearest to the aspect. */
function grid(members: readonly Block[], gap: number, aspect: number): Block {
  if (members.length === 0) return { width: 1, height: 1, place: () => {} }
  const cellWidth = Math.max(...members.map(({ width }) => width)) + gap
  const cellHeight = Math.max(...members.map(({ height }) => height)) + gap
  let columns = 1
  let best = Number.POSITIVE_INFINITY
  for (let tried = 1; tried <= members.length; tried++) {
    const rows = Math.ceil(members.length / tried)
    const off = Math.abs(Math.log((tried * cellWidth) / (rows * cellHeight) / aspect))
    // Cells that stay empty at the end look like missing ones.
    const waste = (rows * tried - members.length) / members.length
    if (off + waste < best) {
      best = off + waste
      columns = tried
    }
  }
  const rows = Math.ceil(members.length / columns)
  return {
    width: columns * cellWidth - gap,
    height: rows * cellHeight - gap,
    place: (x, y) => {
      for (const [index, member] of members.entries()) {
        member.place(x + (index % columns) * cellWidth, y + Math.floor(index / columns) * cellHeight)
      }
    },
  }
}

function groupedBy(nodes: readonly number[], nameOf: (node: number) => string): Map<string, number[]> {
  const groups = new Map<string, number[]>()
  for (const node of nodes) {
    const name = nameOf(node)
    const group = groups.get(name)
    if (group) group.push(node)
    else groups.set(name, [node])
  }
  return groups
}
