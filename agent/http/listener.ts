/**
 * The port: listens on 127.0.0.1 and ::1, on other addresses and for a reverse proxy as long as that is wanted, tells TLS from
 * plain HTTP by the first byte, and stops gracefully. Must not import owners.
 */

import { lstat, rm } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { Certificate } from '../peers/certificate.ts'
import { FirstByte } from './first-byte.ts'
import { type Limits, usualLimits } from './http-server.ts'
import { askHolder, type PortHolder } from './port-holder.ts'
import { type ListenerParts, Servers } from './servers.ts'

export type Started =
  | { readonly kind: 'listening'; readonly port: number; readonly addresses: readonly string[] }
  | { readonly kind: 'port-taken'; readonly port: number; readonly holder: PortHolder }
  /** Ports below 1024, or a rule of the system. */
  | { readonly kind: 'not-permitted'; readonly port: number }

/** Where to listen besides loopback. */
export interface Wanted {
  /** Addresses of adapters, with zone where they are link-local. */
  readonly addresses: readonly string[]
  /** For a reverse proxy: the path of a Unix socket, or `host:port` of loopback. */
  readonly proxy?: string
}

export interface Reached {
  readonly addresses: readonly string[]
  readonly proxy: string | undefined
  /** What was wanted and can't be had, with the code of the system. */
  readonly failed: readonly { readonly place: string; readonly code: string }[]
}

type Place = { readonly host: string; readonly port: number } | { readonly path: string }
type Bound = { readonly kind: 'bound'; readonly port: number } | { readonly kind: 'failed'; readonly code: string }

const loopback = ['127.0.0.1', '::1'] as const
/** ms of silence after which the system asks whether the other side is still there. */
const absence = 60_000
/** From this share of the connections that an address may have on, each new one takes the place of one that is idle. */
const crowded = 15 / 16
/** With port 0 the second address may be taken on the port that the first was given. */
const mostTries = 20

export class Listener {
  readonly #parts: ListenerParts
  readonly #limits: Limits
  readonly #servers: Servers
  readonly #firstByte: FirstByte
  #own: Server[] = []
  readonly #outer = new Map<string, Server>()
  /** Every connection by the server that took it, the ones that have said nothing yet included. */
  readonly #sockets = new WeakMap<Server, Set<Socket>>()
  #port = 0
  #following: Promise<unknown> = Promise.resolve()
  #isStopped = false

  constructor(parts: ListenerParts) {
    this.#parts = parts
    this.#limits = { ...usualLimits, ...parts.limits }
    this.#servers = new Servers(parts, this.#limits)
    this.#firstByte = new FirstByte(parts.timers, this.#limits.headers)
  }

  /** TLS handshakes so far. */
  get handshakes(): number {
    return this.#servers.handshakes
  }

  /** @param port 0 for one that is free, the same on both addresses */
  async start(port: number): Promise<Started> {
    for (let tries = 0; ; tries++) {
      const started = await this.#startOn(port)
      if (started !== 'again') return started
      if (tries >= mostTries) throw new Error('no port is free on 127.0.0.1 and ::1')
    }
  }

  /** Listens where it is wanted and nowhere else besides loopback, whose connections go on. One after another. */
  follow(wanted: Wanted): Promise<Reached> {
    const next = this.#following.then(() => this.#follow(wanted))
    this.#following = next.catch(() => undefined)
    return next
  }

  /** For the next handshakes; connections that are open go on. */
  useCertificate(certificate: Certificate): void {
    this.#servers.useCertificate(certificate)
  }

  async #startOn(port: number): Promise<Started | 'again'> {
    const servers: Server[] = []
    const listening: string[] = []
    let given = port
    for (const address of loopback) {
      const server = this.#createLoopback()
      const bound = await bind(server, { host: address, port: given })
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
      for (const one of servers) one.close()
      if (bound.code === 'EACCES' || bound.code === 'EPERM') return { kind: 'not-permitted', port }
      if (bound.code !== 'EADDRINUSE') throw new Error(`cannot listen on ${address} port ${given}: ${bound.code}`)
      if (port === 0) return 'again'
      return { kind: 'port-taken', port, holder: await askHolder(address, port) }
    }
    this.#own = servers
    this.#port = given
    this.#isStopped = false
    return { kind: 'listening', port: given, addresses: listening }
  }

  async #follow({ addresses, proxy }: Wanted): Promise<Reached> {
    if (this.#isStopped || this.#own.length === 0) return { addresses: [], proxy: undefined, failed: [] }
    const wanted = new Map<string, Place>()
    for (const address of addresses)
      if (!loopback.some((one) => one === address)) wanted.set(address, { host: address, port: this.#port })
    const proxyPlace = proxy === undefined ? undefined : readProxyPlace(proxy)
    const proxyKey = `proxy ${proxy}`
    if (proxyPlace !== undefined) wanted.set(proxyKey, proxyPlace)
    for (const [key, server] of this.#outer)
      if (!wanted.has(key)) {
        this.#outer.delete(key)
        server.close()
        this.#dropOf(server)
      }
    const failed: { place: string; code: string }[] = []
    if (proxy !== undefined && proxyPlace === undefined) failed.push({ place: proxy, code: 'EINVAL' })
    for (const [key, place] of wanted) {
      if (this.#outer.has(key)) continue
      const isProxy = key === proxyKey
      if ('path' in place) await removeLeftover(place.path)
      const server = isProxy ? this.#createProxy() : this.#createOuter()
      const bound = await bind(server, place)
      if (bound.kind === 'failed') failed.push({ place: isProxy ? (proxy ?? '') : key, code: bound.code })
      else if (this.#isStopped) server.close()
      else this.#outer.set(key, server)
    }
    const reached = [...this.#outer.keys()]
    return {
      addresses: reached.filter((key) => key !== proxyKey),
      proxy: reached.includes(proxyKey) ? proxy : undefined,
      failed,
    }
  }

  #createLoopback(): Server {
    return this.#createServer((socket) => this.#sort(socket, () => this.#servers.plain('loopback', socket)))
  }

  #createOuter(): Server {
    return this.#createServer((socket) => this.#sort(socket, () => this.#servers.redirect(socket)))
  }

  #createProxy(): Server {
    return this.#createServer((socket) => this.#servers.plain('proxy', socket), false)
  }

  #sort(socket: Socket, plain: () => void): void {
    this.#firstByte.read(socket, (isTls) => {
      if (isTls) this.#servers.secure(socket)
      else plain()
    })
  }

  /** @param paused whether connections wait to be looked at before anything of them is read */
  #createServer(onConnection: (socket: Socket) => void, paused = true): Server {
    const options = { pauseOnConnect: paused, noDelay: true, keepAlive: true, keepAliveInitialDelay: absence }
    const sockets = new Set<Socket>()
    const most = this.#limits.connections
    const server = createServer(options, (socket) => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
      if (sockets.size > most * crowded) this.#servers.makeRoom(socket.localAddress)
      onConnection(socket)
    })
    server.maxConnections = most
    this.#sockets.set(server, sockets)
    return server
  }

  /** Connections of an address that is not listened on any more. */
  #dropOf(server: Server): void {
    for (const socket of this.#sockets.get(server) ?? []) socket.destroy()
  }

  /** Takes no more connections, lets running requests end, and closes what is left after `grace` ms. */
  async stop(grace: number): Promise<void> {
    const { timers } = this.#parts
    this.#isStopped = true
    await this.#following
    const servers = [...this.#own, ...this.#outer.values()]
    this.#own = []
    this.#outer.clear()
    const closed = Promise.all(servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))))
    this.#firstByte.dropAll()
    this.#servers.closeIdle()
    // Connections that were busy at first become idle later.
    const stopLooking = timers.every(50, () => this.#servers.closeIdle())
    const cancel = timers.after(grace, () => {
      for (const server of servers) this.#dropOf(server)
    })
    await closed
    stopLooking()
    cancel()
    this.#servers.close()
  }
}

/** A path, or a port of loopback: a proxy of another machine comes over TLS. */
function readProxyPlace(text: string): Place | undefined {
  if (text.startsWith('/')) return { path: text }
  const match = /^(?:(127\.\d{1,3}\.\d{1,3}\.\d{1,3}|localhost)|\[?(::1)\]?):(\d{1,5})$/.exec(text)
  const port = Number(match?.[3])
  if (match === null || port < 1 || port > 65_535) return undefined
  return { host: match[2] ?? (match[1] === 'localhost' ? '127.0.0.1' : (match[1] ?? '')), port }
}

function bind(server: Server, place: Place): Promise<Bound> {
  return new Promise((resolve) => {
    const onError = (error: NodeJS.ErrnoException) => {
      resolve({ kind: 'failed', code: error.code ?? error.message })
    }
    server.once('error', onError)
    const onListening = () => {
      server.off('error', onError)
      // an error of a listening server, such as too many open files, must not end the process
      server.on('error', () => undefined)
      const address = server.address()
      resolve({ kind: 'bound', port: typeof address === 'object' ? ((address as AddressInfo | null)?.port ?? 0) : 0 })
    }
    // whoever comes over the socket has the rights of another machine, so all may
    if ('path' in place) server.listen({ ...place, readableAll: true, writableAll: true }, onListening)
    else server.listen({ ...place, ipv6Only: true, exclusive: true }, onListening)
  })
}

/** The socket file of an agent that was killed, if nobody listens on it any more. */
async function removeLeftover(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined)
  if (found?.isSocket() !== true) return
  const isAlive = await new Promise<boolean>((resolve) => {
    const probe = connect({ path }, () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', () => resolve(false))
  })
  if (!isAlive) await rm(path, { force: true })
}
