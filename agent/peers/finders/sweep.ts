/**
 * Finds agents by trying address after address: the ranges that were typed and, where the search is aggressive, the local IPv4
 * subnets. Only whoever takes a connection is asked who it is. Owns nothing that stays.
 */
import { addressesOf, type SearchParameter } from '../../config/search-parameters.ts'
import { addressNumber, type Place, usualPort } from '../../domain/place.ts'
import type { Adapter, Network } from '../prober.ts'
import type { Finder, Look } from './finder.ts'

const sweepEvery = 5 * 60_000
const patience = 1000
const atOnce = 64
/** Local subnets that are larger are not searched unless they are typed. */
const shortestPrefix = 22

type Range = SearchParameter & { readonly kind: 'range' }

export interface SweepParts {
  readonly network: Pick<Network, 'knock' | 'adapters'>
  readonly parameters: () => readonly SearchParameter[]
  readonly aggressive: () => boolean
}

export class SweepFinder implements Finder {
  readonly foundBy = 'sweep'
  readonly every = sweepEvery
  readonly #parts: SweepParts

  constructor(parts: SweepParts) {
    this.#parts = parts
  }

  isOn(): boolean {
    return this.#parts.aggressive() || this.#typed().length > 0
  }

  async find(look: Look): Promise<void> {
    const places = this.#places(look)
    await Promise.all(Array.from({ length: atOnce }, () => this.#work(places, look)))
  }

  async #work(places: Iterator<Place>, look: Look): Promise<void> {
    while (!look.signal.aborted) {
      const { value: place, done } = places.next()
      if (done) return
      const { kind } = await this.#parts.network.knock(place, patience, look.signal)
      if (look.signal.aborted) return
      look.tried(place, kind === 'open')
      if (kind === 'open') look.hint({ place, foundBy: 'sweep' })
    }
  }

  *#places(look: Look): Generator<Place, undefined> {
    const seen = new Set<string>()
    const adapters = this.#parts.network.adapters()
    const own = new Set(adapters.map(({ address }) => address))
    for (const range of [...this.#typed(), ...(this.#parts.aggressive() ? localRanges(adapters, look) : [])])
      for (const place of addressesOf(range)) {
        const key = `${place.host}:${place.port}`
        if (seen.has(key) || own.has(place.host)) continue
        seen.add(key)
        yield place
      }
    return undefined
  }

  #typed(): readonly Range[] {
    return this.#parts.parameters().filter((parameter) => parameter.kind === 'range')
  }
}

/** Says what is left out. */
export function localRanges(adapters: readonly Adapter[], look: Pick<Look, 'note'>): readonly Range[] {
  const ranges: Range[] = []
  let hasIpv6 = false
  for (const { name, family, address, prefix, internal } of adapters) {
    if (internal) continue
    if (family === 'IPv6') {
      hasIpv6 = true
      continue
    }
    const number = addressNumber(address)
    if (number === undefined) continue
    const text = `${address}/${prefix}`
    if (prefix < shortestPrefix) {
      look.note(
        `The subnet of ${name} (${text}) has more than ${2 ** (32 - shortestPrefix)} addresses and is not searched; type the range that is meant.`,
      )
      continue
    }
    const count = 2 ** (32 - prefix)
    ranges.push({ kind: 'range', text, first: Math.floor(number / count) * count, count, port: usualPort })
  }
  if (hasIpv6)
    look.note('IPv6 subnets are too large to be searched address by address; broadcast and typed addresses reach them.')
  return ranges
}
