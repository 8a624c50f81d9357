/**
 * Finds agents that known agents know of, over at most two of them. What others say is limited: so many peers each, addresses
 * of private networks only, no names, no ports of other services, and only the agent that was named is taken for an answer.
 * Owns what was said lately.
 */
import { isIPv4, isIPv6 } from 'node:net'
import type { Clock, Elapsed } from '../../clock.ts'
import { readPlace } from '../../config/search-parameters.ts'
import { addressNumber, type Place } from '../../domain/place.ts'
import type { KnownPeer, Prober } from '../prober.ts'
import type { Finder, Look } from './finder.ts'

const searchEvery = 30_000
/** ms after which an agent is asked again whom it knows. */
const askAgain = 5 * 60_000
/** ms after which a place that others named is tried again. */
const tryAgain = 30 * 60_000
const mostHops = 2
const mostPeers = 64
const mostAddresses = 4
const mostPlaces = 5000
const patience = 2000

export interface GossipParts {
  readonly prober: Pick<Prober, 'peers'>
  readonly clock: Pick<Clock, 'atLeast'>
  readonly aggressive: () => boolean
  /** Agents that can be reached, with the number of agents over which they were found. */
  readonly sources: () => Iterable<{ readonly peer: KnownPeer; readonly hops: number }>
  readonly isKnown: (id: string) => boolean
}

export class GossipFinder implements Finder {
  readonly foundBy = 'gossip'
  readonly every = searchEvery
  readonly #parts: GossipParts
  readonly #asked = new Map<string, Elapsed>()
  readonly #named = new Map<string, Elapsed>()

  constructor(parts: GossipParts) {
    this.#parts = parts
  }

  isOn(): boolean {
    return this.#parts.aggressive()
  }

  /** Whoever searches now wants to hear it all again. */
  refresh(): void {
    this.#asked.clear()
    this.#named.clear()
  }

  async find(look: Look): Promise<void> {
    const now = this.#parts.clock.atLeast()
    forgetBefore(this.#asked, now - askAgain)
    forgetBefore(this.#named, now - tryAgain)
    const sources = [...this.#parts.sources()].filter(({ peer, hops }) => hops < mostHops && !this.#asked.has(peer.id))
    await Promise.all(sources.map(({ peer, hops }) => this.#ask(peer, hops + 1, look, now)))
  }

  async #ask(peer: KnownPeer, hops: number, look: Look, now: Elapsed): Promise<void> {
    this.#asked.set(peer.id, now)
    const answer = await this.#parts.prober.peers(peer, { timeout: patience, signal: look.signal })
    if (answer.kind !== 'answered' || look.signal.aborted) return
    for (const { agent, addresses } of answer.value.peers.slice(0, mostPeers)) {
      if (this.#parts.isKnown(agent)) continue
      for (const address of addresses.slice(0, mostAddresses)) {
        const place = readGossip(address)
        const key = `${agent}@${address}`
        if (place === undefined || this.#named.has(key) || this.#named.size >= mostPlaces) continue
        this.#named.set(key, now)
        look.hint({ place, foundBy: 'gossip', id: agent, hops })
      }
    }
  }
}

/** A place that somebody else may send us to. */
export function readGossip(text: string): Place | undefined {
  const place = readPlace(text)
  if ('reason' in place || !isOrdinaryPort(place.port)) return undefined
  return isPrivate(place.host) ? place : undefined
}

/** Ports below belong to services of the system; agents behind a proxy have 443. */
export function isOrdinaryPort(port: number): boolean {
  return port === 443 || port >= 1024
}

function isPrivate(host: string): boolean {
  if (isIPv6(host)) return /^f[cd]/i.test(host)
  const number = isIPv4(host) ? addressNumber(host) : undefined
  if (number === undefined) return false
  const isIn = (first: string, prefix: number): boolean => {
    const size = 2 ** (32 - prefix)
    return Math.floor(number / size) === Math.floor((addressNumber(first) ?? 0) / size)
  }
  return isIn('10.0.0.0', 8) || isIn('172.16.0.0', 12) || isIn('192.168.0.0', 16) || isIn('100.64.0.0', 10)
}

function forgetBefore(times: Map<string, Elapsed>, limit: Elapsed): void {
  for (const [key, at] of times) if (at < limit) times.delete(key)
}
