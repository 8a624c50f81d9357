/**
 * The load: a program that reads one order as JSON from standard input, keeps that many connections busy for that long with
 * autocannon, and prints one report as JSON. The same program loads the agent and the bare server. Imports fill, work, times.
 */
import { text } from 'node:stream/consumers'
import autocannon, { type Client } from 'autocannon'
import { fill } from './fill.ts'
import { summarize, type Times } from './times.ts'
import { makeToken, makeTurns, type Work } from './work.ts'

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

async function shoot(order: LoadOrder, work: Work, seconds: number): Promise<LoadReport> {
  const url = `http://127.0.0.1:${order.port}`
  const { connections } = order
  const times: number[] = []
  const opening: number[] = []
  const turns = makeTurns(work, order.port)
  const setupClient = (client: Client): void => {
    const { next, heard } = turns()
    client.getRequestBuffer = next
    if (heard === undefined) return
    let status = 0
    client.on('headers', ({ statusCode }) => {
      status = statusCode
    })
    client.on('body', () => heard(client.pipelinedRequests.peek().body, status))
  }
  const running = autocannon({ url, connections, duration: seconds, setupClient })
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
