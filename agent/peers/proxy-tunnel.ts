/**
 * One tunnel through an HTTP proxy: CONNECT with its login over a connection that is there, and what the proxy says to it.
 * Owns the connection until the tunnel stands. Must not import http.
 */
import type { Socket } from 'node:net'

export interface TunnelLogin {
  readonly user: string
  readonly password: string
}

export interface Tunnel {
  /** Of the target; host name or IP literal without brackets. */
  readonly host: string
  readonly port: number
  readonly login?: TunnelLogin | undefined
}

/**
 * - `login`: the proxy does not take the login, or wants one
 * - `forbidden`: the proxy does not let this machine, target or port through
 * - `target`: the proxy can't reach the target
 * - `answer`: what the proxy says is no answer to CONNECT
 */
export type TunnelFailure = 'login' | 'forbidden' | 'target' | 'answer'

export type TunnelOutcome =
  | { readonly kind: 'open'; readonly socket: Socket }
  | {
      readonly kind: 'failed'
      readonly reason: TunnelFailure
      readonly status?: number
      /** What follows "the proxy …": a part of a sentence. */
      readonly detail: string
    }

const mostHeader = 16 * 1024

/** Answers never reject; what failed is closed. */
export function openTunnel(socket: Socket, tunnel: Tunnel, signal: AbortSignal): Promise<TunnelOutcome> {
  return new Promise((resolve) => {
    let read = Buffer.alloc(0)
    const finish = (outcome: TunnelOutcome): void => {
      socket.off('readable', take)
      socket.off('error', onError)
      socket.off('close', onClose)
      signal.removeEventListener('abort', onAbort)
      if (outcome.kind === 'failed') {
        // late errors of a socket that is given up
        socket.on('error', () => undefined)
        socket.destroy()
      }
      resolve(outcome)
    }
    const fail = (detail: string): void => finish({ kind: 'failed', reason: 'answer', detail })
    const onError = (error: Error): void => fail(`broke the connection off: ${error.message}`)
    const onClose = (): void => fail('closed the connection without an answer')
    const onAbort = (): void => fail('did not answer in time')
    const take = (): void => {
      for (let piece = readPiece(socket); piece !== null; piece = readPiece(socket)) read = Buffer.concat([read, piece])
      const end = read.indexOf('\r\n\r\n')
      if (end < 0) {
        if (read.length > mostHeader) fail('answers with something that is not HTTP')
        return
      }
      const rest = read.subarray(end + 4)
      const outcome = judge(read.subarray(0, end).toString('latin1'), tunnel)
      if (outcome !== undefined) {
        finish(outcome)
        return
      }
      // What the target said at once belongs to whoever uses the tunnel.
      finish({ kind: 'open', socket })
      if (rest.length > 0) socket.unshift(rest)
    }
    socket.on('readable', take)
    socket.once('error', onError)
    socket.once('close', onClose)
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    socket.write(writeRequest(tunnel))
  })
}

function readPiece(socket: Socket): Buffer | null {
  return socket.read() as Buffer | null
}

function writeRequest({ host, port, login }: Tunnel): string {
  const target = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const lines = [`CONNECT ${target} HTTP/1.1`, `Host: ${target}`]
  if (login !== undefined) {
    const credentials = Buffer.from(`${login.user}:${login.password}`, 'utf8').toString('base64')
    lines.push(`Proxy-Authorization: Basic ${credentials}`)
  }
  return `${lines.join('\r\n')}\r\n\r\n`
}

/** @returns undefined where the tunnel stands */
function judge(header: string, { host, port, login }: Tunnel): TunnelOutcome | undefined {
  const digits = /^HTTP\/1\.[01] (\d{3})(?: |\r|$)/.exec(header)?.[1]
  const failed = (reason: TunnelFailure, detail: string): TunnelOutcome =>
    digits === undefined
      ? { kind: 'failed', reason, detail }
      : { kind: 'failed', reason, status: Number(digits), detail: `${detail} (${digits})` }
  if (digits === undefined) return failed('answer', 'answers with something that is not HTTP')
  const status = Number(digits)
  if (status >= 200 && status < 300) return undefined
  // Not what 401 is for, but tinyproxy answers it to a wrong password.
  if (status === 407 || status === 401)
    return failed('login', login === undefined ? 'asks for a login' : `does not take the login of “${login.user}”`)
  if (status === 403 || status === 405)
    return failed('forbidden', `does not let this machine through to port ${port} of ${host}`)
  if (status >= 500) return failed('target', `can not reach ${host} port ${port}`)
  return failed('answer', 'does not make tunnels')
}
