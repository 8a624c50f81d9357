/**
 * What somebody wants to have in advance, and what came of it. Types and words only; must not import owners.
 */
import type { ProductName } from './domain/product-name.ts'
import type { LeaseRecord } from './lease-record.ts'
import type { Asked } from './lease-search.ts'

/** Seats that somebody wants to have in advance. */
export interface Keep {
  /** Of who wants them; unique, kept with the leases. */
  readonly name: string
  readonly product: ProductName
  readonly feature?: string
  readonly seats: number
  /** Only sessions that name it have the seats; else every application of this machine, and agents that lease from it. */
  readonly exclusive: boolean
}

/** What came of the last try that left seats missing. */
export interface KeepTrouble {
  /** An error code, or `unreachable`; of the last manager that said more than that it has no free seat. */
  readonly code: string
  readonly detail: string
  readonly asked: readonly Asked[]
  /** Seconds until it is tried again. */
  readonly retryIn: number
}

/** Whether a lease is of what is wanted. */
export function isOf({ product, feature }: Keep, { ask }: Pick<LeaseRecord, 'ask'>): boolean {
  return ask.product === product && ask.feature === feature
}
