import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Interrupted, type Io } from '../../src/cli/io.ts'
import { runCli } from '../../src/cli/run-cli.ts'
import { aTerminal } from '../../src/cli/test-io.ts'
import { aServer, type RunningServer, whenIn } from './running-server.ts'

/** The command line against a real server that runs real processes on two slots. */
let server: RunningServer
let folder: string

beforeAll(async () => {
  server = await aServer({ slots: 2 })
  folder = mkdtempSync(join(tmpdir(), 'banyan-cli-'))
})
afterAll(async () => {
  await server.remove()
  rmSync(folder, { recursive: true })
})

async function banyan(line: string, changes: Partial<Io> = {}) {
  const env = { BANYAN_URL: server.url, BANYAN_TOKEN: server.token }
  const io = aTerminal({ cwd: folder, env, now: Date.now, ...changes })
  const code = await runCli(line.split(' ').filter(Boolean), io)
  return { code, ...io.written }
}

function spec(name: string, lines: string): string {
  writeFileSync(join(folder, `${name}.yaml`), `type: train\nname: ${name}\n${lines}\n`)
  return `${name}.yaml`
}

const REPORT = (step: number) =>
  `echo '{"step":${step},"totalSteps":4,"loss":${5 - step},"tokens":${step * 100}}' >> $BANYAN_PROGRESS_FILE`

describe('run', () => {
  test('follows work to its end, and its exit status says how it went', async () => {
    const file = spec('good', `gpus: 1\nrun: |\n  echo hello\n  ${REPORT(1)}\n  ${REPORT(4)}`)
    const { code, out } = await banyan(`run -f ${file}`)
    expect(out).toMatch(/^w\d+ \(good\) submitted\n/)
    expect(out).toMatch(/attempt 1 starts on \S+ \(1 GPU\)/)
    expect(out).toMatch(/w\d+ {2}step \d\/4 {2}loss \d/)
    expect(out).toMatch(/w\d+ succeeded\n$/)
    expect(code).toBe(0)
  })

  test('says which failure it was, and exits with 8', async () => {
    const { code, out, err } = await banyan(`run -f ${spec('bad', 'gpus: 1\nrun: echo oh no; exit 3')}`)
    expect(out).toMatch(/ended, user-failure: exit-code, task 0 on \S+ ended with exit code 3/)
    expect(err).toMatch(/^banyan: w\d+ failed: .*exit code 3.*\nNext: banyan show w\d+, banyan logs w\d+/)
    expect(code).toBe(8)
  })

  test('tells every fault of a spec, each with its place, and exits with 6', async () => {
    const { code, err } = await banyan(`run ${spec('faulty', 'gpus: many\nrnu: x')}`)
    expect(err.split('\n').slice(0, 3)).toEqual([
      'banyan: faulty.yaml:1:1: run: missing; needs the command to run, or a list of commands',
      'banyan: faulty.yaml:3:7: gpus: needs a whole number from 1, a share below 1 such as 0.25, or auto, found "many"',
      expect.stringMatching(
        /^banyan: faulty\.yaml:4:1: rnu: unknown field \(did you mean "run"\?\); known here: type/,
      ),
    ])
    expect(code).toBe(6)
  })

  test('reads standard input, sets values, runs in the folder it is called from', async () => {
    const readInput = async () => 'type: train\nname: piped\ngpus: 1\nrun: pwd'
    const { out, code } = await banyan('run - --set name=renamed --set env.A=b --json', { readInput })
    expect(code).toBe(0)
    const [workload] = JSON.parse(out).workloads
    expect(workload.spec).toMatchObject({ name: 'renamed', program: { workdir: folder, env: { A: 'b' } } })
    await whenIn(server.client(), workload.id, 'succeeded')
    expect((await banyan(`logs ${workload.id}`)).out).toBe(`${folder}\n`)
  })

  test('--dry-run submits nothing', async () => {
    const { out, code } = await banyan(`run --dry-run ${spec('dry', 'gpus: 2\nrun: x')}`)
    expect(out).toMatch(/^dry would start now on \S+\.\nNothing was submitted\.\n$/)
    expect(code).toBe(0)
    expect((await banyan('ps --all --name dry')).out).toBe('No workload matches.\n')
  })

  test('a field that this engine does not act on is refused with its place', async () => {
    const { err, code } = await banyan(`run ${spec('boxed', 'gpus: 1\nrun: x\nimage: pytorch')}`)
    expect(err).toMatch(
      /^banyan: boxed\.yaml:5:8: image: the engine "local" runs processes without containers/,
    )
    expect(code).toBe(6)
  })

  test('an interrupt leaves it running and says how to go on', async () => {
    const interrupt = new AbortController()
    const io: Partial<Io> = { interrupt: () => interrupt.signal }
    const file = spec('left', 'gpus: 1\nrun: sleep 600')
    const running = banyan(`run -f ${file}`, io)
    const { items } = await untilListed('left')
    interrupt.abort(new Interrupted())
    const { code, err } = await running
    expect(code).toBe(130)
    expect(err).toMatch(/^w\d+ goes on; banyan logs -f w\d+/)
    expect((await banyan(`stop ${items[0]!.id} --kill --wait`)).out).toMatch(/ is cancelled/)
  })
})

async function untilListed(name: string) {
  for await (const { data } of server.client().followEvents({ after: 0 })) {
    if (data.event.kind !== 'workload-submitted') continue
    const list = await server.client().listWorkloads({ name })
    if (list.items.length > 0) return list
  }
  throw new Error(`${name} was never submitted`)
}

describe('what waits', () => {
  test('is listed, explained, shown and cancelled', async () => {
    await banyan(`run ${spec('holder', 'gpus: 2\nrun: sleep 600')}`)
    await whenIn(server.client(), 'holder', 'running')
    const submitted = await banyan(`run ${spec('waiter', 'gpus: 2\nrun: echo done')}`)
    expect(submitted.out).toMatch(/^w\d+ \(waiter\) is queued.*\nnext banyan explain w\d+/)

    const list = await banyan('ps')
    expect(list.out).toMatch(/^ID +NAME +TYPE +STATE +GPUS +AGE +ETA\/REASON\n/)
    expect(list.out).toMatch(/^w\d+ +waiter +train +queued +2 /m)
    expect(list.out).toMatch(/^w\d+ +holder +train +running +2 /m)
    expect(Math.max(...list.out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)

    const why = await banyan('explain waiter')
    expect(why.out).toMatch(/is queued.*\nplace 1 of the queue\n {2}capacity: /)
    expect(why.out).toMatch(/w\d+ of operator holds 2 GPUs/)

    expect((await banyan('stop waiter holder --wait')).out).toMatch(
      /waiter\) is cancelled.*\n.*holder\) is cancelled/,
    )
    expect(await banyan('stop waiter')).toMatchObject({ code: 5 })
  })
})

describe('looking back', () => {
  test('show gives the attempts with the failure named, and the events', async () => {
    const { out } = await banyan('show bad --events')
    expect(out).toMatch(/^workload +w\d+ bad \(train\)\nstate +failed since/)
    expect(out).toMatch(/^w\d+\.1 +user-failure +\S+:\d/m)
    expect(out).toMatch(/exit-code: task 0 on \S+ ended with exit code 3/)
    expect(out).toMatch(/oh no/)
    expect(out).toMatch(/user:operator +w\d+ submitted/)
  })

  test('logs of a gang carry the rank, --task and --tail choose', async () => {
    await banyan(`run -f ${spec('gang', 'gpus: 2\nrun: for i in 1 2 3; do echo "line $i of $RANK"; done')}`)
    const all = await banyan('logs gang')
    expect(all.out.split('\n')).toEqual([
      ...[1, 2, 3].map((line) => `[0] line ${line} of 0`),
      ...[1, 2, 3].map((line) => `[1] line ${line} of 1`),
      '',
    ])
    expect((await banyan('logs gang --task 1 -n 2')).out).toBe('line 2 of 1\nline 3 of 1\n')
    const followed = await banyan('logs -f gang --task 0')
    expect(followed).toMatchObject({ code: 0, out: 'line 1 of 0\nline 2 of 0\nline 3 of 0\n' })
  })

  test('usage adds up what was used', async () => {
    const { items, rows, total } = JSON.parse((await banyan('usage --json --by workload')).out)
    expect(items).toBeUndefined()
    expect(rows.length).toBeGreaterThan(2)
    expect(total.held).toBeGreaterThan(0)
    expect((await banyan('usage')).out).toMatch(/^TEAM +WORKLOADS +HELD +BILLED +LOST\ndefault\/default /m)
  })

  test('what is not there is "not found"', async () => {
    for (const command of [
      'show nosuch',
      'logs nosuch',
      'explain nosuch',
      'stop nosuch',
      'nodes resume nosuch',
    ]) {
      expect(await banyan(command)).toMatchObject({ code: 3, out: '' })
    }
  })
})

describe('operating', () => {
  test('a node is cordoned with a reason and resumed', async () => {
    const [node] = JSON.parse((await banyan('nodes --json')).out).items
    expect((await banyan(`nodes cordon ${node.id} --reason fan`)).out).toBe(`${node.id} is cordoned: fan\n`)
    expect((await banyan('nodes')).out).toMatch(/cordoned +slot +0\/2 .* fan \(/)
    expect((await banyan(`nodes resume ${node.id}`)).code).toBe(0)
    expect((await banyan('nodes')).out).toMatch(/ready +slot +2\/2 /)
  })

  test('a node is renamed and gets its name back, and the audit says so', async () => {
    const [node] = JSON.parse((await banyan('nodes --json')).out).items
    expect((await banyan(`nodes rename ${node.id} tower-7`)).out).toBe(
      `${node.id} is now called tower-7; its engine calls it ${node.id}\n`,
    )
    expect((await banyan('nodes')).out).toMatch(/^tower-7 +ready /m)
    expect((await banyan('audit --kind node-renamed')).out).toContain(`${node.id} is now called tower-7`)
    expect((await banyan('audit --node tower-7')).out).toContain(`${node.id} is now called tower-7`)
    expect(await banyan('nodes rename tower-7 a+b')).toMatchObject({ code: 2, out: '' })
    expect((await banyan(`nodes rename tower-7 ${node.id}`)).out).toBe(`tower-7 is now called ${node.id}\n`)
  })

  test('a queue gets a limit and loses it', async () => {
    expect((await banyan('queues set default/default --limit 1 --weight 2.5')).out).toMatch(
      /default\/default +0 +0 +1 +2\.5 /,
    )
    expect((await banyan('queues set default/default --limit none')).out).toMatch(
      /default\/default +0 +0 +- /,
    )
  })

  test('the policy is changed only when somebody said yes', async () => {
    const { code, err } = await banyan('policy set ordering=fifo')
    expect([code, err]).toEqual([2, expect.stringContaining('nobody to ask')])
    expect((await banyan('policy set ordering=fifo minimumRun=3m --yes')).out).toMatch(/^ordering +fifo$/m)
    const policy = JSON.parse((await banyan('policy --json')).out)
    expect(policy).toMatchObject({ ordering: 'fifo', minimumRunMs: 180_000 })
  })

  test('a policy file is shown, asked about, and applied to queues and policy together, or not at all', async () => {
    const file = (text: string) => writeFileSync(join(folder, 'policy.yaml'), text)
    file(
      'policy: {holdDepth: 7, growAfter: 1h}\nqueues:\n  default/default: {guaranteedGpus: 1, limitGpusPerUser: 2}\n  default: {guaranteedGpus: 2}\n',
    )
    expect(await banyan('policy apply policy.yaml')).toMatchObject({
      code: 2,
      err: expect.stringContaining('nobody to ask'),
    })
    const refused = await banyan('policy apply policy.yaml', { isPiped: false, ask: async () => 'no' })
    expect(refused).toMatchObject({ code: 2, err: expect.stringContaining('would change nothing') })
    const { policy, queues } = JSON.parse((await banyan('policy apply policy.yaml --yes --json')).out)
    expect(policy).toMatchObject({ holdDepth: 7, growAfterMs: 3_600_000 })
    expect(queues).toMatchObject([
      { id: 'default', guaranteedGpus: 2 },
      { id: 'default/default', guaranteedGpus: 1, limitGpusPerUser: 2 },
    ])
    file(
      'queues: {default: {guaranteedGpus: 0}, default/default: {guaranteedGpus: 0, limitGpusPerUser: null}}',
    )
    expect((await banyan('policy apply policy.yaml --yes')).code).toBe(0)
    expect(JSON.parse((await banyan('audit --kind policy-applied --json')).out).items).toHaveLength(2)
    file('policy: {holdDepth: 9}\nqueues: {default: {limitGpus: 5}, default/default: {guaranteedGpus: 3}}')
    expect(await banyan('policy apply policy.yaml --yes')).toMatchObject({ code: 2, out: '' })
    expect(JSON.parse((await banyan('policy --json')).out).holdDepth).toBe(7)
    expect((await banyan('queues')).out).toMatch(/^default +0 +0 +- /m)
    file('policy: {holdDepth: 9}')
    const overtaken = await banyan('policy apply policy.yaml', {
      isPiped: false,
      ask: async () => {
        expect((await banyan('policy set holdDepth=8 --yes')).code).toBe(0)
        return 'yes'
      },
    })
    expect(overtaken).toMatchObject({
      code: 5,
      err: expect.stringContaining('not what they were at the preview'),
    })
    expect(JSON.parse((await banyan('policy --json')).out).holdDepth).toBe(8)
    file('queues: {default: {guarantee: 1}}')
    expect((await banyan('policy apply policy.yaml --yes')).err).toContain(
      'queues.default has no "guarantee"',
    )
    file('queues: {default: {guaranteedDomains: {level: rack, count: 1}}}')
    const unknown = await banyan('policy apply policy.yaml --yes')
    expect(unknown).toMatchObject({ code: 2, err: expect.stringContaining('the level "rack"') })
    const budget = await banyan('queues set default --budget 10/1d --guaranteed-domains 1xsite')
    expect(budget.out).toMatch(/1 site .* 10\/1d /)
    expect((await banyan('queues set default --budget none --guaranteed-domains none')).code).toBe(0)
  })

  test('reservations: tried, made, listed, explained, cancelled', async () => {
    const window = 'optics --maintenance --count 1 --from 1h --for 2h --reason optics'
    expect((await banyan(`reserve ${window} --dry-run`)).out).toBe('It would change nothing for anybody.\n')
    expect((await banyan('reservations')).out).toBe('Nothing is reserved.\n')
    expect((await banyan(`reserve ${window}`)).out).toMatch(
      /^maintenance +optics \(planned\): optics\nfrom +.*\(in (1h|59m 5\ds)\)\nto +.*\(2h long\)\nfor +nobody\non +\S+\n/,
    )
    const listed = await banyan('reservations')
    expect(listed.out).toMatch(
      /^NAME +KIND +STATE +FROM +TO +NODES +FOR +REASON\noptics +maintenance +planned .* 1 +- +optics\n$/,
    )
    expect((await banyan(`run ${spec('windowed', 'gpus: 1\ntime: 4h\nrun: echo on')}`)).code).toBe(0)
    const explained = await banyan('explain windowed')
    expect(explained.out).toMatch(
      /reservation: There is room now, but it is kept for maintenance optics \(optics\)/,
    )
    expect(explained.out).toMatch(/optics \(optics\) ends in (3h|2h 59m)/)
    expect(explained.out).toMatch(
      /tried: Without the maintenance window optics it starts now\. -> starts now/,
    )
    expect((await banyan('reservations cancel optics')).out).toBe('optics is cancelled\n')
    const { workloads } = { workloads: (await server.client().listWorkloads({ name: 'windowed' })).items }
    await whenIn(server.client(), workloads[0]!.id, 'succeeded')
    expect(await banyan('reservations show optics')).toMatchObject({ code: 3 })
    expect(await banyan('reserve x --count 1')).toMatchObject({ code: 2 })
    expect(await banyan('reserve x --for 1h')).toMatchObject({ code: 2 })
    expect((await banyan('reserve x --count 99 --for 1h --queue default/default')).err).toContain(
      'no 99 ready nodes',
    )
  })

  test('people: an organisation, a team, a user with a token who sees only their own', async () => {
    await banyan('orgs create acme')
    await banyan('teams create acme/ml')
    const made = await banyan('users set ann --organisation acme --team acme/ml')
    expect(made.out).toBe(
      'ann is a member of acme, in acme/ml.\nNext: banyan tokens issue --user ann --label laptop\n',
    )
    const secret = (await banyan('tokens issue --user ann --label laptop')).out.trim()
    const env = { BANYAN_URL: server.url, BANYAN_TOKEN: secret }
    expect((await banyan('whoami', { env })).out).toMatch(
      /^user +ann\nrole +member\norganisation +acme\nteams +acme\/ml\n/,
    )
    expect((await banyan('ps --all', { env })).out).toMatch(/^There are no workloads yet/)
    expect(await banyan('show good', { env })).toMatchObject({ code: 3 })
    expect(await banyan('policy set ordering=fifo --yes', { env })).toMatchObject({ code: 4 })
    const [token] = JSON.parse((await banyan('tokens --json', { env })).out).items
    expect((await banyan(`tokens revoke ${token.id}`, { env })).code).toBe(0)
    const refused = await banyan('whoami', { env })
    expect(refused.code).toBe(4)
    expect(refused.err).toContain('BANYAN_TOKEN')
  })

  test('a Slurm site is brought over: its accounts as queues and teams, its users, and again without harm', async () => {
    writeFileSync(join(folder, 'slurm.conf'), 'ClusterName=hal\nNodeName=n[1-4] CPUs=8 Gres=gpu:h100:8\n')
    const accounts = [
      "Parent - 'root'",
      "Account - 'research':Fairshare=3:GrpTRES=gres/gpu=64",
      "Parent - 'research'",
      "Account - 'nlp':Fairshare=2",
      "Parent - 'nlp'",
      "User - 'grace':DefaultAccount='nlp'",
    ]
    writeFileSync(join(folder, 'accounts.txt'), accounts.join('\n'))
    for (const _ of ['first', 'again']) {
      const { code, out } = await banyan('slurm import slurm.conf --accounts accounts.txt --apply')
      expect(code).toBe(0)
      expect(out).toContain('# Set: 2 queues and 1 user. Not set: the policy below')
    }
    expect((await banyan('queues')).out).toMatch(/research .*64 +3 .*\n +research\/nlp .*- +2 /)
    expect((await banyan('users --json')).out).toContain('"grace"')
  })

  test('a backup is written once and whole', async () => {
    expect((await banyan('backup all.gz')).out).toMatch(/^all\.gz \([\d.]+ KiB\)/)
    expect(readFileSync(join(folder, 'all.gz')).subarray(0, 2)).toEqual(Buffer.from([0x1f, 0x8b]))
    expect(await banyan('backup all.gz')).toMatchObject({ code: 5 })
  })

  test('chat says when no model is served', async () => {
    expect(await banyan('chat hello')).toMatchObject({
      code: 3,
      err: expect.stringMatching(/^banyan: no model is served/),
    })
  })
})
