import type { Browser } from 'playwright-core'

/** What one browser that looks at the machine sees and takes. */
export interface Looked {
  readonly fps: number
  /** Milliseconds of the main thread for each frame. */
  readonly frameMs: number
  /** JavaScript heap after the garbage was collected. */
  readonly memoryMiB: number
  readonly bytesPerSecond: number
  /** HTML, JavaScript and CSS until the machine is drawn, as they are sent. */
  readonly firstLoadGzKB: number
  /** From the navigation to the first drawn GPU, the sign-in included. */
  readonly firstMachineMs: number
}

const SIZE = { width: 1280, height: 820 }

/** Looks at the machine page for so many minutes. */
export async function lookAt(browser: Browser, url: string, token: string, minutes: number): Promise<Looked> {
  const page = await browser.newPage({ viewport: SIZE })
  const cdp = await page.context().newCDPSession(page)
  await cdp.send('Performance.enable')
  await cdp.send('Network.enable')
  let bytes = 0
  cdp.on('Network.dataReceived', ({ encodedDataLength, dataLength }) => {
    bytes += encodedDataLength > 0 ? encodedDataLength : dataLength
  })
  await page.goto(`${url}/console/#token=${token}`)
  const firstMachineMs = await page.evaluate<number>(FIRST_DRAWN)
  const firstLoadBytes = await page.evaluate<number>(LOADED_BYTES)

  const begin = await metrics()
  const bytesBefore = bytes
  const begun = performance.now()
  const count = await page.evaluate<number>(countFrames(minutes * 60_000))
  const seconds = (performance.now() - begun) / 1000
  const end = await metrics()
  await cdp.send('HeapProfiler.collectGarbage')
  const { JSHeapUsedSize: heap = 0 } = await metrics()
  return {
    fps: round(count / seconds),
    frameMs: round(((end.TaskDuration! - begin.TaskDuration!) * 1000) / count),
    memoryMiB: round(heap / 2 ** 20),
    bytesPerSecond: Math.round((bytes - bytesBefore) / seconds),
    firstLoadGzKB: round(firstLoadBytes / 1000),
    firstMachineMs: Math.round(firstMachineMs),
  }

  async function metrics(): Promise<Record<string, number>> {
    const { metrics: all } = await cdp.send('Performance.getMetrics')
    return Object.fromEntries(all.map(({ name, value }) => [name, value]))
  }
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

/** Milliseconds from the navigation to the first frame in which a GPU is drawn. */
const FIRST_DRAWN = `new Promise((resolve) => {
  const look = () => {
    const canvas = document.querySelector('.machine-stage canvas')
    const isDrawn = canvas && canvas.width > 0 &&
      canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some((value) => value > 0)
    if (isDrawn) resolve(performance.now())
    else requestAnimationFrame(look)
  }
  look()
})`

const LOADED_BYTES = `[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
  .filter(({ name }) => new URL(name).pathname.startsWith('/console/'))
  .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)`

/** Frames that the page came to draw in so many milliseconds; as text, so that no compiler puts its own names in. */
const countFrames = (forMs: number) => `new Promise((resolve) => {
  const begun = performance.now()
  let frames = 0
  const look = () => {
    frames++
    if (performance.now() - begun < ${forMs}) requestAnimationFrame(look)
    else resolve(frames)
  }
  requestAnimationFrame(look)
})`
