/**
 * From where this agent can be reached: listens on other addresses while that is switched on, follows settings, adapters and the
 * certificate, and says so. Owns what is listened on. Must not import owners but configuration, people and peers.
 */
import type { NetworkInterfaceInfo } from 'node:os'
import type { Cancel, Timers } from '../clock.ts'
import type { Configuration } from '../config/configuration.ts'
import { type Refusal, refuse } from '../errors.ts'
import type { Health } from '../health.ts'
import { type Certificates, checkCertificateFiles } from '../peers/certificate.ts'
import type { Administrator } from '../people/administrator.ts'
import type { Writes } from '../writes.ts'
import { listAddresses } from './adapters.ts'
import type { Outside } from './guards.ts'
import type { Listener, Reached } from './listener.ts'
import { createProxyList } from './proxies.ts'
import type { Channel } from './request-view.ts'

export interface ReachParts {
  readonly listener: Pick<Listener, 'follow'>
  readonly configuration: Pick<Configuration, 'get' | 'onAnyChange'>
  readonly administrator: Pick<Administrator, 'hasPassword'>
  readonly certificates: Pick<Certificates, 'current' | 'refresh'>
  /** As `os.networkInterfaces`. */
  readonly adapters: () => NodeJS.Dict<NetworkInterfaceInfo[]>
  /** Of this machine. */
  readonly hostName: string
  readonly agentId: string
  readonly port: () => number
  readonly timers: Timers
  readonly health: Pick<Health, 'set' | 'clear'>
  readonly writes: Writes
  readonly onTrouble: (error: unknown) => void
}

/** For pages and for whoever has to be told. */
export interface ReachState {
  /** Remote administration is in force. */
  readonly remote: boolean
  /** Other agents may ask for seats. */
  readonly serving: boolean
  /** `host:port` of everything that is listened on besides loopback. */
  readonly addresses: readonly string[]
  readonly proxy: string | undefined
  /** Of the certificate, for people to compare; absent while none was needed. */
  readonly fingerprint: string | undefined
}

const lookEvery = 5_000
const nothing: Reached = { addresses: [], proxy: undefined, failed: [] }

export class Reach {
  readonly #parts: ReachParts
  #reached: Reached = nothing
  #said = ''
  #outside: ReturnType<Reach['outside']> | undefined

  constructor(parts: ReachParts) {
    this.#parts = parts
  }

  /** Once the port is there. @returns stops following */
  start(): Cancel {
    const { configuration, timers, onTrouble } = this.#parts
    const look = () => void this.look().catch(onTrouble)
    const stopHearing = configuration.onAnyChange(() => {
      this.#outside = undefined
      look()
    })
    const stopLooking = timers.every(lookEvery, look)
    look()
    return () => {
      stopHearing()
      stopLooking()
    }
  }

  /** Brings what is listened on up to date with the settings, the adapters and the certificate. */
  async look(): Promise<void> {
    const { listener, configuration, certificates, adapters } = this.#parts
    const { remote, serving } = this.#switches()
    const isOn = remote || serving
    if (isOn || certificates.current !== undefined) await certificates.refresh()
    const proxy = configuration.get('network.proxyListen')
    this.#reached = await listener.follow({
      addresses: isOn ? listAddresses(configuration.get('network.listen'), adapters()) : [],
      ...(proxy === '' ? {} : { proxy }),
    })
    await this.#say(remote, serving)
  }

  state(): ReachState {
    const { proxy } = this.#reached
    return {
      ...this.#switches(),
      addresses: this.#addresses(),
      proxy,
      fingerprint: this.#parts.certificates.current?.fingerprint,
    }
  }

  /** What holds for requests from elsewhere. */
  outside(): Outside & { readonly isProxy: (address: string) => boolean } {
    const { remote } = this.#switches()
    if (this.#outside?.remote === remote) return this.#outside
    const { configuration } = this.#parts
    const names = new Set(
      [...this.#ownNames(), ...configuration.get('network.names')].map((name) => name.toLowerCase()),
    )
    this.#outside = { remote, names, isProxy: createProxyList(configuration.get('network.proxies')) }
    return this.#outside
  }

  /** Names for a certificate of our own. */
  names(): readonly string[] {
    return [...this.#parts.configuration.get('network.names'), ...this.#ownNames()]
  }

  /**
   * Whether a change of settings may be made: reach is switched on at this machine only and needs a password, a certificate has
   * its key. Refused with the fact `fields`, as wrong values are.
   */
  async check(patch: Readonly<Record<string, unknown>>, channel: Channel): Promise<Refusal | undefined> {
    const { configuration, administrator } = this.#parts
    const opening = [
      patch['ui.remote'] === true && !configuration.get('ui.remote') ? 'ui.remote' : undefined,
      isServing(patch['serving.access']) && !isServing(configuration.get('serving.access'))
        ? 'serving.access'
        : undefined,
    ].filter((name) => name !== undefined)
    if (opening.length > 0 && channel !== 'loopback')
      return refuseFor('loopback_only', opening, 'Reach is switched on at the machine itself.')
    if (opening.length > 0 && !administrator.hasPassword())
      return refuseFor('password_needed', opening, 'Set an administrator password first.')
    const certificate = patch['network.tls.certificate'] ?? configuration.get('network.tls.certificate')
    const key = patch['network.tls.key'] ?? configuration.get('network.tls.key')
    const touched = ['network.tls.certificate', 'network.tls.key'].filter((name) => name in patch)
    if (touched.length === 0 || typeof certificate !== 'string' || typeof key !== 'string') return undefined
    // null takes a value back; what then holds comes from the file or is nothing
    if (touched.some((name) => patch[name] === null)) return undefined
    const reason = await checkCertificateFiles(certificate, key)
    return reason === undefined ? undefined : refuseFor('invalid_request', touched, `${reason}.`)
  }

  #switches(): { readonly remote: boolean; readonly serving: boolean } {
    const { configuration, administrator } = this.#parts
    return {
      // the file or the environment may switch it on: without a password nobody could sign in, and nobody is let in
      remote: configuration.get('ui.remote') && administrator.hasPassword(),
      serving: isServing(configuration.get('serving.access')),
    }
  }

  #ownNames(): readonly string[] {
    const { hostName, agentId } = this.#parts
    const [short = hostName] = hostName.split('.')
    return [hostName, short, `${short}.local`, `${agentId}.local`]
  }

  #addresses(): readonly string[] {
    const port = this.#parts.port()
    return this.#reached.addresses.map((one) => (one.includes(':') ? `[${one}]:${port}` : `${one}:${port}`))
  }

  async #say(remote: boolean, serving: boolean): Promise<void> {
    const { health, writes } = this.#parts
    const addresses = this.#addresses()
    if (addresses.length > 0) health.set('remote_reach', { addresses })
    else health.clear('remote_reach')
    const failed = this.#reached.failed.map(({ place }) => place)
    if (failed.length > 0) health.set('not_listening', { addresses: failed })
    else health.clear('not_listening')
    // adapters come and go all the time; what is told is that somebody has switched
    const now = `${remote} ${serving} ${addresses.length > 0}`
    if (now === this.#said || (this.#said === '' && addresses.length === 0)) return
    this.#said = now
    await writes.submit((transaction) =>
      transaction.journal({ type: 'agent.reach_changed', facts: { remote, serving, addresses: [...addresses] } }),
    )
  }
}

function isServing(access: unknown): boolean {
  return access === 'approved' || access === 'rules'
}

function refuseFor(code: Refusal['code'], names: readonly string[], message: string): Refusal {
  return refuse(code, message, { fields: names.map((field) => ({ field, message })) })
}
