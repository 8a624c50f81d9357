/** A real agent as a process of its own, with a data folder and a free port: what the scenarios start, ask, stop and kill. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Pool } from 'undici'
import { z } from 'zod'

const program = fileURLToPath(new URL('../../agent/main.js', import.meta.url))

const listed = z.looseObject({ id: z.string(), seats: z.number(), state: z.string() })
const page = z.looseObject({ items: z.array(listed), next: z.string().optional() })
const opened = z.looseObject({ id: z.string(), key: z.string(), expiresIn: z.number() })

export interface Reply {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

/** A session as its holder knows it; throws when the seat was refused. */
export function seatIn({ status, body }: Reply): z.infer<typeof opened> {
  const read = opened.safeParse(body)
  if (!read.success) throw new Error(`no seat but ${status} ${JSON.stringify(body)}`)
  return read.data
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly said: string
}

const folders: string[] = []
const children = new Set<ChildProcess>()

export async function freshFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'leasehold-scenario-'))
  folders.push(folder)
  return join(folder, 'data')
}

/** To be called after all tests: ends what they started, removes their folders. */
export async function cleanUp(): Promise<void> {
  for (const child of children) child.kill('SIGKILL')
  for (const folder of folders) await rm(folder, { recursive: true, force: true })
}

/** The command line that starts a program elsewhere, such as in a network namespace. */
export type Wrap = (command: string, args: readonly string[]) => [string, string[]]

/** Starts the program in a folder; it need not become ready. */
export class Launch {
  readonly #child: ChildProcess
  readonly ended: Promise<Ended>
  #said = ''
  #out = ''

  constructor(folder: string, environment: Readonly<Record<string, string>> = {}, wrap?: Wrap) {
    const { PATH = '' } = process.env
    const env = {
      PATH,
      HOME: folder,
      LEASEHOLD_DATA: folder,
      LEASEHOLD_NETWORK_PORT: '0',
      LEASEHOLD_REMOTE_BROADCAST: 'false',
      ...environment,
    }
    const words = [program, 'serve']
    const [command, args] = wrap?.(process.execPath, words) ?? [process.execPath, words]
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    children.add(child)
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#out += text
      this.#said += text
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#said += text
    })
    this.ended = once(child, 'close').then(([code, signal]) => {
      children.delete(child)
      return { code, signal, said: this.#said }
    })
  }

  /** Resolves with the port when it serves; rejects with what it said when it ends before. */
  async port(): Promise<number> {
    for (;;) {
      const found = /ready at http:\/\/localhost:(\d+)/.exec(this.#out)
      if (found) return Number(found[1])
      const ended = await Promise.race([this.ended, once(this.#child.stdout as NodeJS.ReadableStream, 'data')])
      if (!Array.isArray(ended)) throw new Error(`the agent ended with ${ended.code}: ${ended.said}`)
    }
  }

  kill(signal: NodeJS.Signals): Promise<Ended> {
    this.#child.kill(signal)
    return this.ended
  }
}

/** Where an agent runs other than here: how it is started, and the Unix socket that leads to its port. */
export interface Place {
  readonly wrap: Wrap
  readonly socketPath: string
}

export interface StartOptions {
  readonly connections?: number
  readonly environment?: Readonly<Record<string, string>>
  readonly place?: Place
}

export class RealAgent {
  readonly folder: string
  readonly port: number
  readonly launch: Launch
  readonly options: StartOptions
  readonly #pool: Pool

  private constructor(folder: string, launch: Launch, port: number, options: StartOptions) {
    const { connections = 32, place } = options
    this.folder = folder
    this.options = options
    this.launch = launch
    this.port = port
    const connect = place && { connect: { socketPath: place.socketPath } }
    this.#pool = new Pool(`http://127.0.0.1:${port}`, { connections, ...connect })
  }

  static async start(folder: string, options: StartOptions = {}): Promise<RealAgent> {
    const launch = new Launch(folder, options.environment, options.place?.wrap)
    return new RealAgent(folder, launch, await launch.port(), options)
  }

  async ask(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    body?: object,
    headers = {},
  ): Promise<Reply> {
    const answer = await this.#pool.request({
      method,
      path: `/api/v1${path}`,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.body.text()
    return { status: answer.statusCode, body: text === '' ? {} : JSON.parse(text) }
  }

  /** What is not JSON as a whole. */
  async text(path: string): Promise<string> {
    const answer = await this.#pool.request({ method: 'GET', path: `/api/v1${path}` })
    return answer.body.text()
  }

  open(key: string, body: object = {}): Promise<Reply> {
    return this.ask('POST', '/sessions', { product: 'acme/cad', ...body }, { 'idempotency-key': key })
  }

  /** Every session that it lists. */
  async sessions(): Promise<z.infer<typeof listed>[]> {
    const found: z.infer<typeof listed>[] = []
    for (let cursor: string | undefined = '0'; cursor !== undefined; ) {
      const { body }: Reply = await this.ask('GET', `/sessions?limit=100&cursor=${cursor}`)
      const { items, next }: z.infer<typeof page> = page.parse(body)
      found.push(...items)
      cursor = next
    }
    return found
  }

  async install(block: string): Promise<void> {
    const { status, body } = await this.ask('POST', '/licenses', { text: block, trust: true })
    if (status !== 201) throw new Error(`the license is not installed: ${status} ${JSON.stringify(body)}`)
  }

  async stop(): Promise<Ended> {
    const ended = this.launch.kill('SIGTERM')
    await this.#pool.close()
    return ended
  }

  async kill(): Promise<void> {
    await this.launch.kill('SIGKILL')
    await this.#pool.destroy()
  }
}
