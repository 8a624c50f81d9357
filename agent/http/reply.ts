/**
 * An answer as a value, and the one function that writes it to the connection, for the hot path and for Koa alike.
 * Must not import owners.
 */
import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/** Takes pieces of a stream that stays open. `send` is false when the receiver is too slow and was dropped. */
export interface Sink {
  send(text: string): boolean
  end(): void
}

export type Content =
  | { readonly kind: 'json'; readonly type?: 'application/problem+json'; readonly value: unknown }
  | { readonly kind: 'lines'; readonly type: string; readonly lines: AsyncIterable<string> }
  /** `open` is called once; what it answers is called once when the stream is over, whoever ended it. */
  | { readonly kind: 'live'; readonly type: string; readonly open: (sink: Sink) => () => void }

export interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly content?: Content
}

export function ok(value: unknown, headers?: Readonly<Record<string, string>>): Reply {
  const content: Content = { kind: 'json', value }
  return headers === undefined ? { status: 200, content } : { status: 200, headers, content }
}
export function created(value: unknown, headers?: Readonly<Record<string, string>>): Reply {
  return { ...ok(value, headers), status: 201 }
}
export const noContent: Reply = { status: 204 }

/** Whoever lets so much pile up is too slow for a live stream. */
const mostWaiting = 256 * 1024

const always: readonly string[] = ['Cache-Control', 'no-store', 'X-Content-Type-Options', 'nosniff']

/**
 * Headers are written as one flat list without any that is not needed: on the hot path each costs as much as a guard.
 * The promise, of a stream of lines only, rejects when the stream breaks off; the connection is destroyed then, so that nobody
 * takes a part for the whole.
 */
export function sendReply(response: ServerResponse, reply: Reply): Promise<void> | undefined {
  const { content } = reply
  const text = content?.kind === 'json' ? JSON.stringify(content.value) : ''
  const headers = [...always]
  if (content !== undefined) headers.push('Content-Type', content.type ?? 'application/json')
  if (content?.kind === 'json') headers.push('Content-Length', String(Buffer.byteLength(text)))
  for (const name in reply.headers) headers.push(name, reply.headers[name] as string)
  // What is left of a body that nobody read must not be taken for the next request.
  if (!response.req.complete) headers.push('Connection', 'close')
  response.writeHead(reply.status, headers)
  if (content === undefined || response.req.method === 'HEAD') response.end()
  else if (content.kind === 'json') response.end(text)
  else if (content.kind === 'lines') return pipeline(Readable.from(content.lines), response)
  else openLive(response, content.open)
  return undefined
}

function openLive(response: ServerResponse, open: (sink: Sink) => () => void): void {
  response.flushHeaders()
  const sink: Sink = {
    send(text) {
      if (response.destroyed || response.writableEnded) return false
      response.write(text)
      if (response.writableLength <= mostWaiting) return true
      response.destroy()
      return false
    },
    end() {
      response.end()
    },
  }
  const close = open(sink)
  response.once('close', close)
  if (response.closed) close()
}
