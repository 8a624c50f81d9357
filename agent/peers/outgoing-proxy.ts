/**
 * Connections that leave by the proxy of the configuration, where there is one (B7): which targets are reached straight, the
 * tunnel through the proxy for the others, and what exactly went wrong. Owns nothing that lasts. Must not import http.
 */
import { isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Clock, Timers } from '../clock.ts'
import { isExceptedAddress, isExceptedName } from '../domain/access/exceptions.ts'
import type { Place } from '../domain/place.ts'
import { type Connect, deadline } from './peer-connection.ts'
import { type ProxyConnection, type ProxyFailure, type ProxySettings, readProxy } from './proxy-target.ts'
import { describeTest, nowhere, type ProxyTest } from './proxy-test.ts'
import { openTunnel, type TunnelLogin } from './proxy-tunnel.ts'

export interface OutgoingProxyOptions {
  readonly settings: () => ProxySettings
  /** What the proxy is reached by, and what needs none. */
  readonly connect: Connect
  /** Addresses of a name; rejects where it has none. */
  readonly lookup: (name: string) => Promise<readonly string[]>
  /** Networks of the adapters of this machine, as CIDR. */
  readonly subnets: () => readonly string[]
  readonly readFile: (file: string) => Promise<string>
  /** PEM certificates that a proxy with TLS may have been signed by, instead of those that Node trusts. */
  readonly authorities?: readonly string[]
  readonly clock: Pick<Clock, 'atLeast'>
  readonly timers: Timers
}

/** So long the name of a target is looked up before the proxy is left to know it. */
const lookupTime = 2_000
const testTime = 10_000

export class OutgoingProxy {
  readonly #options: OutgoingProxyOptions

  constructor(options: OutgoingProxyOptions) {
    this.#options = options
  }

  /** Straight where the target is excepted or there is no proxy, else through it. Never rejects. */
  readonly connectThrough = async (target: Place, signal: AbortSignal): Promise<ProxyConnection> => {
    const settings = this.#options.settings()
    // It goes into a request as it is, so it must be no more than a name.
    if (!/^[^\s\p{Cc}/@?#]{1,255}$/u.test(target.host))
      return { kind: 'failed', way: 'straight', step: 'name', reason: 'name', detail: 'the name can not be one' }
    if (settings.url === '' || (await this.#isStraight(target, settings, signal))) {
      const straight = await this.#options.connect(target, signal)
      return straight.kind === 'connected'
        ? { ...straight, way: 'straight' }
        : { ...straight, way: 'straight', reason: straight.step }
    }
    return await this.#tunnel(target, settings, signal)
  }

  /** Whether connections to the target leave by the proxy. */
  async leadsTo(target: Place, signal: AbortSignal): Promise<boolean> {
    const settings = this.#options.settings()
    return settings.url !== '' && !(await this.#isStraight(target, settings, signal))
  }

  /**
   * Connects and closes again, and says how far it came.
   * @param target absent: as far as the login of the proxy, since then there is nothing to reach
   */
  async test(target?: Place, signal?: AbortSignal): Promise<ProxyTest | { readonly kind: 'no_proxy' }> {
    const settings = this.#options.settings()
    if (target === undefined && settings.url === '') return { kind: 'no_proxy' }
    const { clock, timers } = this.#options
    const began = clock.atLeast()
    const ended = deadline(timers, testTime, signal)
    const outcome =
      target === undefined
        ? await this.#tunnel(nowhere, settings, ended.signal)
        : await this.connectThrough(target, ended.signal)
    ended.clear()
    if (outcome.kind === 'connected') outcome.socket.destroy()
    return { ...describeTest(outcome, settings, target), ms: Math.round(clock.atLeast() - began) }
  }

  async #isStraight({ host }: Place, { except }: ProxySettings, signal: AbortSignal): Promise<boolean> {
    const subnets = this.#options.subnets()
    if (isIP(host.replace(/%.*$/, '')) !== 0) return isExceptedAddress(except, subnets, host)
    if (isExceptedName(except, host)) return true
    const addresses = await this.#lookUp(host, signal)
    return addresses.some((address) => isExceptedAddress(except, subnets, address))
  }

  /** None where the name is not known here, or not in time: the proxy may know it. */
  async #lookUp(host: string, signal: AbortSignal): Promise<readonly string[]> {
    const ended = deadline(this.#options.timers, lookupTime, signal)
    const late = new Promise<readonly string[]>((resolve) => {
      if (ended.signal.aborted) resolve([])
      else ended.signal.addEventListener('abort', () => resolve([]), { once: true })
    })
    const found = this.#options.lookup(host).catch((): readonly string[] => [])
    const addresses = await Promise.race([found, late])
    ended.clear()
    return addresses
  }

  async #tunnel(target: Place, settings: ProxySettings, signal: AbortSignal): Promise<ProxyConnection> {
    const place = readProxy(settings.url)
    const failed = (reason: ProxyFailure, detail: string): ProxyConnection => ({
      kind: 'failed',
      way: 'proxy',
      step: 'connect',
      reason,
      detail,
    })
    if (place === undefined) return failed('name', 'the address of the proxy can not be read')
    const { secure, proxy, shown } = place
    const login = await this.#readLogin(settings)
    if (login.kind === 'unreadable') return failed('password', login.detail)
    const reached = await this.#options.connect(proxy, signal)
    if (reached.kind === 'failed')
      return failed(reached.step, `the proxy ${shown} can not be reached: ${reached.detail}`)
    const safe = secure ? await secureSocket(reached.socket, proxy, this.#options.authorities, signal) : reached
    if (safe.kind === 'failed') return failed('tls', `the proxy ${shown} can not be trusted: ${safe.detail}`)
    const opened = await openTunnel(safe.socket, { ...target, login: login.login }, signal)
    if (opened.kind === 'failed') return failed(opened.reason, `the proxy ${shown} ${opened.detail}`)
    return { kind: 'connected', way: 'proxy', socket: opened.socket }
  }

  async #readLogin({ user, passwordFile }: ProxySettings): Promise<Login> {
    if (user === '') return { kind: 'read', login: undefined }
    if (passwordFile === '') return { kind: 'read', login: { user, password: '' } }
    try {
      const text = await this.#options.readFile(passwordFile)
      return { kind: 'read', login: { user, password: text.split(/\r?\n/)[0] ?? '' } }
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException
      const why = { ENOENT: 'is not there', EACCES: 'may not be read', EPERM: 'may not be read' }[code]
      return { kind: 'unreadable', detail: `the file with the password of the proxy, ${passwordFile}, ${why ?? code}` }
    }
  }
}

type Login =
  | { readonly kind: 'read'; readonly login: TunnelLogin | undefined }
  | { readonly kind: 'unreadable'; readonly detail: string }

type Safe =
  | { readonly kind: 'connected'; readonly socket: Socket }
  | { readonly kind: 'failed'; readonly detail: string }

/** TLS to the proxy itself; its certificate must be one that this system trusts. */
function secureSocket(
  socket: Socket,
  { host }: Place,
  authorities: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<Safe> {
  return new Promise((resolve) => {
    const secured = connectTls({
      socket,
      host,
      ...(isIP(host) === 0 ? { servername: host } : {}),
      ...(authorities === undefined ? {} : { ca: [...authorities] }),
    })
    const finish = (safe: Safe): void => {
      secured.off('secureConnect', onSecure)
      secured.off('error', onError)
      signal.removeEventListener('abort', onAbort)
      if (safe.kind === 'failed') {
        secured.on('error', () => undefined)
        secured.destroy()
      }
      resolve(safe)
    }
    const onSecure = (): void => finish({ kind: 'connected', socket: secured })
    const onError = (error: Error): void => finish({ kind: 'failed', detail: error.message })
    const onAbort = (): void => finish({ kind: 'failed', detail: 'the handshake did not end in time' })
    secured.once('secureConnect', onSecure)
    secured.once('error', onError)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
  })
}
