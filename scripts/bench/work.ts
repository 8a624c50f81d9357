/**
 * What the connections of a load ask in turn, as the bytes that autocannon sends. Made here rather than from its descriptions of
 * requests, since each request needs a key of its own and a close what its open was answered, and on a machine with few cores what
 * the load costs is missing to what is measured. Imports the type of sessions only.
 */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { OpenSession } from './fill.ts'

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

/** One connection's part in it. */
export interface Turns {
  /** The next request. */
  next(): Buffer
  /** What has come of the body of its answer. */
  heard?(body: string, status: number): void
}

const run = randomBytes(8).toString('hex')
let tokens = 0
let openings = 0

/** Fresh for every request, of the length that a real one has. */
export function makeToken(): string {
  tokens += 1
  return `${run}${tokens.toString(36).padStart(8, '0')}`
}

/** @returns what makes the turns of one connection to a server on `port` */
export function makeTurns(work: Work, port: number): () => Turns {
  const host = `127.0.0.1:${port}`
  const write = (line: string, headers: string, body = ''): Buffer => {
    const type = body === '' ? '' : `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`
    return Buffer.from(`${line} HTTP/1.1\r\nHost: ${host}\r\nConnection: keep-alive\r\n${headers}${type}\r\n${body}`)
  }
  switch (work.kind) {
    case 'open-close':
      return () => {
        let opened = ''
        let isOpening = false
        return {
          next() {
            isOpening = !isOpening
            if (isOpening) {
              const body = withNonce(withUser(work.body, work.users), work.nonce)
              return write('POST /api/v1/sessions', `idempotency-key: ${makeToken()}\r\n`, body)
            }
            const { id, key } = JSON.parse(opened) as OpenSession
            return write(`DELETE /api/v1/sessions/${id}`, `session-key: ${key}\r\n`)
          },
          heard(body, status) {
            if (!isOpening) return
            opened = body
            if (status !== 201) throw new Error(`a session was not opened: ${status} ${body}`)
          },
        }
      }
    case 'heartbeat': {
      const sessions = JSON.parse(readFileSync(work.file, 'utf8')) as OpenSession[]
      if (sessions.length === 0) throw new Error('there are no sessions to keep')
      let turn = 0
      return () => ({
        next() {
          const { id, key } = sessions[turn % sessions.length] as OpenSession
          turn += 1
          return write(`PUT /api/v1/sessions/${id}`, `session-key: ${key}\r\n`, withNonce('{}', work.nonce))
        },
      })
    }
    case 'get':
    case 'post': {
      const same = work.kind === 'get' ? write(`GET ${work.path}`, '') : write(`POST ${work.path}`, '', work.body)
      return () => ({ next: () => same })
    }
  }
}

function withNonce(body: string, nonce: boolean): string {
  if (!nonce) return body
  return `${body.slice(0, -1)}${body === '{}' ? '' : ','}"nonce":"${makeToken()}"}`
}

function withUser(body: string, users: number | undefined): string {
  if (users === undefined) return body
  openings += 1
  const account = users === 0 ? `${run}-${openings}` : `user-${openings % users}`
  return JSON.stringify({ ...(JSON.parse(body) as object), user: { account } })
}
