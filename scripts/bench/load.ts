/**
 * The load: a program that reads one order as JSON from standard input, keeps that many connections busy for that long with
 * autocannon, and prints one report as JSON. The same program loads the agent and the bare server. Imports fill, times.
 */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import autocannon, { type Request } from 'autocannon'
import { fill, type OpenSession } from './fill.ts'
import { summarize, type Times } from './times.ts'

export type Work =
  /**
   * Opens a session and closes it: two requests. With `users` for so many users in turn, with 0 for another one each time;
   * without it for the one in `body`.
   */
  | { readonly kind: 'open-close'; readonly body: string; readonly nonce: boolean; readonly users?: number }
  /** Keeps the sessions of `file` alive, one after another. */
  | { readonly kind: 'heartbeat'; readonly file: string; readonly nonce: boolean }
  | { readonly kind: 'get'; readonly path: string }
  | { readonly kind: 'post'; readonly path: string; readonly body: string }

export interface LoadOrder {
  readonly port: number
  readonly connections: number
  /** Measured time; before it the same load runs `warmUpSeconds` unmeasured. Ignored by `fill`, which ends when it is full. */
  readonly seconds: number
  readonly warmUpSeconds: number
  readonly work:
    | Work
    /** Opens `count` sessions, leaves them open, and writes their ids and keys to `file`. */
    | { readonly kind: 'fill'; readonly body: string; readonly count: number; readonly file: string }
}

/** The times are those of the requests. */
export interface LoadReport extends Times {
  readonly requests: number
  readonly seconds: number
  readonly requestsPerSecond: number
  /** Of the opening of sessions alone, where that was part of the work. */
  readonly opening?: Times
  /** Answers that are no success, by class; `errors` are connections that failed. */
  readonly wrong: Readonly<Record<string, number>>
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

let openings = 0

function withUser(body: string, users: number | undefined): string {
  if (users === undefined) return body
  openings += 1
  const account = users === 0 ? `${run}-${openings}` : `user-${openings % users}`
  return JSON.stringify({ ...(JSON.parse(body) as object), user: { account } })
}

const json = { 'content-type': 'application/json' }

/** What each connection asks, in turn. */
function makeRequests(work: Work): Request[] {
  switch (work.kind) {
    case 'open-close':
      return [
        {
          method: 'POST',
          path: '/api/v1/sessions',
          setupRequest: (request) => ({
            ...request,
            headers: { ...json, 'idempotency-key': makeToken() },
            body: withNonce(withUser(work.body, work.users), work.nonce),
          }),
          onResponse: (status, body, context) => {
            if (status !== 201) throw new Error(`a session was not opened: ${status} ${body}`)
            const { id, key } = JSON.parse(body) as OpenSession
            Object.assign(context, { id, key })
          },
        },
        {
          method: 'DELETE',
          setupRequest: (request, { id = '', key = '' }) => ({
            ...request,
            path: `/api/v1/sessions/${id}`,
            headers: { 'session-key': key },
          }),
        },
      ]
    case 'heartbeat': {
      const sessions = JSON.parse(readFileSync(work.file, 'utf8')) as OpenSession[]
      let next = 0
      return [
        {
          method: 'PUT',
          setupRequest: (request) => {
            const session = sessions[next % sessions.length]
            next += 1
            if (session === undefined) throw new Error('there are no sessions to keep')
            return {
              ...request,
              path: `/api/v1/sessions/${session.id}`,
              headers: { ...json, 'session-key': session.key },
              body: withNonce('{}', work.nonce),
            }
          },
        },
      ]
    }
    case 'get':
      return [{ method: 'GET', path: work.path }]
    case 'post':
      return [{ method: 'POST', path: work.path, headers: json, body: work.body }]
  }
}

async function shoot(order: LoadOrder, work: Work, seconds: number): Promise<LoadReport> {
  const url = `http://127.0.0.1:${order.port}`
  const { connections } = order
  const times: number[] = []
  const opening: number[] = []
  const running = autocannon({ url, connections, duration: seconds, requests: makeRequests(work) })
  running.on('response', (_client, status, _bytes, time) => {
    times.push(time)
    if (status === 201) opening.push(time)
  })
  const result = await running
  const wrong = {
    '1xx': result['1xx'],
    '3xx': result['3xx'],
    '4xx': result['4xx'],
    '5xx': result['5xx'],
    errors: result.errors,
    timeouts: result.timeouts,
  }
  return {
    requests: result.requests.total,
    seconds: result.duration,
    requestsPerSecond: result.requests.total / result.duration,
    ...summarize(times),
    ...(opening.length > 0 ? { opening: summarize(opening) } : {}),
    wrong: Object.fromEntries(Object.entries(wrong).filter(([, count]) => count > 0)),
  }
}

async function follow(order: LoadOrder): Promise<LoadReport> {
  const { work } = order
  if (work.kind === 'fill') return await fill(order.port, order.connections, work, makeToken)
  if (order.warmUpSeconds > 0) await shoot(order, work, order.warmUpSeconds)
  return await shoot(order, work, order.seconds)
}

try {
  process.stdout.write(JSON.stringify(await follow(JSON.parse(await text(process.stdin)) as LoadOrder)))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
