/**
 * Broadcast search: finds agents of the local networks by multicast DNS, and lets them find this one while it serves. Owns one
 * socket per network adapter. IPv4 only: the library does not work over IPv6.
 */
import type { Cancel, Timers } from '../../clock.ts'
import { addressNumber } from '../../domain/place.ts'
import type { Health } from '../../health.ts'
import type { Adapter } from '../prober.ts'
import type { Finder, Look } from './finder.ts'
import type { Announced, Multicast, OpenMulticast } from './multicast.ts'

const searchEvery = 30_000
/** ms in which answers to a question come; later ones count, too. */
const listenFor = 1000
/** ms after which a changed address is noticed. */
const lookEvery = 10_000
/** ms for the goodbye. */
const goodbyePatience = 1000
const mostServices = 500
/** Of one sender: several agents may run on one machine. */
const mostOfOne = 8

export interface BroadcastParts {
  /** Loads what speaks to the network; called when it is first needed. */
  readonly load: () => Promise<OpenMulticast>
  readonly adapters: () => readonly Adapter[]
  readonly timers: Timers
  readonly health: Pick<Health, 'set' | 'clear'>
  readonly self: string
  /** “Broadcast Search for Remote Licenses”. */
  readonly isOn: () => boolean
}

interface Socket {
  readonly adapter: Adapter
  readonly multicast: Multicast
  announced: string
}

export class BroadcastFinder implements Finder {
  readonly foundBy = 'broadcast'
  readonly every = searchEvery
  readonly #parts: BroadcastParts
  readonly #sockets = new Map<string, Socket>()
  #open: OpenMulticast | undefined
  #look: Look | undefined
  #port: number | undefined
  #services = 0
  readonly #ofSender = new Map<string, number>()
  #cancelPoll: Cancel | undefined
  /** One change of the sockets after another. */
  #queue: Promise<void> = Promise.resolve()
  #isStopped = false

  constructor(parts: BroadcastParts) {
    this.#parts = parts
  }

  isOn(): boolean {
    return this.#parts.isOn()
  }

  async find(look: Look): Promise<void> {
    if (this.#isStopped) return
    this.#look = look
    this.#services = 0
    this.#ofSender.clear()
    await this.#arrange()
    if (look.signal.aborted) return
    if (this.#sockets.size === 0) look.note('Broadcast reaches nobody: no network adapter has an IPv4 address.')
    for (const { adapter, multicast } of this.#sockets.values()) {
      look.note(`Broadcast asks on ${adapter.name} (${adapter.address}).`)
      multicast.browse()
    }
    await new Promise<void>((resolve) => {
      const end = (): void => {
        cancel()
        look.signal.removeEventListener('abort', end)
        resolve()
      }
      const cancel = this.#parts.timers.after(listenFor, end)
      look.signal.addEventListener('abort', end, { once: true })
    })
    // A port that is taken shows a moment after the socket was opened.
    for (const address of this.#sockets.keys()) this.#parts.health.clear('broadcast_off', address)
  }

  rest(): void {
    if (this.#look === undefined) return
    this.#look = undefined
    for (const { multicast } of this.#sockets.values()) multicast.endBrowse()
    void this.#arrange()
  }

  /** @param port where this agent can be reached from other machines; undefined: it can not */
  announce(port: number | undefined): Promise<void> {
    this.#port = port
    return this.#arrange()
  }

  /** Says goodbye and closes. */
  stop(): Promise<void> {
    this.#isStopped = true
    this.#look = undefined
    this.#port = undefined
    return this.#arrange()
  }

  // ---- the sockets

  #arrange(): Promise<void> {
    this.#queue = this.#queue.then(() => this.#rearrange())
    return this.#queue
  }

  async #rearrange(): Promise<void> {
    const adapters = this.#parts.adapters()
    const isWanted = this.#look !== undefined || this.#port !== undefined
    const wanted = new Map(isWanted ? chooseAdapters(adapters).map((one) => [one.address, one]) : [])
    const gone = [...this.#sockets.values()].filter(({ adapter }) => !wanted.has(adapter.address))
    await Promise.all(gone.map((socket) => this.#close(socket)))
    for (const adapter of wanted.values()) if (!this.#sockets.has(adapter.address)) await this.#openAt(adapter)
    // The library writes the addresses down when it announces.
    const state =
      this.#port === undefined
        ? ''
        : `${this.#port} ${adapters
            .map(({ address }) => address)
            .sort()
            .join(' ')}`
    await Promise.all([...this.#sockets.values()].map((socket) => this.#announceAt(socket, state)))
    this.#poll(isWanted && !this.#isStopped)
  }

  async #openAt(adapter: Adapter): Promise<void> {
    try {
      this.#open ??= await this.#parts.load()
      const multicast = this.#open({
        address: adapter.address,
        isNear: (address) => isNear(address, this.#parts.adapters()),
        onService: (service) => this.#hint(service),
        onTrouble: (error) => this.#fail(adapter.address, error),
      })
      const socket = { adapter, multicast, announced: '' }
      this.#sockets.set(adapter.address, socket)
      // Who joins while a search goes on takes part in it.
      if (this.#look !== undefined) multicast.browse()
    } catch (error) {
      this.#fail(adapter.address, error)
    }
  }

  async #announceAt(socket: Socket, state: string): Promise<void> {
    if (socket.announced === state) return
    if (socket.announced !== '') await this.#within(socket.multicast.withdraw())
    if (state !== '' && this.#port !== undefined) socket.multicast.announce(this.#parts.self, this.#port)
    socket.announced = state
  }

  async #close(socket: Socket): Promise<void> {
    this.#sockets.delete(socket.adapter.address)
    if (socket.announced !== '') await this.#within(socket.multicast.withdraw())
    await this.#within(socket.multicast.close())
  }

  /** The rest of the search goes on without it; the next look tries again. */
  #fail(address: string, error: unknown): void {
    const socket = this.#sockets.get(address)
    this.#sockets.delete(address)
    if (socket !== undefined) void this.#within(socket.multicast.close())
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    const reason =
      code === 'EADDRINUSE'
        ? 'Another program holds UDP port 5353'
        : `UDP port 5353 can not be used at ${address}${code === '' ? '' : ` (${code})`}`
    this.#look?.note(`${reason}.`)
    this.#parts.health.set('broadcast_off', { reason }, address)
  }

  async #within(task: Promise<void>): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancel = this.#parts.timers.after(goodbyePatience, resolve)
      const end = (): void => {
        cancel()
        resolve()
      }
      task.then(end, end)
    })
  }

  #poll(isWanted: boolean): void {
    if (!isWanted) {
      this.#cancelPoll?.()
      this.#cancelPoll = undefined
    } else this.#cancelPoll ??= this.#parts.timers.every(lookEvery, () => void this.#arrange())
  }

  // ---- what is found

  /** The id of an announcement is worth nothing: who answers there says who it is. */
  #hint({ id, address, port }: Announced): void {
    const look = this.#look
    if (look === undefined || id === this.#parts.self) return
    const ofSender = (this.#ofSender.get(address) ?? 0) + 1
    this.#services += 1
    if (ofSender > mostOfOne || this.#services > mostServices) return
    this.#ofSender.set(address, ofSender)
    look.hint({ place: { host: address, port }, foundBy: 'broadcast' })
  }
}

/** One address of each adapter; the machine's own loopback only where there is nothing else. */
export function chooseAdapters(adapters: readonly Adapter[]): readonly Adapter[] {
  const ofName = new Map<string, Adapter>()
  for (const adapter of adapters)
    if (adapter.family === 'IPv4' && !ofName.has(adapter.name)) ofName.set(adapter.name, adapter)
  const all = [...ofName.values()]
  const outer = all.filter(({ internal }) => !internal)
  return outer.length > 0 ? outer : all
}

export function isNear(address: string, adapters: readonly Adapter[]): boolean {
  const number = addressNumber(address)
  if (number === undefined) return false
  return adapters.some((adapter) => {
    const own = adapter.family === 'IPv4' ? addressNumber(adapter.address) : undefined
    if (own === undefined) return false
    const size = 2 ** (32 - adapter.prefix)
    return Math.floor(own / size) === Math.floor(number / size)
  })
}
