/**
 * The limits that keep slow and greedy clients from harming others, for every HTTP server of the agent, and the answer to what
 * never became a request. Must not import owners.
 */
import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { Socket } from 'node:net'
import { type ErrorCode, errorTable, refuse } from '../errors.ts'
import type { Certificate } from '../peers/certificate.ts'
import { describeProblem } from './problem.ts'

export interface Limits {
  /** ms in which the headers must be there, from the first byte or the opening of the connection. */
  readonly headers: number
  /** ms in which the whole request must be there. */
  readonly request: number
  /** ms between two looks at the two above. */
  readonly check: number
  /** ms that a connection stays open without a request; longer than applications beat. */
  readonly keepAlive: number
  /** ms in which nothing is sent or received; longer than the longest wait in line. */
  readonly silence: number
  /** Connections at a time, of each address. */
  readonly connections: number
}

export const usualLimits: Limits = {
  headers: 10_000,
  request: 30_000,
  check: 2_000,
  keepAlive: 65_000,
  silence: 330_000,
  connections: 4096,
}

export interface ServerParts {
  readonly handler: RequestListener
  readonly limits: Limits
  readonly newRequestId: () => string
}

/** Gets its connections by `emit('connection')`. */
export function createPlainServer(parts: ServerParts): Server {
  return prepare(createServer(optionsFor(parts.limits), parts.handler), parts)
}

/** TLS 1.3 only. Gets its raw connections by `emit('connection')`. */
export function createTlsServer({ certificate, key }: Certificate, parts: ServerParts) {
  const options = { ...optionsFor(parts.limits), cert: certificate, key, minVersion: 'TLSv1.3' } as const
  const server = createSecureServer({ ...options, handshakeTimeout: parts.limits.headers }, parts.handler)
  // a handshake that fails is nobody's request
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  return prepare(server, parts)
}

function optionsFor(limits: Limits): ServerOptions {
  return {
    requestTimeout: limits.request,
    headersTimeout: limits.headers,
    connectionsCheckingInterval: limits.check,
    keepAliveTimeout: limits.keepAlive,
    insecureHTTPParser: false,
    requireHostHeader: true,
    maxHeaderSize: 16 * 1024,
  }
}

type AnyServer = Pick<Server, 'timeout' | 'maxHeadersCount'> & {
  on(event: 'clientError', listener: (error: Error, socket: Socket) => void): unknown
  emit(event: 'listening'): boolean
}

function prepare<S extends AnyServer>(server: S, { limits, newRequestId }: ServerParts): S {
  server.timeout = limits.silence
  // By default headers beyond a number are left out in silence, and a guard would not see them; the size limit is enough.
  server.maxHeadersCount = 0
  server.on('clientError', (error, socket) => answerClientError(error, socket, newRequestId))
  // The timeouts of a server that does not listen itself begin with this.
  server.emit('listening')
  return server
}

/** What never became a request: answered with a problem like the rest, then closed. */
function answerClientError(error: NodeJS.ErrnoException, socket: Socket, newRequestId: () => string): void {
  // An answer may be on its way already, so nothing must be written into the middle of it.
  if (error.code === 'ECONNRESET' || !socket.writable || socket.writableLength > 0 || isAnswering(socket)) {
    socket.destroy()
    return
  }
  const code: ErrorCode =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? 'headers_too_large'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? 'request_timeout'
        : 'malformed_request'
  const { status, title } = errorTable[code]
  const body = JSON.stringify(describeProblem(refuse(code, `${title}.`), newRequestId()))
  socket.end(
    `HTTP/1.1 ${status} ${reasons[status] ?? ''}\r\nConnection: close\r\nContent-Type: application/problem+json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\r\n${body}`,
    () => socket.destroy(),
  )
}

const reasons: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
}

/** Node keeps the response that is being written beside the socket; there is no public way to ask for it. */
function isAnswering(socket: Socket): boolean {
  const message = (socket as Socket & { _httpMessage?: { headersSent?: boolean } | null })._httpMessage
  return message?.headersSent === true
}
