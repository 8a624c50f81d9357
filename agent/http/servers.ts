/**
 * The HTTP servers behind the port: one for each way that requests come in. They never listen; connections are handed to them.
 * The one for TLS is made with the first connection that needs it. Must not import owners.
 */
import type { RequestListener, Server } from 'node:http'
import type { Server as SecureServer } from 'node:https'
import type { Socket } from 'node:net'
import type { Timers } from '../clock.ts'
import type { Log } from '../log.ts'
import type { Certificate } from '../peers/certificate.ts'
import type { ChannelListener } from './app.ts'
import { createPlainServer, createTlsServer, type Limits, type ServerParts } from './http-server.ts'
import { IdleConnections } from './idle-connections.ts'

export interface ListenerParts {
  readonly handler: ChannelListener
  readonly timers: Timers
  readonly log: Pick<Log, 'info' | 'warn'>
  readonly newRequestId: () => string
  readonly limits?: Partial<Limits>
  /** The certificate for TLS, asked for at the first connection that needs it; without it TLS is not spoken. */
  readonly certificate?: () => Promise<Certificate>
  /** Answers plain HTTP from other machines: nothing but where to go with TLS. */
  readonly redirect?: RequestListener
}

export class Servers {
  readonly #parts: ListenerParts
  readonly #limits: Limits
  readonly #loopback: Server
  #proxy: Server | undefined
  #redirect: Server | undefined
  #secure: SecureServer | undefined
  #preparing: Promise<SecureServer> | undefined
  readonly #idle = new IdleConnections()
  #handshakes = 0

  constructor(parts: ListenerParts, limits: Limits) {
    this.#parts = parts
    this.#limits = limits
    this.#loopback = createPlainServer(
      this.#serverParts((incoming, response) => parts.handler(incoming, response, 'loopback')),
    )
  }

  get handshakes(): number {
    return this.#handshakes
  }

  plain(channel: 'loopback' | 'proxy', socket: Socket): void {
    if (channel === 'proxy')
      this.#proxy ??= createPlainServer(
        this.#serverParts((incoming, response) => this.#parts.handler(incoming, response, 'proxy')),
      )
    const server = channel === 'proxy' ? this.#proxy : this.#loopback
    server?.emit('connection', socket)
  }

  /** Plain HTTP from elsewhere. */
  redirect(socket: Socket): void {
    const { redirect } = this.#parts
    if (redirect === undefined) {
      socket.destroy()
      return
    }
    this.#redirect ??= createPlainServer(this.#serverParts(redirect))
    this.#redirect.emit('connection', socket)
  }

  secure(socket: Socket): void {
    if (this.#secure !== undefined) {
      this.#secure.emit('connection', socket)
      return
    }
    socket.on('error', () => undefined)
    this.#prepare().then(
      (server) => {
        if (!socket.destroyed) server.emit('connection', socket)
      },
      (error: unknown) => {
        this.#parts.log.warn('TLS can not be spoken', { error })
        socket.destroy()
      },
    )
  }

  useCertificate({ certificate, key }: Certificate): void {
    this.#secure?.setSecureContext({ cert: certificate, key, minVersion: 'TLSv1.3' })
  }

  /** Closes a connection of an address that waits for its next request, if there is one. */
  makeRoom(address: string | undefined): void {
    this.#idle.closeOldest(address)
  }

  closeIdle(): void {
    for (const server of this.#all()) server.closeIdleConnections()
  }

  /** Ends their timers. */
  close(): void {
    for (const server of this.#all()) server.close(() => undefined)
  }

  #all(): readonly (Server | SecureServer)[] {
    return [this.#loopback, this.#proxy, this.#redirect, this.#secure].filter((server) => server !== undefined)
  }

  #prepare(): Promise<SecureServer> {
    this.#preparing ??= this.#createSecure().finally(() => {
      this.#preparing = undefined
    })
    return this.#preparing
  }

  async #createSecure(): Promise<SecureServer> {
    const { certificate, handler } = this.#parts
    if (certificate === undefined) throw new Error('there is no certificate')
    const server = createTlsServer(
      await certificate(),
      this.#serverParts((incoming, response) => {
        this.#idle.take(incoming, response)
        handler(incoming, response, 'tls')
      }),
    )
    server.on('secureConnection', (socket) => {
      this.#handshakes++
      socket.once('close', () => this.#idle.forget(socket))
    })
    this.#secure = server
    return server
  }

  #serverParts(handler: ServerParts['handler']): ServerParts {
    return { handler, limits: this.#limits, newRequestId: this.#parts.newRequestId }
  }
}
