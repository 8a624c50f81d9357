/**
 * The port: listens on 127.0.0.1 and ::1 with the limits that keep slow and greedy clients from harming others, and stops gracefully.
 * Must not import owners.
 */
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Timers } from '../clock.ts'
import { type ErrorCode, errorTable, refuse } from '../errors.ts'
import type { Log } from '../log.ts'
import { askHolder, type PortHolder } from './port-holder.ts'
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
  /** Connections at a time, each of both addresses. */
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

export interface ListenerParts {
  readonly handler: RequestListener
  readonly timers: Timers
  readonly log: Pick<Log, 'info' | 'warn'>
  readonly newRequestId: () => string
  readonly limits?: Partial<Limits>
}

export type Started =
  | { readonly kind: 'listening'; readonly port: number; readonly addresses: readonly string[] }
  | { readonly kind: 'port-taken'; readonly port: number; readonly holder: PortHolder }
  /** Ports below 1024, or a rule of the system. */
  | { readonly kind: 'not-permitted'; readonly port: number }

type Bound = { readonly kind: 'bound'; readonly port: number } | { readonly kind: 'failed'; readonly code: string }

const addresses = ['127.0.0.1', '::1'] as const
/** With port 0 the second address may be taken on the port that the first was given. */
const mostTries = 20

export class Listener {
  readonly #parts: ListenerParts
  #servers: Server[] = []

  constructor(parts: ListenerParts) {
    this.#parts = parts
  }

  /** @param port 0 for one that is free, the same on both addresses */
  async start(port: number): Promise<Started> {
    for (let tries = 0; ; tries++) {
      const started = await this.#startOn(port)
      if (started !== 'again') return started
      if (tries >= mostTries) throw new Error('no port is free on 127.0.0.1 and ::1')
    }
  }

  async #startOn(port: number): Promise<Started | 'again'> {
    const servers: Server[] = []
    const listening: string[] = []
    let given = port
    for (const address of addresses) {
      const server = this.#createServer()
      const bound = await bind(server, address, given)
      if (bound.kind === 'bound') {
        given = bound.port
        servers.push(server)
        listening.push(address)
        continue
      }
      // A machine without IPv6 is fine; another program on ::1 is not: browsers would reach it under our name.
      if (address === '::1' && (bound.code === 'EADDRNOTAVAIL' || bound.code === 'EAFNOSUPPORT')) {
        this.#parts.log.warn('IPv6 loopback is not available', { code: bound.code })
        continue
      }
      await Promise.all(servers.map(closeAtOnce))
      if (bound.code === 'EACCES' || bound.code === 'EPERM') return { kind: 'not-permitted', port }
      if (bound.code !== 'EADDRINUSE') throw new Error(`cannot listen on ${address} port ${given}: ${bound.code}`)
      if (port === 0) return 'again'
      return { kind: 'port-taken', port, holder: await askHolder(address, port) }
    }
    this.#servers = servers
    return { kind: 'listening', port: given, addresses: listening }
  }

  #createServer(): Server {
    const limits = { ...usualLimits, ...this.#parts.limits }
    const server = createServer(
      {
        requestTimeout: limits.request,
        headersTimeout: limits.headers,
        connectionsCheckingInterval: limits.check,
        keepAliveTimeout: limits.keepAlive,
        insecureHTTPParser: false,
        requireHostHeader: true,
        maxHeaderSize: 16 * 1024,
      },
      this.#parts.handler,
    )
    server.maxConnections = limits.connections
    server.timeout = limits.silence
    // By default headers beyond a number are left out in silence, and a guard would not see them; the size limit is enough.
    server.maxHeadersCount = 0
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => this.#answerClientError(error, socket as Socket))
    return server
  }

  /** What never became a request: answered with a problem like the rest, then closed. */
  #answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
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
    const body = JSON.stringify(describeProblem(refuse(code, `${title}.`), this.#parts.newRequestId()))
    socket.end(
      `HTTP/1.1 ${status} ${reasons[status] ?? ''}\r\nConnection: close\r\nContent-Type: application/problem+json\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\r\n${body}`,
      () => socket.destroy(),
    )
  }

  /** Takes no more connections, lets running requests end, and closes what is left after `grace` ms. */
  async stop(grace: number): Promise<void> {
    const { timers } = this.#parts
    const servers = this.#servers
    this.#servers = []
    const closed = Promise.all(servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))))
    // Connections that were busy at first become idle later.
    const stopLooking = timers.every(50, () => {
      for (const server of servers) server.closeIdleConnections()
    })
    const cancel = timers.after(grace, () => {
      for (const server of servers) server.closeAllConnections()
    })
    await closed
    stopLooking()
    cancel()
  }
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

function bind(server: Server, address: string, port: number): Promise<Bound> {
  return new Promise((resolve) => {
    const onError = (error: NodeJS.ErrnoException) => {
      resolve({ kind: 'failed', code: error.code ?? error.message })
    }
    server.once('error', onError)
    server.listen({ host: address, port, ipv6Only: true, exclusive: true }, () => {
      server.off('error', onError)
      resolve({ kind: 'bound', port: (server.address() as AddressInfo).port })
    })
  })
}

function closeAtOnce(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
