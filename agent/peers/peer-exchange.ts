/**
 * One request and its answer over a given connection or a pool of them: size limits, no redirects, and whether the other side can
 * have seen the request. Must not import http of ours.
 */
import { type Agent, type IncomingHttpHeaders, type IncomingMessage, request as sendRequest } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { readStrictJson } from '../domain/documents/strict-json.ts'
import { explain } from './peer-connection.ts'

export interface Outgoing {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

export type Exchange =
  | {
      readonly kind: 'said'
      readonly status: number
      readonly headers: IncomingHttpHeaders
      readonly body: Buffer
      /** Undefined where it is no JSON. */
      readonly json: unknown
    }
  | {
      readonly kind: 'broken'
      readonly detail: string
      /** The connection was open, so the other side can have seen the request. */
      readonly sent: boolean
      /** It had been idle, and the other side may have closed it at the same moment; nothing came back. */
      readonly reused: boolean
      readonly cause: unknown
    }

export interface ExchangeOptions {
  /** Where it goes: a connection of its own, or one of a pool. */
  readonly socket?: TLSSocket
  readonly pool?: Agent
  readonly signal: AbortSignal
  /** Most bytes of the answer. */
  readonly limit: number
  /** Takes the answer as it comes instead of reading it: for streams. @returns whether it does */
  readonly take?: (response: IncomingMessage) => boolean
}

export function headerOf({ headers }: { readonly headers: IncomingHttpHeaders }, name: string): string {
  const value = headers[name]
  return typeof value === 'string' ? value : ''
}

/** Never rejects. */
export function exchange(outgoing: Outgoing, options: ExchangeOptions): Promise<Exchange> {
  const { socket, pool, signal, limit, take } = options
  return new Promise((resolve) => {
    let sent = socket !== undefined
    let isAnswered = false
    const { method, path, headers, body } = outgoing
    const content =
      body === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }
    const request = sendRequest({
      method,
      path,
      headers: { ...headers, ...content },
      signal,
      setHost: false,
      ...(pool === undefined ? {} : { agent: pool }),
      ...(socket === undefined ? {} : { createConnection: () => socket }),
    })
    const fail = (detail: string, cause?: unknown) => {
      request.destroy()
      resolve({ kind: 'broken', detail, sent, reused: request.reusedSocket && !isAnswered, cause })
    }
    request.once('socket', () => {
      sent = true
    })
    request.on('error', (error) => fail(signal.aborted ? 'no answer came in time' : explain(error), error))
    // an answer that is none to a request, such as 101, ends in nothing else
    request.once('close', () => {
      if (!isAnswered) fail('the connection was closed')
    })
    request.once('response', (response) => {
      isAnswered = true
      const status = response.statusCode ?? 0
      const said = (bytes: Buffer) => {
        resolve({ kind: 'said', status, headers: response.headers, body: bytes, json: parse(bytes) })
      }
      if (take?.(response) === true) {
        said(Buffer.alloc(0))
        return
      }
      const pieces: Buffer[] = []
      let size = 0
      response.on('data', (piece: Buffer) => {
        size += piece.length
        if (size > limit) fail(`the answer is larger than ${limit / 1024} KB`)
        else pieces.push(piece)
      })
      response.once('end', () => said(Buffer.concat(pieces, size)))
      response.once('error', (error) => fail(signal.aborted ? 'the answer did not end in time' : explain(error), error))
      response.once('close', () => {
        if (!response.complete) fail('the answer broke off')
      })
    })
    request.end(body)
  })
}

function parse(bytes: Buffer): unknown {
  if (bytes.length === 0) return undefined
  const read = readStrictJson(bytes.toString('utf8'))
  return read.kind === 'value' ? read.value : undefined
}
