/**
 * The load: a program that reads one order as JSON from standard input, keeps that many connections busy for that long,
 * and prints one report as JSON. The same program loads the agent and the bare server. Imports connection only.
 */
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { type Answer, Connection } from './connection.ts'

export interface LoadOrder {
  readonly port: number
  readonly connections: number
  /** Measured time; before it the same load runs `warmUpSeconds` unmeasured. Ignored by `fill`, which ends when it is full. */
  readonly seconds: number
  readonly warmUpSeconds: number
  readonly work: /** Opens a session and closes it: two requests. */
    | { readonly kind: 'open-close'; readonly body: string; readonly nonce: boolean }
    /** Keeps the sessions of `file` alive, one after another. */
    | { readonly kind: 'heartbeat'; readonly file: string; readonly nonce: boolean }
    | { readonly kind: 'get'; readonly path: string }
    | { readonly kind: 'post'; readonly path: string; readonly body: string }
    /** Opens `count` sessions, leaves them open, and writes their ids and keys to `file`. */
    | { readonly kind: 'fill'; readonly body: string; readonly count: number; readonly file: string }
}

export interface LoadReport {
  readonly requests: number
  readonly seconds: number
  readonly requestsPerSecond: number
  /** Milliseconds per request. */
  readonly p50: number
  readonly p99: number
  readonly max: number
  /** Answers that were not what the work wants, by status. */
  readonly wrong: Readonly<Record<string, number>>
}

interface OpenSession {
  readonly id: string
  readonly key: string
}

/** What one connection does, again and again; returns false when there is nothing left to do. */
type Turn = (connection: Connection) => Promise<boolean>

class Meter {
  #times = new Float64Array(1 << 20)
  #count = 0
  #began = 0
  #ended = 0
  #wrong: Record<string, number> = {}

  start(): void {
    this.#count = 0
    this.#began = performance.now()
  }

  stop(): void {
    this.#ended = performance.now()
  }

  async time(wanted: number, ask: Promise<Answer>): Promise<Answer> {
    const before = performance.now()
    const answer = await ask
    if (this.#count === this.#times.length) {
      const larger = new Float64Array(this.#count * 2)
      larger.set(this.#times)
      this.#times = larger
    }
    this.#times[this.#count] = performance.now() - before
    this.#count += 1
    if (answer.status !== wanted) this.#wrong[answer.status] = (this.#wrong[answer.status] ?? 0) + 1
    return answer
  }

  report(): LoadReport {
    const times = this.#times.subarray(0, this.#count).sort()
    const seconds = (this.#ended - this.#began) / 1000
    const at = (share: number): number => times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0
    return {
      requests: this.#count,
      seconds,
      requestsPerSecond: this.#count / seconds,
      p50: at(0.5),
      p99: at(0.99),
      max: at(1),
      wrong: this.#wrong,
    }
  }
}

const run = randomBytes(8).toString('hex')
let counter = 0

/** Fresh for every request, of the length that a real one has. */
function makeToken(): string {
  counter += 1
  return `${run}${counter.toString(36).padStart(8, '0')}`
}

function withNonce(body: string, nonce: boolean): string {
  if (!nonce) return body
  return `${body.slice(0, -1)}${body === '{}' ? '' : ','}"nonce":"${makeToken()}"}`
}

async function open(connection: Connection, meter: Meter, body: string): Promise<OpenSession> {
  const headers = `idempotency-key: ${makeToken()}\r\n`
  const answer = await meter.time(201, connection.ask('POST', '/api/v1/sessions', headers, body))
  if (answer.status !== 201) throw new Error(`a session was not opened: ${answer.status} ${answer.body}`)
  return JSON.parse(answer.body) as OpenSession
}

function makeTurn(work: LoadOrder['work'], meter: Meter, opened: OpenSession[]): Turn {
  switch (work.kind) {
    case 'open-close':
      return async (connection) => {
        const session = await open(connection, meter, withNonce(work.body, work.nonce))
        const headers = `session-key: ${session.key}\r\n`
        await meter.time(204, connection.ask('DELETE', `/api/v1/sessions/${session.id}`, headers, ''))
        return true
      }
    case 'heartbeat': {
      const sessions = JSON.parse(readFileSync(work.file, 'utf8')) as OpenSession[]
      let next = 0
      return async (connection) => {
        const session = sessions[next % sessions.length]
        next += 1
        if (session === undefined) throw new Error('there are no sessions to keep')
        const headers = `session-key: ${session.key}\r\n`
        const body = withNonce('{}', work.nonce)
        await meter.time(200, connection.ask('PUT', `/api/v1/sessions/${session.id}`, headers, body))
        return true
      }
    }
    case 'get':
      return async (connection) => {
        await meter.time(200, connection.ask('GET', work.path, '', ''))
        return true
      }
    case 'post':
      return async (connection) => {
        await meter.time(200, connection.ask('POST', work.path, '', work.body))
        return true
      }
    case 'fill': {
      let begun = 0
      return async (connection) => {
        if (begun >= work.count) return false
        begun += 1
        const { id, key } = await open(connection, meter, work.body)
        opened.push({ id, key })
        return true
      }
    }
  }
}

async function follow(order: LoadOrder): Promise<LoadReport> {
  const meter = new Meter()
  const opened: OpenSession[] = []
  const turn = makeTurn(order.work, meter, opened)
  const connections = await Promise.all(Array.from({ length: order.connections }, () => Connection.open(order.port)))
  const fills = order.work.kind === 'fill'
  const warm = fills ? 0 : performance.now() + order.warmUpSeconds * 1000
  const end = fills ? Number.POSITIVE_INFINITY : warm + order.seconds * 1000
  let measuring = false
  await Promise.all(
    connections.map(async (connection) => {
      while (performance.now() < end) {
        if (!measuring && performance.now() >= warm) {
          measuring = true
          meter.start()
        }
        if (!(await turn(connection))) break
      }
    }),
  )
  meter.stop()
  for (const connection of connections) connection.close()
  if (order.work.kind === 'fill') writeFileSync(order.work.file, JSON.stringify(opened))
  return meter.report()
}

try {
  process.stdout.write(JSON.stringify(await follow(JSON.parse(await text(process.stdin)) as LoadOrder)))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
