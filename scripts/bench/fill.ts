/**
 * Fills an agent with sessions that stay open, over plain connections of its own, and notes their ids and keys.
 * Imports connection, times and the report's type.
 */
import { writeFileSync } from 'node:fs'
import { Connection } from './connection.ts'
import type { LoadReport } from './load.ts'
import { summarize } from './times.ts'

export interface OpenSession {
  readonly id: string
  readonly key: string
}

export interface FillOrder {
  readonly body: string
  readonly count: number
  /** Where the ids and keys go, as JSON. */
  readonly file: string
}

export async function fill(
  port: number,
  connections: number,
  { body, count, file }: FillOrder,
  makeToken: () => string,
): Promise<LoadReport> {
  const opened: OpenSession[] = []
  const times: number[] = []
  let begun = 0
  const start = performance.now()
  const work = async (): Promise<void> => {
    const connection = await Connection.open(port)
    while (begun < count) {
      begun += 1
      const before = performance.now()
      const headers = `idempotency-key: ${makeToken()}\r\n`
      const answer = await connection.ask('POST', '/api/v1/sessions', headers, body)
      if (answer.status !== 201) throw new Error(`a session was not opened: ${answer.status} ${answer.body}`)
      times.push(performance.now() - before)
      const { id, key } = JSON.parse(answer.body) as OpenSession
      opened.push({ id, key })
    }
    connection.close()
  }
  await Promise.all(Array.from({ length: connections }, work))
  const seconds = (performance.now() - start) / 1000
  writeFileSync(file, JSON.stringify(opened))
  return {
    requests: count,
    seconds,
    requestsPerSecond: count / seconds,
    ...summarize(times),
    wrong: {},
  }
}
