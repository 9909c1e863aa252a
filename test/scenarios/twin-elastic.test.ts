import { describe, expect, it } from 'vitest'
import type { LoggedEvent } from '../../src/control/index.ts'
import { assemble, parseScenario, World } from '../../src/twin/index.ts'

const SCENARIO = `cluster: {nodes: 4, gpus: 8}
workloads:
  - jobs: {name: urgent, tenant: a, nodes: 2, run: 30m, priority: high, count: 2, every: 90m}
  - jobs: {name: elastic, tenant: a, nodes: 4, elastic: {min: 2, max: 4}, run: 2h}
startCost: {from: 0s, to: 0s}
checkpoint: {cost: 0s, grace: 30s}
`

interface Stretch {
  readonly fromMin: number
  readonly nodes: number
}

function play(text: string) {
  const parsed = parseScenario(text, 'elastic.yaml')
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error))
  const assembled = assemble(parsed.value, { texts: new Map() })
  if (!assembled.ok) throw new Error(assembled.error)
  const stretches: Stretch[] = []
  let startedAt: number | undefined
  let endedMin = 0
  const onEvents = (events: readonly LoggedEvent[], { server }: World) => {
    for (const { at, event } of events) {
      if (event.kind === 'attempt-planned') {
        startedAt ??= at
        const spec = server.state.workloads.get(event.workload)?.spec
        if (spec?.name === 'elastic')
          stretches.push({
            fromMin: Math.round((at - startedAt) / 60_000),
            nodes: event.allocation.parts.length,
          })
      }
      if (event.kind === 'workload-finished') endedMin = Math.round((at - (startedAt ?? 0)) / 60_000)
    }
  }
  const world = new World(assembled.value.setup, [{ onEvents }])
  world.run()
  return { stretches, endedMin }
}

describe('an elastic gang in a scenario', () => {
  it('[T28] starts between its bounds, grows into idle room, gives it up, and works in proportion to its size', () => {
    // 30 min at half, 60 at whole, 30 at half and 30 at whole are the two hours that it takes at its whole size.
    expect(play(SCENARIO)).toEqual({
      stretches: [
        { fromMin: 0, nodes: 2 },
        { fromMin: 30, nodes: 4 },
        { fromMin: 90, nodes: 2 },
        { fromMin: 120, nodes: 4 },
      ],
      endedMin: 150,
    })
  })
})
