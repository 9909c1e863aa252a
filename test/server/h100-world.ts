import type { Engine, EngineFact } from '../../src/control/index.ts'
import type { NodeDescription } from '../../src/model/index.ts'
import type { World } from '../../src/server/server.ts'

/** The same world, whose slots are described as H100s: for what depends on the kind of GPU and not on what runs on it. */
export function h100World(world: World): World {
  const { engine } = world
  const described: Pick<Engine, 'inventory' | 'observe'> = {
    inventory: async () => {
      const inventory = await engine.inventory()
      return { ...inventory, nodes: inventory.nodes.map(asH100) }
    },
    observe: async (...given) => {
      const observation = await engine.observe(...given)
      return { ...observation, facts: observation.facts.map(factOfH100) }
    },
  }
  const relabelled = new Proxy(engine, {
    get(target, name) {
      if (name in described) return Reflect.get(described, name)
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return { ...world, engine: relabelled }
}

function asH100(node: NodeDescription): NodeDescription {
  return { ...node, gpuModel: 'H100-80GB', gpuMemoryBytes: 80 * 2 ** 30 }
}

function factOfH100(fact: EngineFact): EngineFact {
  return fact.kind === 'node-present' ? { ...fact, node: asH100(fact.node) } : fact
}
