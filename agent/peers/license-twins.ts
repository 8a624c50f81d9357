/**
 * Notices licenses that two agents serve at the same time (I15): one of them was copied or moved without its receipt. Owns who
 * serves what. Imports health only.
 */
import type { Health } from '../health.ts'
import type { Offer } from './wire.ts'

export interface LicenseTwinsParts {
  readonly health: Pick<Health, 'set' | 'clear'>
  readonly self: () => { readonly id: string; readonly name: string }
  /** Ids of the licenses that this agent serves itself. */
  readonly ownLicenses: () => Iterable<string>
  readonly nameOf: (agent: string) => string
}

export class LicenseTwins {
  readonly #parts: LicenseTwinsParts
  /** License id > agents that serve it. */
  readonly #servers = new Map<string, Set<string>>()
  /** Agent id > licenses that it serves. */
  readonly #licenses = new Map<string, ReadonlySet<string>>()
  readonly #warned = new Set<string>()

  constructor(parts: LicenseTwinsParts) {
    this.#parts = parts
  }

  /** What an agent serves of its own, now; no offers when it is forgotten. */
  note(agent: string, offers: readonly Offer[]): void {
    const before = this.#licenses.get(agent) ?? new Set()
    // Seats that were leased on have the license of the one that they come from.
    const own = offers.filter(({ chain }) => chain.length === 0)
    const now = new Set(own.flatMap(({ licenses }) => licenses.map(({ id }) => id)))
    if (now.size > 0) this.#licenses.set(agent, now)
    else this.#licenses.delete(agent)
    for (const license of before)
      if (!now.has(license)) {
        const servers = this.#servers.get(license)
        servers?.delete(agent)
        if (servers?.size === 0) this.#servers.delete(license)
      }
    for (const license of now) {
      const servers = this.#servers.get(license) ?? new Set()
      this.#servers.set(license, servers.add(agent))
    }
    const changed = new Set([...before, ...now])
    if (changed.size === 0) return
    const ours = new Set(this.#parts.ownLicenses())
    for (const license of changed) this.#judge(license, ours.has(license))
  }

  /** The licenses of this agent may have changed. */
  look(): void {
    const ours = new Set(this.#parts.ownLicenses())
    for (const license of new Set([...ours, ...this.#warned])) this.#judge(license, ours.has(license))
  }

  #judge(license: string, isOurs: boolean): void {
    const { health, self, nameOf } = this.#parts
    const others = [...(this.#servers.get(license) ?? [])]
    if (others.length + (isOurs ? 1 : 0) < 2) {
      if (this.#warned.delete(license)) health.clear('license_served_twice', license)
      return
    }
    const agents = [...(isOurs ? [self().name] : []), ...others.map(nameOf)].sort()
    this.#warned.add(license)
    health.set('license_served_twice', { license, agents }, license)
  }
}
