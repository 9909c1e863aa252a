import { describe, expect, it } from 'vitest'
import { aProject, type Rule } from '../project.ts'
import { RULES } from '../rules.ts'
import { dependencyLines, lockfile } from './dependencies.ts'
import { fileNames } from './file-names.ts'
import { fileSize } from './file-size.ts'
import { importCycles } from './import-cycles.ts'
import { leftovers } from './leftovers.ts'
import { places } from './places.ts'
import { roomPapers } from './room-papers.ts'
import { syntaxErrors } from './syntax-errors.ts'

const found = (rule: Rule, files: Record<string, string>) =>
  rule(aProject(files)).map(({ path, line, message }) => `${path}:${line} ${message}`)

describe('importCycles', () => {
  it('finds a detour through types and barrels', () => {
    const files = {
      'src/model/index.ts': "export * from './a.ts'",
      'src/model/a.ts': "import type { B } from './b.ts'",
      'src/model/b.ts': "import { A } from './index.ts'",
    }
    expect(found(importCycles, files)).toEqual([
      expect.stringContaining('src/model/index.ts -> src/model/a.ts -> src/model/b.ts -> src/model/index.ts'),
    ])
  })

  it('lets two files share a third', () => {
    const files = {
      'src/model/a.ts': "import './b.ts'\nimport './c.ts'",
      'src/model/b.ts': "import './c.ts'",
      'src/model/c.ts': '',
    }
    expect(found(importCycles, files)).toEqual([])
  })
})

describe('fileNames', () => {
  it.each([
    'src/model/utils.ts',
    'src/model/string-helpers.ts',
    'test/common/a.test.ts',
    'src/model/util.test.ts',
  ])('refuses the drawer %s', (path) => {
    expect(found(fileNames, { [path]: '' })).toEqual([expect.stringContaining('name the file after')])
  })

  it.each(['src/model/failureClass.ts', 'src/model/Failure.ts', 'docs/big_plan.md'])('refuses %s', (path) => {
    expect(found(fileNames, { [path]: '' })).toEqual([expect.stringContaining('kebab-case')])
  })

  it.each([
    'src/model/failure-class.prop.test.ts',
    'README.md',
    'src/a/fixtures/Get_Nodes.json',
    'src/a/m/0001-ledger.sql',
  ])('lets %s be', (path) => {
    expect(found(fileNames, { [path]: '' })).toEqual([])
  })
})

describe('fileSize', () => {
  const long = '// a line\n'.repeat(401)

  it('refuses a product file of 401 lines', () => {
    expect(found(fileSize, { 'src/model/a.ts': long })).toEqual([expect.stringContaining('401 lines')])
  })

  it('lets tests, generated files and 400 lines be', () => {
    const files = {
      'src/model/a.test.ts': long,
      'src/api/a.generated.ts': long,
      'src/model/b.ts': '//\n'.repeat(400),
    }
    expect(found(fileSize, files)).toEqual([])
  })
})

describe('roomPapers', () => {
  it('asks each room for a README, and rooms of rules for a SPEC', () => {
    expect(found(roomPapers, { 'src/control/a.ts': '', 'src/adapters/engine-local/a.ts': '' })).toEqual([
      expect.stringContaining('src/control/README.md:1 the room has no README.md'),
      expect.stringContaining('src/control/SPEC.md:1 the room has no SPEC.md'),
      expect.stringContaining('src/adapters/engine-local/README.md:1'),
    ])
  })

  it('asks for a page at most', () => {
    const files = { 'src/base/a.ts': '', 'src/base/README.md': 'text\n'.repeat(81) }
    expect(found(roomPapers, files)).toEqual([expect.stringContaining('81 lines')])
  })

  it('asks for a test named after each rule', () => {
    const files = {
      'src/control/a.test.ts': "it('[C1] starts a gang whole', () => {})",
      'src/control/README.md': '',
      'src/control/SPEC.md': '# Rules\n\n- [C1] A gang starts whole.\n- [C2] Nothing runs twice.\n',
    }
    expect(found(roomPapers, files)).toEqual([
      expect.stringContaining('SPEC.md:4 no test is named after rule [C2]'),
    ])
  })

  it('asks for a number of its own for each rule', () => {
    const files = {
      'src/control/a.test.ts': "it('[C1] starts a gang whole', () => {})",
      'src/control/README.md': '',
      'src/control/SPEC.md': '- [C1] A gang starts whole.\n- [C1] Nothing runs twice.\n',
    }
    expect(found(roomPapers, files)).toEqual([
      expect.stringContaining("SPEC.md:2 [C1] is another rule's number"),
    ])
  })
})

describe('leftovers', () => {
  const mark = ['TO', 'DO'].join('')

  it('finds a comment and a line of a document that put work off', () => {
    const files = { 'src/base/a.ts': `\n// ${mark} later`, 'docs/plan.md': `# Plan\n${mark}: write` }
    expect(found(leftovers, files)).toEqual([
      expect.stringContaining('src/base/a.ts:2'),
      expect.stringContaining('docs/plan.md:2'),
    ])
  })

  it('lets a string be', () => {
    expect(found(leftovers, { 'src/base/a.ts': `const mark = '${mark}'` })).toEqual([])
  })
})

describe('dependencyLines', () => {
  const project = (version: string, document: string) => ({
    'package.json': JSON.stringify({ dependencies: { zod: version } }),
    'docs/dependencies.md': document,
  })

  it.each([
    ['^4.6.7', '| zod | 4.6.7 | schemas |', 'not an exact version'],
    ['4.6.7', '', 'zod 4.6.7 has no line'],
    ['4.6.7', '| zod | 4.6.6 | schemas |', 'zod is 4.6.7 in package.json, here 4.6.6'],
    ['4.6.7', '| zod | 4.6.7 | schemas |\n| pg | 8.0.0 | sql |', 'pg is not in package.json'],
  ])('refuses %s beside "%s"', (version, document, message) => {
    expect(found(dependencyLines, project(version, document))).toEqual([expect.stringContaining(message)])
  })

  it('lets an explained version be', () => {
    const table = '| package | version | what for |\n| --- | --- | --- |\n| zod | 4.6.7 | schemas |'
    expect(found(dependencyLines, project('4.6.7', table))).toEqual([])
  })
})

describe('lockfile', () => {
  const lock = (entry: object) => ({
    'package-lock.json': JSON.stringify({ packages: { 'node_modules/x': entry } }),
  })

  it('refuses an address and an install script that users would run', () => {
    expect(found(lockfile, lock({ resolved: 'https://mirror.example/x.tgz' }))).toHaveLength(1)
    expect(found(lockfile, lock({ hasInstallScript: true }))).toHaveLength(1)
  })

  it("lets a developer's install script be", () => {
    expect(found(lockfile, lock({ hasInstallScript: true, dev: true }))).toEqual([])
  })
})

describe('places', () => {
  it.each([
    ['', 'work', 'main'].join('/'),
    ['registry', 'npmjs', 'org'].join('.'),
    ['', 'root', '.npm'].join('/'),
  ])('refuses %s', (place) => {
    expect(found(places, { 'docs/a.md': `see\n${place}` })).toEqual([expect.stringContaining('docs/a.md:2')])
  })

  it('lets relative paths be', () => {
    expect(found(places, { 'docs/a.md': 'src/work/plan and ../shared/data' })).toEqual([])
  })
})

describe('syntaxErrors', () => {
  it('finds a file that does not parse', () => {
    expect(found(syntaxErrors, { 'src/base/a.ts': 'const = 1' })).toHaveLength(1)
  })
})

describe('RULES', () => {
  it('are silent on an empty project', () => {
    expect(Object.values(RULES).flatMap((rule) => rule(aProject({})))).toEqual([])
  })
})
