/**
 * Multicast DNS on one network adapter, by bonjour-service: tells that this agent is here, and finds others. Owns the socket.
 * What comes in is bounded before the library looks at it: so many packets and records of one sender and in all, and only from
 * the subnets of this machine; a service counts where it comes from, whatever addresses it names.
 */
import { EventEmitter } from 'node:events'
import { z } from 'zod'
import { bytes32 } from '../../domain/documents/fields.ts'
import { isOrdinaryPort } from './gossip.ts'

/** A service as it was announced, from where it was announced. */
export interface Announced {
  readonly id: string
  readonly address: string
  readonly port: number
}

export interface MulticastParts {
  /** The adapter's IPv4 address. */
  readonly address: string
  /** Whether an address is of a subnet of this machine. */
  readonly isNear: (address: string) => boolean
  readonly onService: (service: Announced) => void
  /** It does not work, and will not: the socket is to be closed. */
  readonly onTrouble: (error: unknown) => void
}

export interface Multicast {
  /** Asks who is there, and listens; forgets what was found before. */
  browse(): void
  endBrowse(): void
  announce(id: string, port: number): void
  /** Says goodbye. */
  withdraw(): Promise<void>
  close(): Promise<void>
}

export type OpenMulticast = (parts: MulticastParts) => Multicast

const type = 'leasehold'
const mostRecords = 100
const mostQuestions = 16
/** Between two times of browsing. */
const mostPackets = 5000
const mostPacketsOfOne = 200
const mostServices = 500

const announcedText = z.object({
  id: bytes32,
  port: z.string().regex(/^[1-9]\d{0,4}$/),
  v: z.string().regex(/^\d{1,3}$/),
})

/** The parts of the library that its types hide. */
interface Packet {
  readonly questions?: readonly unknown[]
  readonly answers?: readonly unknown[]
  readonly additionals?: readonly unknown[]
}
type Listener = (packet: Packet, sender: { readonly address: string }) => void
interface Wire extends EventEmitter {
  query(name: string, type: string): void
}

/** Loads the library, which nobody needs who searches without broadcast. */
export async function loadMulticast(): Promise<OpenMulticast> {
  const { Bonjour, Browser } = await import('bonjour-service')
  return (parts) => {
    const bonjour = new Bonjour({ interface: parts.address, bind: '0.0.0.0' } as object, parts.onTrouble)
    const { mdns } = (bonjour as unknown as { readonly server: { readonly mdns: Wire } }).server
    // Without a listener for `error` a taken port would end the process.
    mdns.on('error', parts.onTrouble)
    mdns.on('warning', () => {})
    const limits = new Limits(parts.isNear)
    limitQueries(mdns, limits)
    const bounded = boundResponses(mdns, limits)
    let browser: InstanceType<typeof Browser> | undefined
    let services = 0
    const endBrowse = (): void => {
      browser?.stop()
      browser = undefined
    }
    return {
      browse() {
        endBrowse()
        limits.reset()
        services = 0
        const take = (service: unknown): void => {
          // What the library keeps of them grows with every one, so no more than these.
          if (++services > mostServices) endBrowse()
          else {
            const announced = readService(service)
            if (announced !== undefined && parts.isNear(announced.address)) parts.onService(announced)
          }
        }
        browser = new Browser(bounded, { type })
        browser.on('up', take)
        browser.on('srv-update', take)
        browser.on('txt-update', take)
      },
      endBrowse,
      announce(id, port) {
        // Its name holds the id, so nobody else has it, and the library needs not look before it answers.
        bonjour.publish({
          name: `leasehold-${id}`,
          type,
          port,
          host: `${id}.local`,
          txt: { id, port: String(port), v: '1' },
          probe: false,
        })
      },
      withdraw: () => new Promise((resolve) => bonjour.unpublishAll(() => resolve())),
      close: () =>
        new Promise((resolve) => {
          endBrowse()
          bonjour.destroy(() => resolve())
        }),
    }
  }
}

class Limits {
  readonly #isNear: (address: string) => boolean
  readonly #senders = new Map<string, number>()
  #packets = 0

  constructor(isNear: (address: string) => boolean) {
    this.#isNear = isNear
  }

  reset(): void {
    this.#senders.clear()
    this.#packets = 0
  }

  allow(address: string): boolean {
    const count = (this.#senders.get(address) ?? 0) + 1
    if (count > mostPacketsOfOne || this.#packets >= mostPackets || !this.#isNear(address)) return false
    this.#senders.set(address, count)
    this.#packets += 1
    return true
  }
}

/** The library answers each question with a packet of its own; a packet full of questions must not make a thousand. */
function limitQueries(mdns: Wire, limits: Limits): void {
  const answers = mdns.listeners('query') as Listener[]
  mdns.removeAllListeners('query')
  mdns.on('query', (packet: Packet, sender: { readonly address: string }) => {
    if ((packet.questions?.length ?? 0) > mostQuestions || !limits.allow(sender.address)) return
    for (const answer of answers) answer(packet, sender)
  })
}

function boundResponses(mdns: Wire, limits: Limits): Wire {
  const bounded = Object.assign(new EventEmitter(), { query: (name: string, kind: string) => mdns.query(name, kind) })
  mdns.on('response', (packet: Packet, sender: { readonly address: string }) => {
    const records = (packet.answers?.length ?? 0) + (packet.additionals?.length ?? 0)
    if (records <= mostRecords && limits.allow(sender.address)) bounded.emit('response', packet, sender)
  })
  return bounded
}

const foundService = z.object({
  port: z.int().min(1).max(65_535),
  referer: z.object({ address: z.ipv4() }),
  txt: announcedText,
})

/** @returns undefined for what is no announcement of an agent */
export function readService(service: unknown): Announced | undefined {
  const read = foundService.safeParse(service)
  if (!read.success) return undefined
  const { port, referer, txt } = read.data
  return Number(txt.port) === port && isOrdinaryPort(port) ? { id: txt.id, address: referer.address, port } : undefined
}
