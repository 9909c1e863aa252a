import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { type Installed, installPackage, ROOT } from './installed.ts'

const run = promisify(execFile)

let installed: Installed
beforeAll(async () => {
  installed = await installPackage()
})
afterAll(() => installed?.remove())

describe('the packed package, installed under a path with spaces', () => {
  it('has nothing that publint objects to', async () => {
    const { messages, pkg } = await publint({ pkgDir: installed.packageDir, pack: false })
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([])
  })

  it('holds what is run and read, and no sources or tests', async () => {
    const files = await readdir(installed.packageDir, { recursive: true })
    const own = files.filter((path) => !path.startsWith('node_modules'))
    const tops = new Set(own.map((path) => path.split('/')[0]))
    expect([...tops]).toEqual(
      expect.arrayContaining(['dist', 'examples', 'LICENSE', 'README.md', 'package.json']),
    )
    expect(own.filter((path) => /\.test\.|fixtures|(?<!\.d)\.tsx?$/.test(path))).toEqual([])
  })

  it('says its version, and loads for it neither schemas nor server', async () => {
    const loaded = join(installed.workDir, 'loaded.txt')
    const watch = join(installed.workDir, 'watch.mjs')
    await writeFile(watch, WATCH_LOADS)
    const { out, code } = await installed.banyan(['--version'], {
      NODE_OPTIONS: `--import=${encodeURI(`file://${watch}`)}`,
      LOADED_FILE: loaded,
    })
    expect({ out: out.trim(), code }).toEqual({ out: manifest.version, code: 0 })
    const urls = (await readFile(loaded, 'utf8')).split('\n')
    expect(urls).toContainEqual(expect.stringContaining('dist/cli/main.js'))
    expect(
      urls.filter((url) => /node_modules\/(zod|hono|pg|kysely|@electric-sql)\/|dist\/server\//.test(url)),
    ).toEqual([])
  })

  it('starts a server on an embedded store that answers and gives its console, and ends it', async () => {
    const up = await installed.banyan(['up', '--json', '--port', '0'])
    expect(up).toMatchObject({ code: 0 })
    try {
      const { url } = JSON.parse(up.out) as { readonly url: string }
      const page = await fetch(`${url}/console/`)
      const script = /src="([^"]+\.js)"/.exec(await page.text())?.[1] ?? 'no script'
      expect((await fetch(`${url}${script}`)).headers.get('content-type')).toContain('javascript')
      const list = await installed.banyan(['ps', '--json'])
      expect(list).toMatchObject({ code: 0 })
      expect(() => JSON.parse(list.out)).not.toThrow()
    } finally {
      const down = await installed.banyan(['down'])
      expect(down).toMatchObject({ code: 0 })
    }
  })
})

describe('the SDK, in a project of its user', () => {
  let project: string
  beforeAll(async () => {
    project = join(installed.workDir, 'project')
    await mkdir(join(project, 'node_modules'), { recursive: true })
    await symlink(installed.packageDir, join(project, 'node_modules/banyan'))
    await writeFile(join(project, 'package.json'), '{ "type": "module" }')
  })

  it('makes a client', async () => {
    const program = "import { createClient } from 'banyan'; console.log(typeof createClient)"
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', program], { cwd: project })
    expect(stdout.trim()).toBe('function')
  })

  it.each([
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ])('has types under module %s and resolution %s', async (module, moduleResolution) => {
    await writeFile(
      join(project, 'use.ts'),
      `import { createClient, type WorkloadView } from 'banyan'
       export const idOf = (view: WorkloadView): string => view.id
       // @ts-expect-error a client is made from options
       createClient(7)`,
    )
    const words = ['--noEmit', '--strict', '--target', 'es2023', '--module', module]
    const compiled = run(
      join(ROOT, 'node_modules/.bin/tsc'),
      [...words, '--moduleResolution', moduleResolution, '--lib', 'es2023,dom', 'use.ts'],
      { cwd: project },
    )
    await expect(compiled.catch((error: { stdout: string }) => error)).resolves.toMatchObject({ stdout: '' })
  })
})

/** Writes the address of every module that is loaded to a file. */
const WATCH_LOADS = `
import { register } from 'node:module'
const hooks = \`
  import { appendFileSync } from 'node:fs'
  export async function load(url, context, next) {
    appendFileSync(process.env.LOADED_FILE, url + '\\\\n')
    return next(url, context)
  }\`
register('data:text/javascript,' + encodeURIComponent(hooks))
`
