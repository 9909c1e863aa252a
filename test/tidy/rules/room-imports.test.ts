import { describe, expect, it } from 'vitest'
import { aProject } from '../project.ts'
import { roomImports } from './room-imports.ts'

const MANIFEST = JSON.stringify({ devDependencies: { vitest: '4.1.12' } })

const found = (path: string, text: string) =>
  roomImports(aProject({ [path]: text, 'package.json': MANIFEST })).map(({ message }) => message)

describe('roomImports', () => {
  it.each([
    [
      'src/base/a.ts',
      "import { x } from '../model/x.ts'",
      'base must not import model: it may import no other room',
    ],
    ['src/model/a.ts', "import type { X } from '../control/x.ts'", 'model must not import control'],
    ['src/scheduler/a.ts', "export * from '../control/x.ts'", 'scheduler must not import control'],
    ['src/control/a.ts', "import { it } from 'vitest'", 'must not import the package vitest'],
    ['src/fabric/a.ts', "type X = import('../twin/x.ts').X", 'fabric must not import twin'],
    ['src/api/a.ts', "const x = () => import('../server/x.ts')", 'api must not import server'],
    [
      'src/adapters/engine-local/a.ts',
      "import '../store-postgres/x.ts'",
      'must not import adapters/store-postgres',
    ],
    [
      'src/adapters/engine-local/a.ts',
      "import { decide } from '../../control/decide.ts'",
      'must not import control',
    ],
    [
      'src/adapters/store-postgres/a.ts',
      "import { x } from '../engine-shared/x.ts'",
      'must not import adapters/engine-shared',
    ],
    ['src/cli/ps.ts', "import { x } from '../planner/x.ts'", 'cli must not import planner'],
    ['src/console/a.ts', "import { x } from '../control/x.ts'", 'console must not import control'],
    ['src/model/a.test.ts', "import { x } from '../twin/x.ts'", 'model must not import twin'],
    ['src/server/a.ts', "import { x } from '../../test/x.ts'", 'not part of the installed package'],
    ['src/attic/a.ts', "import { x } from '../base/x.ts'", 'src/attic is not in the rooms table'],
    ['src/planner/a.ts', "import { z } from 'zod'", 'must not import the package zod: it may use no package'],
    ['src/model/a.ts', "import { z } from 'hono/client'", 'it may use zod, yaml, fastest-levenshtein'],
    ['src/twin/a.ts', "import { x } from '@noble/ciphers/aes'", 'must not import the package @noble/ciphers'],
    ['src/control/a.ts', "import { readFileSync } from 'node:fs'", "must not import Node's modules"],
    ['src/api/a.ts', "import { hash } from 'node:crypto'", "must not import Node's modules"],
    ['examples/tiny/a.ts', "import { x } from '../../src/base/x.ts'", 'an example must stand alone'],
  ])('refuses %s: %s', (path, text, message) => {
    expect(found(path, text)).toEqual([expect.stringContaining(message)])
  })

  it.each([
    ['src/base/a.ts', "import { x } from 'pure-rand/generator/xoroshiro128plus'"],
    ['src/control/a.ts', "import { x } from '../scheduler/x.ts'"],
    [
      'src/adapters/store-postgres/a.ts',
      "import type { Store } from '../../control/ports/store.ts'\nimport 'pg'",
    ],
    [
      'src/adapters/engine-local/a.ts',
      "import type { Engine } from '../../control/ports.ts'\nimport 'node:fs'",
    ],
    ['src/adapters/engine-slurm/a.ts', "import { x } from '../engine-shared/x.ts'"],
    ['src/cli/commands/plan.ts', "import { x } from '../../planner/x.ts'"],
    ['src/server/a.ts', "import { x } from '../adapters/engine-local/x.ts'"],
    ['src/planner/a.ts', "import data from '../../data/gpus.json' with { type: 'json' }"],
    ['src/control/a.test.ts', "import { it } from 'vitest'\nimport { readFileSync } from 'node:fs'"],
    ['src/base/a.ts', `const text = "import x from 'node:fs'" // import '../twin/x.ts'`],
    ['test/chaos/a.test.ts', "import { x } from '../../src/server/x.ts'"],
    ['scripts/a.ts', "import { x } from '../src/server/x.ts'"],
  ])('lets %s be: %s', (path, text) => {
    expect(found(path, text)).toEqual([])
  })

  it('names the line', () => {
    const project = aProject({ 'src/base/a.ts': "\n\nimport { x } from '../model/x.ts'\n" })
    expect(roomImports(project)).toMatchObject([{ path: 'src/base/a.ts', line: 3 }])
  })
})
