/**
 * A small world of supplies and grants for tests of the decisions: a book, what was promised, and a time that is moved by hand.
 */
import { Book, type Draft } from '../../agent/domain/book.ts'
import { countKey, hashCountKey } from '../../agent/domain/count-key.ts'
import type { Grant } from '../../agent/domain/grant.ts'
import {
  type DecisionContext,
  decideEnd,
  decideEnding,
  decideOpen,
  decideSupplyEnd,
  factsOfGrant,
  moveBack,
  type OpenCommand,
  type OpenOutcome,
  type SessionCommand,
} from '../../agent/domain/seats.ts'
import { promiseSeconds, type Supply } from '../../agent/domain/supply.ts'
import { featureUnit } from '../../agent/domain/usage.ts'

export function supply(id: string, more: Partial<Supply> = {}): Supply {
  return {
    id,
    instance: 'agent-1',
    kind: 'license',
    license: id.split('/')[0] ?? id,
    vendor: 'acme',
    product: 'cad',
    seats: 1,
    features: {},
    rule: 'session',
    leaseSeconds: 600,
    takes: { kind: 'sessions' },
    overlap: true,
    depth: 4,
    chain: [],
    ...more,
  }
}

/** A supply of any product: no product of its own. */
export function anySupply(id: string, more: Partial<Supply> = {}): Supply {
  const { product: _, ...any } = supply(id, more)
  return any
}

export function command(id: string, more: Partial<SessionCommand> = {}): SessionCommand {
  return {
    id,
    instance: 'agent-1',
    holder: 'agent-1',
    product: 'acme/cad',
    seats: 1,
    who: {},
    body: 'body',
    activity: 'heartbeat',
    waited: false,
    ...more,
  }
}

/** Something that is decided on a draft; the same as often as it is decided on the same state. */
export type Step =
  | { readonly kind: 'open'; readonly command: OpenCommand }
  | { readonly kind: 'end' | 'ending'; readonly id: string }
  | { readonly kind: 'supply'; readonly supply: Supply }
  | { readonly kind: 'drop supply'; readonly id: string }
  | { readonly kind: 'renew'; readonly id: string }

export class World {
  readonly book = new Book()
  /** Until when the holder of a grant may believe in it. */
  readonly promisedUntil = new Map<string, number>()
  now = 0

  constructor(supplies: readonly Supply[] = []) {
    const draft = this.book.draft()
    for (const one of supplies) draft.putSupply(one)
    this.book.apply(draft)
  }

  get context(): DecisionContext {
    return {
      wall: 1_000_000 + this.now,
      bootAt: this.now,
      boot: { id: 'boot-1', at: this.now },
      factsOf: factsOfGrant,
      promisedFor: (grant) => Math.max(0, (this.promisedUntil.get(grant.id) ?? this.now) - this.now),
    }
  }

  /** Decides and makes it the state. */
  run(step: Step): OpenOutcome['kind'] | undefined {
    const draft = this.book.draft()
    const outcome = this.decide(draft, step)
    this.book.apply(draft)
    this.settle()
    return outcome
  }

  open(id: string, more: Partial<SessionCommand> = {}): OpenOutcome['kind'] | undefined {
    return this.run({ kind: 'open', command: command(id, more) })
  }

  /** Where the seats of a grant are: supply > seats. */
  seatsOf(id: string): Record<string, number> | undefined {
    const grant = this.book.grant(id)
    return grant && Object.fromEntries(grant.parts.map((part) => [part.supply, part.seats]))
  }

  decide(draft: Draft, step: Step): OpenOutcome['kind'] | undefined {
    switch (step.kind) {
      case 'open':
        return decideOpen(draft, step.command, this.context).kind
      case 'end':
        decideEnd(draft, step.id, 'released', this.context)
        return undefined
      case 'ending':
        decideEnding(draft, step.id, 'disconnected')
        return undefined
      case 'supply':
        draft.putSupply(step.supply)
        if (step.supply.takes.kind === 'nothing')
          decideSupplyEnd(draft, step.supply.id, 'license_removed', this.context)
        else moveBack(draft, [step.supply.id], this.context)
        return undefined
      case 'drop supply':
        draft.dropSupply(step.id)
        decideSupplyEnd(draft, step.id, 'license_removed', this.context)
        return undefined
      case 'renew': {
        const grant = draft.grant(step.id)
        if (grant && grant.ending === undefined && this.#mayPromise(grant, draft)) draft.putGrant({ ...grant })
        return undefined
      }
    }
  }

  /** Promises what a lessor would promise to everybody it has just heard of. */
  settle(): void {
    for (const grant of this.book.grants()) {
      if (this.promisedUntil.has(grant.id) || grant.ending !== undefined) continue
      const until = this.#until(grant)
      if (until !== undefined) this.promisedUntil.set(grant.id, until)
    }
    for (const id of this.promisedUntil.keys()) if (!this.book.grant(id)) this.promisedUntil.delete(id)
  }

  renew(id: string): void {
    const grant = this.book.grant(id)
    const until = grant && grant.ending === undefined ? this.#until(grant) : undefined
    if (until !== undefined) this.promisedUntil.set(id, Math.max(until, this.promisedUntil.get(id) ?? 0))
  }

  #mayPromise(grant: Grant, draft: Draft): boolean {
    return grant.parts.every((part) => draft.supply(part.supply) !== undefined)
  }

  #until(grant: Grant): number | undefined {
    let seconds = grant.leaseSeconds
    for (const part of grant.parts) {
      const found = this.book.supply(part.supply)
      if (!found || found.takes.kind === 'nothing') return undefined
      seconds = Math.min(seconds, promiseSeconds(found, this.now))
    }
    return seconds > 0 ? this.now + seconds * 1000 : undefined
  }
}

/** Seats in use per unit, counted anew from nothing but the grants: per key the largest, keyless ones each (R18). */
export function recount(grants: Iterable<Grant>): Map<string, number> {
  const largest = new Map<string, Map<string, number>>()
  for (const grant of grants) {
    for (const part of grant.parts) {
      const units = [part.supply, ...(grant.feature === undefined ? [] : [featureUnit(part.supply, grant.feature)])]
      for (const unit of units) {
        const keys = largest.get(unit) ?? new Map<string, number>()
        const key = part.key ?? `grant ${grant.id}`
        keys.set(key, Math.max(keys.get(key) ?? 0, part.seats))
        largest.set(unit, keys)
      }
    }
  }
  return new Map([...largest].map(([unit, keys]) => [unit, [...keys.values()].reduce((sum, one) => sum + one, 0)]))
}

/** The key that a grant must have in a supply. */
export function rightKey(grant: Grant, found: Supply): string | undefined {
  const key = countKey(found.rule, factsOfGrant(grant))
  return key && hashCountKey(found.license, grant.product, key)
}

/** Everything a book says, to compare two of them. */
export function describe(book: Book): unknown {
  const grants = [...book.grants()].sort((a, b) => (a.id < b.id ? -1 : 1))
  const supplies = [...book.supplies()].sort((a, b) => (a.id < b.id ? -1 : 1))
  const units = [...recount(grants).keys()].sort()
  return {
    grants,
    supplies,
    tombstones: [...book.tombstones()].sort((a, b) => (a.id < b.id ? -1 : 1)),
    used: units.map((unit) => [unit, book.used(unit)]),
    members: supplies.map((one) => [one.id, [...book.grantsOf(one.id)].map((grant) => grant.id).sort()]),
  }
}
