/**
 * Connections to other agents, step by step: name, connect, tls. Knows no trust in authorities: which certificate is right is
 * for the caller. Must not import http.
 */
import { connect as connectSocket, isIP, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import type { Timers } from '../clock.ts'
import { type Place, showPlace, usualPort } from '../domain/place.ts'
import { hashCertificate } from './certificate.ts'

export type Connected =
  | { readonly kind: 'connected'; readonly socket: Socket }
  | { readonly kind: 'failed'; readonly step: 'name' | 'connect'; readonly detail: string }

/** Opens a connection to a place, straight or through an outgoing proxy. Rejects never; `signal` gives up. */
export type Connect = (place: Place, signal: AbortSignal) => Promise<Connected>

export type Secured =
  | { readonly kind: 'secured'; readonly socket: TLSSocket; readonly certificate: string }
  | { readonly kind: 'failed'; readonly step: 'name' | 'connect' | 'tls'; readonly detail: string }

/** Reads `host`, `host:port`, `[v6]:port` or a bare IPv6 address. */
export function readPlace(address: string): Place | undefined {
  if (isIP(address) === 6 || /^[0-9A-Fa-f:.]+%[\w.-]+$/.test(address)) return { host: address, port: usualPort }
  const match = /^(?:\[([0-9A-Fa-f:.]+(?:%[\w.-]+)?)\]|([^\s[\]:/@?#]{1,253}))(?::(\d{1,5}))?$/.exec(address)
  if (match === null) return undefined
  const [, literal, name, digits] = match
  const port = digits === undefined ? usualPort : Number(digits)
  const host = literal ?? name
  return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port }
}

/** The name that people typed for a place need not be one that the agent there knows itself by; an address always is. */
export function hostHeader(place: Place): string {
  return showPlace(isIP(place.host) === 0 ? { ...place, host: 'localhost' } : place)
}

/** ms of silence after which the system asks whether the other side is still there; it gives up some 10 s later. */
export const keepAliveDelay = 15_000

const words: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the name is not known',
  EAI_AGAIN: 'the name service does not answer',
  ECONNREFUSED: 'nothing listens there',
  EHOSTUNREACH: 'there is no way to that machine',
  ENETUNREACH: 'there is no way to that network',
  ETIMEDOUT: 'nothing answered in time',
  ECONNRESET: 'the connection was closed',
  EPROTO: 'what answers does not speak TLS 1.3',
}

export function explain(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException
  if (code.startsWith('ERR_SSL_') || code === 'EPROTO') return `${words.EPROTO} (${code})`
  return words[code] ?? (code === '' ? message : code)
}

/** Straight there, to the first address of the name that answers. */
export const connectDirectly: Connect = (place, signal) =>
  new Promise((resolve) => {
    const socket = connectSocket({ ...place, noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveDelay })
    let step: 'name' | 'connect' = isIP(place.host) === 0 ? 'name' : 'connect'
    const finish = (outcome: Connected) => {
      socket.off('connect', onConnect)
      socket.off('error', onError)
      signal.removeEventListener('abort', onAbort)
      resolve(outcome)
    }
    const onConnect = () => finish({ kind: 'connected', socket })
    const fail = (detail: string) => {
      // late errors of a socket that is given up
      socket.on('error', () => undefined)
      socket.destroy()
      finish({ kind: 'failed', step, detail })
    }
    const onError = (error: NodeJS.ErrnoException) => {
      if (error.syscall === 'getaddrinfo') step = 'name'
      const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : [error]
      fail(explain(first ?? error))
    }
    const onAbort = () => fail(step === 'name' ? 'the name service did not answer in time' : 'nothing answered in time')
    socket.once('lookup', () => {
      step = 'connect'
    })
    socket.once('connect', onConnect)
    socket.once('error', onError)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
  })

/** TLS 1.3 over a connection that is made first. Whoever answers is named by the hash of its certificate. */
export async function connectSecurely(connect: Connect, place: Place, signal: AbortSignal): Promise<Secured> {
  const connected = await connect(place, signal)
  if (connected.kind === 'failed') return connected
  return await new Promise((resolve) => {
    const socket = connectTls({
      socket: connected.socket,
      minVersion: 'TLSv1.3',
      // which certificate is right is proved by the statement that the agent's key signs
      rejectUnauthorized: false,
      ...(isIP(place.host) === 0 ? { servername: place.host } : {}),
    })
    const finish = (outcome: Secured) => {
      socket.off('secureConnect', onSecure)
      socket.off('error', onError)
      socket.off('close', onClose)
      signal.removeEventListener('abort', onAbort)
      resolve(outcome)
    }
    const fail = (detail: string) => {
      socket.on('error', () => undefined)
      socket.destroy()
      finish({ kind: 'failed', step: 'tls', detail })
    }
    const onSecure = () => {
      const certificate = socket.getPeerX509Certificate()
      if (certificate === undefined) fail('no certificate was shown')
      else finish({ kind: 'secured', socket, certificate: hashCertificate(certificate.raw) })
    }
    const onError = (error: unknown) => fail(explain(error))
    const onClose = () => fail('the connection was closed')
    const onAbort = () => fail('the handshake did not end in time')
    socket.once('secureConnect', onSecure)
    socket.once('error', onError)
    socket.once('close', onClose)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
  })
}

/** A signal that aborts after `ms` or with `other`; `clear` when it is not needed any more. */
export function deadline(
  timers: Timers,
  ms: number,
  other?: AbortSignal,
): { readonly signal: AbortSignal; clear(): void } {
  const controller = new AbortController()
  const abort = () => controller.abort()
  const cancel = timers.after(Math.max(1, ms), abort)
  if (other?.aborted === true) abort()
  else other?.addEventListener('abort', abort, { once: true })
  return {
    signal: controller.signal,
    clear() {
      cancel()
      other?.removeEventListener('abort', abort)
    },
  }
}
