import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AttemptId, OrganisationId, TeamId, UserId, WorkloadId } from '../../../src/base/index.ts'
import { id } from '../../../src/base/index.ts'
import type { Engine, LaunchOrder } from '../../../src/control/ports/index.ts'
import type { Program } from '../../../src/model/index.ts'
import { isAlive, pidIn, until } from './conditions.ts'
import { Observer, wholeLog } from './observer.ts'

/** One installation of an engine, for one test. */
export interface EngineUnderTest {
  /** A folder that tasks see under the same path. */
  readonly scratch: string
  /** The engine in this process. A second call closes the first: the server was started again. */
  open(): Promise<Engine>
  /** Launches in another process, which is killed with -9 as soon as the attempt runs. */
  launchAndDie(order: LaunchOrder): Promise<void>
  /** Ends whatever is left and closes the engine. */
  dispose(): Promise<void>
}

export interface EngineTraits {
  /** Whether tasks run on this machine, so that the tests can look at their processes. */
  readonly runsHere: boolean
  /** Whether the engine bounds what a task may print. */
  readonly capsLogs: boolean
}

/** What every engine must do, shown with real processes. Nodes must offer two GPUs or slots together. */
export function engineConformance(
  name: string,
  install: () => Promise<EngineUnderTest>,
  traits: EngineTraits,
): void {
  describe(`engine ${name}`, () => {
    let under: EngineUnderTest
    let engine: Engine
    let observer: Observer
    let scratch: string

    beforeEach(async () => {
      under = await install()
      scratch = await mkdtemp(join(under.scratch, 'test '))
      await reopen()
    })

    afterEach(async () => {
      await under.dispose()
      await rm(scratch, { recursive: true, force: true, maxRetries: 10 })
    })

    async function reopen(): Promise<void> {
      engine = await under.open()
      observer = new Observer(engine)
    }

    /** An order for one task on one slot, or for a gang of two. */
    async function anOrder(
      run: string | readonly string[],
      changes: Partial<Omit<LaunchOrder, 'program'>> & { gang?: number; program?: Partial<Program> } = {},
    ): Promise<LaunchOrder> {
      const { gang = 1, program, ...others } = changes
      const { nodes } = await engine.inventory()
      const places = nodes.flatMap((node) =>
        Array.from({ length: node.gpuCount }, (_, gpu) => ({ node: node.id, gpu })),
      )
      const taken = places.slice(0, gang)
      const parts = [...new Set(taken.map(({ node }) => node))].map((node) => ({
        node,
        gpus: taken.filter((place) => place.node === node).map(({ gpu }) => gpu),
      }))
      const number = ++attempts
      return {
        attempt: id<AttemptId>(`w${process.pid}.${number}`),
        workload: id<WorkloadId>(`w${process.pid}`),
        number,
        name: 'shout',
        owner: { organisation: id<OrganisationId>('o'), team: id<TeamId>('o/t'), user: id<UserId>('u') },
        allocation: { parts },
        program: {
          run: typeof run === 'string' ? [run] : run,
          env: {},
          workdir: scratch,
          tasksPer: 'gpu',
          ...program,
        },
        needsPort: false,
        replica: 0,
        ...others,
      }
    }

    async function launched(order: LaunchOrder): Promise<AttemptId> {
      await engine.launch(order)
      return order.attempt
    }

    describe('inventory', () => {
      test('lists levels ending at the node, and nodes with a domain for each level above', async () => {
        const { levels, nodes } = await engine.inventory()
        expect(levels.at(-1)).toBe('node')
        expect(nodes.length).toBeGreaterThan(0)
        for (const node of nodes) expect(node.domains).toHaveLength(levels.length - 1)
      })
    })

    describe('launch', () => {
      test('runs the tasks and tells of their running and of their end, once each', async () => {
        const attempt = await launched(await anOrder('exit 0', { gang: 2 }))
        const { exits, cause } = await observer.ended(attempt)
        expect(cause).toBeUndefined()
        expect(exits).toMatchObject([
          { task: 0, exitCode: 0, stopped: false },
          { task: 1, exitCode: 0, stopped: false },
        ])
        const kinds = observer.facts.flatMap((fact) => ('attempt' in fact ? fact.kind : []))
        expect(kinds.filter((kind) => kind !== 'attempt-waiting')).toEqual([
          'attempt-running',
          'attempt-ended',
        ])
      })

      test('gives each task the variables of a distributed launcher, with the user’s own on top', async () => {
        const program = { env: { GREETING: 'hello world', WORLD_SIZE_HINT: '2' } }
        const checkpointDir = join(scratch, 'deep', 'checkpoints')
        const attempt = await launched(
          await anOrder('env; test -d "$BANYAN_CHECKPOINT_DIR"', {
            gang: 2,
            program,
            checkpointDir,
            replica: 3,
            arrayIndex: 5,
            number: 4,
          }),
        )
        expect((await observer.ended(attempt)).exits.map(({ exitCode }) => exitCode)).toEqual([0, 0])
        const [first, second] = await Promise.all([
          variables(engine, attempt, 0),
          variables(engine, attempt, 1),
        ])
        expect(first).toMatchObject({
          RANK: '0',
          WORLD_SIZE: '2',
          NODE_RANK: '0',
          LOCAL_RANK: '0',
          BANYAN_WORKLOAD_NAME: 'shout',
          BANYAN_ATTEMPT: '4',
          BANYAN_ATTEMPT_ID: attempt,
          BANYAN_REPLICA: '3',
          BANYAN_ARRAY_INDEX: '5',
          BANYAN_CHECKPOINT_DIR: checkpointDir,
          GREETING: 'hello world',
        })
        expect(second?.RANK).toBe('1')
        expect(second?.MASTER_ADDR).toBe(first?.MASTER_ADDR)
        expect(Number(first?.MASTER_PORT)).toBeGreaterThan(1023)
        expect(second?.MASTER_PORT).toBe(first?.MASTER_PORT)
        expect(first).toHaveProperty('CUDA_VISIBLE_DEVICES')
        expect(first?.BANYAN_PROGRESS_FILE).toMatch(/^\//)
      })

      test('runs the commands in order in one shell and ends at the first that fails', async () => {
        const run = ['cd /', 'export WORD=carried', 'echo "$PWD $WORD"', 'false', 'echo never']
        const attempt = await launched(await anOrder(run))
        expect((await observer.ended(attempt)).exits[0]).toMatchObject({ exitCode: 1 })
        expect(await wholeLog(engine, attempt, 0)).toBe('/ carried\n')
      })

      test('starts nothing the second time, however the calls fall', async () => {
        const order = await anOrder(`echo started >> starts`)
        await Promise.all([engine.launch(order), engine.launch(order), engine.launch(order)])
        await engine.launch(order)
        await observer.ended(order.attempt)
        await engine.launch(order)
        await reopen()
        await engine.launch(order)
        await observer.ended(order.attempt)
        expect(await readFile(join(scratch, 'starts'), 'utf8')).toBe('started\n')
      })

      test('tells where a task that was given a port is to be reached', async () => {
        const server = `require('http').createServer((_, answer) => answer.end('here')).listen(process.env.PORT, () => console.log('up'))`
        const order = await anOrder(`'${process.execPath}' -e "$SERVER"`, {
          needsPort: true,
          program: { env: { SERVER: server } },
        })
        await engine.launch(order)
        const { address } = await observer.running(order.attempt)
        await until(async () => (await engine.logs(order.attempt, 0, 0)).text.includes('up'))
        expect(await (await fetch(`http://${address}/`)).text()).toBe('here')
      })

      test('blames the user for a command that does not exist, and shows what the shell said', async () => {
        const attempt = await launched(await anOrder('no-such-command --now'))
        const { exits } = await observer.ended(attempt)
        expect(exits[0]).toMatchObject({ exitCode: 127, stopped: false })
        expect(exits[0]?.logTail).toMatch(/no-such-command.*not found/)
      })

      test('blames the user for a workdir that does not exist, and names it', async () => {
        const workdir = join(scratch, 'nowhere')
        const attempt = await launched(await anOrder('true', { program: { workdir } }))
        const { cause } = await observer.ended(attempt)
        expect(cause).toMatchObject({ kind: 'launch-refused', blame: 'user' })
        expect(cause?.message).toContain(workdir)
      })
    })

    describe('the end of a gang', () => {
      test('one that fails takes the others with it, which are marked as stopped', async () => {
        const run = `if [ "$RANK" = 1 ]; then echo broken; exit 3; fi; sleep 1000`
        const attempt = await launched(await anOrder(run, { gang: 2 }))
        const { exits } = await observer.ended(attempt)
        expect(exits).toMatchObject([
          { task: 0, stopped: true },
          { task: 1, stopped: false, exitCode: 3, logTail: 'broken\n' },
        ])
      })

      test('one that finishes well leaves the others to go on', async () => {
        const run = `if [ "$RANK" = 1 ]; then echo > done; exit 0; fi; until [ -f done ]; do sleep 0.05; done; exit 4`
        const attempt = await launched(await anOrder(run, { gang: 2 }))
        expect((await observer.ended(attempt)).exits).toMatchObject([
          { exitCode: 4, stopped: false },
          { exitCode: 0, stopped: false },
        ])
      })

      test.runIf(traits.runsHere)('a worker killed from outside is named with its signal', async () => {
        const attempt = await launched(await anOrder('echo $$ > pid.$RANK; exec sleep 1000', { gang: 2 }))
        process.kill(await pidIn(join(scratch, 'pid.1')), 'SIGKILL')
        const { exits } = await observer.ended(attempt)
        expect(exits).toMatchObject([{ stopped: true }, { signal: 'SIGKILL', stopped: false }])
        expect(exits[1]).not.toHaveProperty('exitCode')
      })
    })

    describe('stop', () => {
      test('lets a task save its work within the grace', async () => {
        const run = `trap 'echo saved; exit 0' TERM; echo ready; while :; do sleep 0.05; done`
        const attempt = await launched(await anOrder(run))
        await until(async () => (await engine.logs(attempt, 0, 0)).text === 'ready\n')
        await engine.stop(attempt, { signal: 'SIGTERM', graceMs: 60_000 })
        expect((await observer.ended(attempt)).exits).toMatchObject([{ exitCode: 0, stopped: true }])
        expect(await wholeLog(engine, attempt, 0)).toContain('saved')
      })

      test('lets what the shell started save its work though the shell itself is gone', async () => {
        await writeFile(
          join(scratch, 'worker.sh'),
          `trap 'sleep 0.5; echo saved; exit 0' TERM; echo ready; while :; do sleep 0.05; done`,
        )
        const attempt = await launched(await anOrder('sh worker.sh; true'))
        await until(async () => (await engine.logs(attempt, 0, 0)).text === 'ready\n')
        await engine.stop(attempt, { signal: 'SIGTERM', graceMs: 60_000 })
        await observer.ended(attempt)
        expect(await wholeLog(engine, attempt, 0)).toContain('saved')
      })

      test('kills what ignores the signal when the grace is over', async () => {
        const attempt = await launched(
          await anOrder(`trap '' TERM; echo ready; while :; do sleep 0.05; done`),
        )
        await until(async () => (await engine.logs(attempt, 0, 0)).text === 'ready\n')
        await engine.stop(attempt, { signal: 'SIGTERM', graceMs: 100 })
        expect((await observer.ended(attempt)).exits).toMatchObject([{ signal: 'SIGKILL', stopped: true }])
      })

      test('may be hurried, and repeating it changes nothing', async () => {
        const attempt = await launched(
          await anOrder(`trap '' TERM; echo ready; while :; do sleep 0.05; done`),
        )
        await until(async () => (await engine.logs(attempt, 0, 0)).text === 'ready\n')
        const patient = { signal: 'SIGTERM', graceMs: 600_000 }
        await engine.stop(attempt, patient)
        await engine.stop(attempt, patient)
        await engine.stop(attempt, { signal: 'SIGKILL', graceMs: 0 })
        expect((await observer.ended(attempt)).exits).toMatchObject([{ signal: 'SIGKILL', stopped: true }])
      })

      test('given right after the launch it is not lost', async () => {
        const order = await anOrder('sleep 1000', { gang: 2 })
        const launching = engine.launch(order)
        await engine.stop(order.attempt, { signal: 'SIGTERM', graceMs: 1_000 })
        await launching
        const { exits } = await observer.ended(order.attempt)
        expect(exits.map(({ stopped }) => stopped)).toEqual([true, true])
      })

      test('ignores attempts that it does not know or that have ended', async () => {
        const how = { signal: 'SIGTERM', graceMs: 0 }
        await engine.stop(id<AttemptId>('w0.99'), how)
        const attempt = await launched(await anOrder('true'))
        await observer.ended(attempt)
        await engine.stop(attempt, how)
        expect((await observer.ended(attempt)).exits[0]).toMatchObject({ exitCode: 0, stopped: false })
      })
    })

    describe.runIf(traits.runsHere)('nothing of an ended attempt is left running', () => {
      test.each([
        ['a child in the background', 'sleep 1000 & echo $! > pid'],
        ['a child in a session of its own', `setsid sh -c 'echo $$ > pid; exec sleep 1000' &`],
        [
          'a child that ignores signals',
          `setsid sh -c 'trap "" TERM HUP; echo $$ > pid; sleep 1000; sleep 1000' &`,
        ],
        ['a child that cleared its environment', `env -i sh -c 'echo $$ > pid; exec sleep 1000' &`],
      ])('%s', async (_, run) => {
        const attempt = await launched(await anOrder(`${run}\nuntil [ -s pid ]; do sleep 0.02; done`))
        const pid = await pidIn(join(scratch, 'pid'))
        await observer.ended(attempt)
        expect(isAlive(pid)).toBe(false)
      })

      test('a child that left, when the attempt is stopped', async () => {
        const attempt = await launched(
          await anOrder(
            `setsid sh -c 'trap "" TERM; echo $$ > pid; while :; do sleep 0.1; done' & sleep 1000`,
          ),
        )
        const pid = await pidIn(join(scratch, 'pid'))
        await engine.stop(attempt, { signal: 'SIGTERM', graceMs: 300 })
        await observer.ended(attempt)
        expect(isAlive(pid)).toBe(false)
      })
    })

    describe('observe', () => {
      test('begins with the whole picture and goes on from its cursor', async () => {
        const attempt = await launched(await anOrder('until [ -f go ]; do sleep 0.05; done'))
        await observer.running(attempt)
        const { signal } = new AbortController()
        const first = await engine.observe(undefined, signal)
        expect(first.complete).toBe(true)
        expect(first.facts).toContainEqual(expect.objectContaining({ kind: 'attempt-running', attempt }))
        await writeFile(join(scratch, 'go'), '')
        const second = await engine.observe(first.cursor, signal)
        expect(second.complete).toBe(false)
        expect(second.facts).toMatchObject([{ kind: 'attempt-ended', attempt }])
        const again = await engine.observe(first.cursor, signal)
        expect(again.facts).toEqual(second.facts)
      })

      test('answers a cursor of another process with the whole picture', async () => {
        const attempt = await launched(await anOrder('true'))
        const { signal } = new AbortController()
        await observer.ended(attempt)
        const { cursor } = await engine.observe(undefined, signal)
        await reopen()
        const seen = await engine.observe(cursor, signal)
        expect(seen.complete).toBe(true)
        expect(seen.facts).toContainEqual(expect.objectContaining({ kind: 'attempt-ended', attempt }))
      })

      test('returns when the observer leaves', async () => {
        const leaving = new AbortController()
        const { cursor } = await engine.observe(undefined, leaving.signal)
        const waiting = engine.observe(cursor, leaving.signal)
        leaving.abort()
        expect(await waiting).toMatchObject({ facts: [], complete: false })
      })
    })

    describe('a server that is killed with -9', () => {
      test('leaves its tasks running, and the next one adopts them without starting them twice', async () => {
        const order = await anOrder('echo started >> starts; until [ -f go ]; do sleep 0.05; done; exit 7')
        await under.launchAndDie(order)
        await reopen()
        await engine.launch(order)
        await observer.running(order.attempt)
        await writeFile(join(scratch, 'go'), '')
        expect((await observer.ended(order.attempt)).exits).toMatchObject([{ exitCode: 7, stopped: false }])
        expect(await readFile(join(scratch, 'starts'), 'utf8')).toBe('started\n')
      })

      test('the next one can stop them', async () => {
        const order = await anOrder('sleep 1000', { gang: 2 })
        await under.launchAndDie(order)
        await reopen()
        await engine.stop(order.attempt, { signal: 'SIGTERM', graceMs: 5_000 })
        expect((await observer.ended(order.attempt)).exits.map(({ stopped }) => stopped)).toEqual([
          true,
          true,
        ])
      })

      test('the next one knows how a task ended while nobody watched', async () => {
        const order = await anOrder('echo $$ > pid; until [ -f go ]; do sleep 0.05; done; echo bye; exit 9')
        await under.launchAndDie(order)
        const pid = await pidIn(join(scratch, 'pid'))
        await writeFile(join(scratch, 'go'), '')
        if (traits.runsHere) await until(() => !isAlive(pid))
        await reopen()
        expect((await observer.ended(order.attempt)).exits).toMatchObject([{ exitCode: 9, logTail: 'bye\n' }])
      })

      test('a gang whose worker fails meanwhile is ended all the same', async () => {
        const run = `if [ "$RANK" = 1 ]; then until [ -f go ]; do sleep 0.05; done; exit 3; fi; echo $$ > pid; exec sleep 1000`
        const order = await anOrder(run, { gang: 2 })
        await under.launchAndDie(order)
        const pid = await pidIn(join(scratch, 'pid'))
        await writeFile(join(scratch, 'go'), '')
        if (traits.runsHere) await until(() => !isAlive(pid))
        await reopen()
        expect((await observer.ended(order.attempt)).exits).toMatchObject([
          { stopped: true },
          { exitCode: 3, stopped: false },
        ])
      })
    })

    describe('logs', () => {
      test('are read from any offset, each task its own, also while it runs', async () => {
        const run = `echo "rank $RANK"; until [ -f go ]; do sleep 0.05; done; echo 'añadido ✓' >&2`
        const attempt = await launched(await anOrder(run, { gang: 2 }))
        await until(async () => (await engine.logs(attempt, 1, 0)).text === 'rank 1\n')
        const before = await engine.logs(attempt, 1, 0)
        expect(before).toEqual({ text: 'rank 1\n', next: 7, ended: false })
        expect(await engine.logs(attempt, 1, before.next)).toEqual({ text: '', next: 7, ended: false })
        await writeFile(join(scratch, 'go'), '')
        await observer.ended(attempt)
        expect(await engine.logs(attempt, 1, 7)).toMatchObject({ text: 'añadido ✓\n', ended: true })
        expect(await wholeLog(engine, attempt, 0)).toBe('rank 0\nañadido ✓\n')
      })

      test('can be written to by name', async () => {
        const attempt = await launched(await anOrder('echo one > /dev/stdout; echo two > /dev/stderr'))
        await observer.ended(attempt)
        expect(await wholeLog(engine, attempt, 0)).toBe('one\ntwo\n')
      })

      test('the end of an attempt carries the last 16 KiB of each', async () => {
        const attempt = await launched(await anOrder(`yes | head -c 100000; echo last words; exit 1`))
        const { exits } = await observer.ended(attempt)
        expect(exits[0]?.logTail.endsWith('y\nlast words\n')).toBe(true)
        expect(exits[0]?.logTail.length).toBe(16 * 1024)
      })

      testIf(traits.capsLogs)(
        'of 100 MB are capped, say so, and keep the beginning and the end',
        async () => {
          const attempt = await launched(
            await anOrder('echo first words; yes 123456789 | head -c 100000000; echo last words'),
          )
          expect((await observer.ended(attempt)).exits).toMatchObject([{ exitCode: 0 }])
          const log = await wholeLog(engine, attempt, 0)
          expect(log.length).toBeLessThan(70_000_000)
          expect(log.startsWith('first words\n123456789\n')).toBe(true)
          expect(log.endsWith('123456789\nlast words\n')).toBe(true)
          const notices = log.match(/\[banyan: (\d+) bytes of output were not kept/)
          expect(Number(notices?.[1])).toBeGreaterThan(30_000_000)
        },
      )
    })

    describe('progress', () => {
      test('comes from the file that the program writes, past lines that are broken', async () => {
        const lines = [
          '{"step":1,"totalSteps":50,"loss":5.5,"tokens":1024}',
          'not json',
          '{"loss":1}',
          '{"step":2,"loss":4.5,"checkpoint":"step-2"}',
          '{"step":3,"totalSteps":50,"loss":NaN,"tokens":3072}',
        ]
        await writeFile(join(scratch, 'lines'), `${lines.join('\n')}\n{"step":4`)
        const checkpointDir = join(scratch, 'checkpoints')
        const attempt = await launched(
          await anOrder('cat lines >> "$BANYAN_PROGRESS_FILE"; until [ -f go ]; do sleep 0.05; done', {
            checkpointDir,
          }),
        )
        const fact = await observer.fact('attempt-progress', attempt, ({ progress }) => progress.step === 3)
        expect(fact).toMatchObject({
          firstLoss: 5.5,
          progress: { step: 3, totalSteps: 50, tokens: 3072 },
          checkpoint: { step: 2, path: join(checkpointDir, 'step-2') },
        })
        expect(fact.progress).not.toHaveProperty('loss')
        await writeFile(join(scratch, 'go'), '')
        await observer.ended(attempt)
      })

      test('is complete at the end, in few facts', async () => {
        const run = `i=0; while [ $i -lt 2000 ]; do i=$((i+1)); echo "{\\"step\\":$i}"; done >> "$BANYAN_PROGRESS_FILE"`
        const attempt = await launched(await anOrder(run))
        await observer.ended(attempt)
        const facts = observer.facts.filter((fact) => fact.kind === 'attempt-progress')
        expect(facts.at(-1)).toMatchObject({ progress: { step: 2000 } })
        expect(facts.length).toBeLessThan(20)
      })

      test('survives the server', async () => {
        const order = await anOrder(
          `echo '{"step":1,"loss":3}' >> "$BANYAN_PROGRESS_FILE"; until [ -f go ]; do sleep 0.05; done; echo '{"step":9,"loss":2}' >> "$BANYAN_PROGRESS_FILE"`,
        )
        await under.launchAndDie(order)
        await reopen()
        await writeFile(join(scratch, 'go'), '')
        await observer.ended(order.attempt)
        expect(observer.facts.filter((fact) => fact.kind === 'attempt-progress').at(-1)).toMatchObject({
          firstLoss: 3,
          progress: { step: 9, loss: 2 },
        })
      })
    })

    describe('forget', () => {
      test('leaves the logs, and nothing that could be reported or started again', async () => {
        const order = await anOrder('echo started >> starts; echo kept')
        await engine.launch(order)
        await observer.ended(order.attempt)
        await engine.forget(order.attempt)
        await engine.forget(order.attempt)
        await engine.launch(order)
        await reopen()
        const { facts } = await engine.observe(undefined, new AbortController().signal)
        expect(facts.filter((fact) => 'attempt' in fact)).toEqual([])
        expect(await engine.logs(order.attempt, 0, 0)).toEqual({ text: 'kept\n', next: 5, ended: true })
        expect(await readFile(join(scratch, 'starts'), 'utf8')).toBe('started\n')
      })

      test('keeps the logs whole for those who read them in that moment', async () => {
        const attempt = await launched(await anOrder('echo kept'))
        await observer.ended(attempt)
        let forgotten = false
        const forgetting = engine.forget(attempt).then(() => {
          forgotten = true
        })
        while (!forgotten) {
          expect(await engine.logs(attempt, 0, 0)).toEqual({ text: 'kept\n', next: 5, ended: true })
        }
        await forgetting
      })

      test('does nothing to an attempt that runs', async () => {
        const attempt = await launched(await anOrder('until [ -f go ]; do sleep 0.05; done'))
        await observer.running(attempt)
        await engine.forget(attempt)
        await writeFile(join(scratch, 'go'), '')
        expect((await observer.ended(attempt)).exits).toMatchObject([{ exitCode: 0 }])
      })
    })
  })
}

/** A test of what only some engines do; for the others there is none, rather than one that is skipped. */
function testIf(isThere: boolean): (name: string, run: () => Promise<void>) => void {
  return isThere ? (name, run) => test(name, run) : () => {}
}

/** Attempts of one run of the suite never share an id, as they would not in one installation. */
let attempts = 0

async function variables(
  engine: Engine,
  attempt: AttemptId,
  task: number,
): Promise<Record<string, string> | undefined> {
  const lines = (await wholeLog(engine, attempt, task)).split('\n')
  return Object.fromEntries(lines.map((line) => line.split(/=(.*)/s).slice(0, 2)))
}
