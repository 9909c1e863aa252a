import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, chown, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { claimFolder, endLeftovers, endSteps, FOLDER_PREFIX, noteDaemon } from './leftovers.ts'
import { type ClusterSize, slurmConfiguration } from './slurm-configuration.ts'

const run = promisify(execFile)

const SMALL: ClusterSize = {
  nodes: 4,
  gpusPerNode: 2,
  nodesPerLeaf: 2,
  cpusPerNode: 16,
  slurmdTimeoutSeconds: 15,
  withRest: false,
  onPaper: false,
  // Slurm holds passes back for seconds by default.
  schedulerParameters: 'SchedulerParameters=batch_sched_delay=0,sched_min_interval=1000,bf_interval=1',
  extra: [],
}

const PATIENCE_MS = 60_000
const OFFSET = { controller: 0, rest: 1, nodes: 10 } as const

/**
 * A real Slurm of many nodes on this machine: munge, slurmctld, a slurmd for each node on a loopback address of its
 * own, and slurmrestd where wanted, all in one folder and all ended by `stop`. Needs root and Debian's packages.
 */
export class SlurmCluster {
  readonly folder: string
  readonly size: ClusterSize
  readonly #firstPort: number
  readonly #daemons = new Map<string, ChildProcess>()

  private constructor(folder: string, size: ClusterSize, firstPort: number) {
    this.folder = folder
    this.size = size
    this.#firstPort = firstPort
  }

  static async start(wanted: Partial<ClusterSize> = {}): Promise<SlurmCluster> {
    if (process.getuid?.() !== 0) throw new Error('slurmd needs root, which this is not')
    const size = { ...SMALL, ...wanted }
    await endLeftovers()
    const folder = await mkdtemp(join(tmpdir(), FOLDER_PREFIX))
    claimFolder(folder)
    const cluster = new SlurmCluster(folder, size, await freePorts(OFFSET.nodes + size.nodes))
    try {
      await cluster.#start()
    } catch (error) {
      await cluster.stop()
      throw error
    }
    return cluster
  }

  /** What a program needs to find this Slurm. */
  get env(): NodeJS.ProcessEnv {
    return { ...process.env, SLURM_CONF: this.configuration }
  }

  get configuration(): string {
    return join(this.folder, 'etc/slurm.conf')
  }

  get restUrl(): string {
    return `http://127.0.0.1:${this.#firstPort + OFFSET.rest}`
  }

  get nodes(): readonly string[] {
    return Array.from({ length: this.size.nodes }, (_, index) => nodeName(index + 1))
  }

  /** One of Slurm's commands; its output without the last newline. */
  async command(program: string, ...words: string[]): Promise<string> {
    const { stdout } = await run(program, words, { env: this.env, maxBuffer: 2 ** 28 })
    return stdout.trimEnd()
  }

  async token(): Promise<string> {
    return (await this.command('scontrol', 'token', 'username=root', 'lifespan=86400')).split('=')[1] ?? ''
  }

  signal(daemon: string, signal: NodeJS.Signals): void {
    this.#daemons.get(daemon)?.kill(signal)
  }

  pid(daemon: string): number {
    return this.#daemons.get(daemon)?.pid ?? 0
  }

  /** CPU time that a daemon has used. */
  async cpuSeconds(daemon: string): Promise<number> {
    const stat = await readFile(`/proc/${this.pid(daemon)}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // Clock ticks of user and system time; Linux fixes them at 100 a second for user space.
    return (Number(fields[11]) + Number(fields[12])) / 100
  }

  async startNode(name: string): Promise<void> {
    const spool = join(this.folder, 'spool', name)
    await mkdir(spool, { recursive: true })
    const words = ['-D', '-d', join(this.folder, 'sbin/slurmstepd'), '-N', name, '-f', this.configuration]
    this.#spawn(`slurmd-${name}`, join(this.folder, 'sbin/slurmd'), words)
  }

  startController(...words: string[]): void {
    this.#spawn('slurmctld', join(this.folder, 'sbin/slurmctld'), ['-D', '-f', this.configuration, ...words])
  }

  async nodesAreUp(): Promise<void> {
    await this.#until('the nodes did not come up', async () => {
      const states = await this.command('sinfo', '-h', '-N', '-p', 'batch', '-o', '%N %T')
      return (
        states.split('\n').filter((line) => /(idle|mixed|allocated)~?$/.test(line)).length === this.size.nodes
      )
    })
  }

  /** Ends all jobs, and returns when their nodes are free again. */
  async cancelAll(): Promise<void> {
    await this.command('scancel', '-f', '-Q', '-u', 'root')
    await this.#until('jobs did not end', async () => (await this.command('squeue', '-a', '-h')) === '')
  }

  /** Ends all jobs and every daemon, and removes the folder. */
  async stop(): Promise<void> {
    for (const daemon of this.#daemons.values()) daemon.kill('SIGCONT')
    await run('scancel', ['-f', '-Q', '-u', 'root'], { env: this.env, timeout: 10_000 }).catch(() => {})
    await endSteps(this.configuration)
    const order = [...this.#daemons.keys()].sort((a, b) => rank(a) - rank(b))
    for (const stage of [0, 1, 2]) {
      const names = order.filter((name) => rank(name) === stage)
      await Promise.all(names.map((name) => this.end(name)))
    }
    await rm(this.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }

  async end(name: string, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const daemon = this.#daemons.get(name)
    if (!daemon) return
    this.#daemons.delete(name)
    if (daemon.exitCode !== null || daemon.signalCode !== null) return
    const ended = new Promise((resolve) => daemon.once('exit', resolve))
    daemon.kill(signal)
    const hurry = setTimeout(() => daemon.kill('SIGKILL'), 15_000)
    await ended
    clearTimeout(hurry)
  }

  async #start(): Promise<void> {
    await chmod(this.folder, 0o755)
    for (const name of ['etc', 'log', 'run', 'state', 'spool', 'munge', 'dev', 'sbin']) {
      await mkdir(join(this.folder, name))
    }
    const [slurm, munge] = [await idsOf('slurm'), await idsOf('munge')]
    for (const name of ['log', 'run', 'state']) await chown(join(this.folder, name), slurm.uid, slurm.gid)
    await this.#writeConfiguration(slurm)
    await this.#startMunge(munge)
    // The daemons look at the name they were started under, and other packages repoint the plain ones.
    for (const name of ['slurmctld', 'slurmd', 'slurmstepd']) {
      const own = await run('sh', ['-c', `command -v /usr/sbin/${name}-wlm || command -v /usr/sbin/${name}`])
      await symlink(own.stdout.trim(), join(this.folder, 'sbin', name))
    }
    this.startController('-i')
    await this.#until('slurmctld did not answer', async () =>
      (await this.command('scontrol', 'ping')).includes('is UP'),
    )
    if (!this.size.onPaper) {
      for (const name of this.nodes) await this.startNode(name)
      await this.nodesAreUp()
    }
    if (this.size.withRest) await this.#startRest()
  }

  async #writeConfiguration(slurm: { uid: number; gid: number }): Promise<void> {
    const etc = join(this.folder, 'etc')
    const devices = Array.from({ length: this.size.gpusPerNode }, (_, gpu) =>
      join(this.folder, 'dev', `nvidia${gpu}`),
    )
    for (const device of devices) await run('mknod', ['-m', '666', device, 'c', '1', '3'])
    const files = slurmConfiguration({
      ...this.size,
      folder: this.folder,
      host: hostname().split('.')[0]!,
      controllerPort: this.#firstPort + OFFSET.controller,
      firstNodePort: this.#firstPort + OFFSET.nodes,
      nodeNames: this.nodes,
    })
    for (const [name, text] of Object.entries(files)) await writeFile(join(etc, name), text)
    await writeFile(join(etc, 'jwt.key'), randomBytes(32), { mode: 0o600 })
    await chown(join(etc, 'jwt.key'), slurm.uid, slurm.gid)
  }

  async #startMunge(owner: { uid: number; gid: number }): Promise<void> {
    const folder = join(this.folder, 'munge')
    const key = join(folder, 'munge.key')
    await writeFile(key, randomBytes(128), { mode: 0o400 })
    await chown(key, owner.uid, owner.gid)
    await chown(folder, owner.uid, owner.gid)
    const files = ['key', 'pid', 'log', 'seed'].map(
      (kind) => `--${kind}-file=${join(folder, `munge.${kind}`)}`,
    )
    const socket = join(folder, 'munge.socket')
    this.#spawn('munged', '/usr/sbin/munged', ['--foreground', `--socket=${socket}`, ...files], owner)
    await this.#until('munged did not answer', async () => {
      await run('munge', ['-n', '-S', socket])
      return true
    })
  }

  async #startRest(): Promise<void> {
    const nobody = await idsOf('nobody')
    const words = ['-f', this.configuration, '-a', 'rest_auth/jwt', '-t', '4']
    // Without slurmdbd its part of the interface ends the daemon.
    words.push('-s', 'openapi/v0.0.38,openapi/v0.0.37,openapi/v0.0.36', this.restUrl.slice('http://'.length))
    this.#spawn('slurmrestd', 'slurmrestd', words, nobody, { SLURM_JWT: 'daemon' })
    const token = await this.token()
    const headers = { 'X-SLURM-USER-NAME': 'root', 'X-SLURM-USER-TOKEN': token }
    await this.#until('slurmrestd did not answer', async () => {
      return (await fetch(`${this.restUrl}/slurm/v0.0.38/ping`, { headers })).ok
    })
  }

  #spawn(
    name: string,
    program: string,
    words: readonly string[],
    user: { uid?: number; gid?: number } = {},
    env: NodeJS.ProcessEnv = {},
  ): void {
    const child = spawn(program, words, { env: { ...this.env, ...env }, stdio: 'ignore', ...user })
    child.on('error', () => {})
    noteDaemon(this.folder, child.pid)
    this.#daemons.set(name, child)
  }

  async #until(trouble: string, condition: () => Promise<boolean>): Promise<void> {
    const end = performance.now() + PATIENCE_MS
    let last = ''
    while (performance.now() < end) {
      try {
        if (await condition()) return
      } catch (error) {
        last = error instanceof Error ? error.message : String(error)
      }
      await pause(100)
    }
    const log = await readFile(join(this.folder, 'log/slurmctld.log'), 'utf8').catch(() => '')
    throw new Error(`${trouble}: ${last}\n${log.slice(-2000)}`)
  }
}

/** Jobs go first, then the daemons of the nodes, the controller, and what signs their messages. */
function rank(daemon: string): number {
  return daemon === 'munged' ? 2 : daemon === 'slurmctld' ? 1 : 0
}

function nodeName(number: number): string {
  return `gpu-${String(number).padStart(3, '0')}`
}

async function idsOf(user: string): Promise<{ uid: number; gid: number }> {
  const [uid, gid] = await Promise.all(['-u', '-g'].map((which) => run('id', [which, user])))
  return { uid: Number(uid!.stdout), gid: Number(gid!.stdout) }
}

/** The first of so many ports in a row that nobody listens on, below those that the system gives out itself. */
async function freePorts(count: number): Promise<number> {
  for (let tried = 0; tried < 100; tried++) {
    const first = 10_000 + Math.floor(Math.random() * (9_000 - count))
    const isFree = await Promise.all([0, 1, OFFSET.nodes + 1].map((offset) => canListen(first + offset)))
    if (isFree.every(Boolean)) return first
  }
  throw new Error(`no ${count} free ports in a row were found`)
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, () => server.close(() => resolve(true)))
  })
}
