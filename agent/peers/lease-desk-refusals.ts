/**
 * What another agent is told when it gets no seat: the words, and how the pool stands (X1). Owns nothing.
 */
import type { ProductName } from '../domain/product-name.ts'
import type { LeaseCommand } from '../domain/seats.ts'
import { LeaseholdError, type Refusal, refuse } from '../errors.ts'
import type { ManagerView } from '../explanation.ts'
import type { FoundLease } from './lease-desk-line.ts'

export type NotFound = Exclude<FoundLease, { readonly kind: 'granted' | 'repeated' }>

export interface RefusalContext {
  /** How the pool of this agent stands; undefined where it has none. */
  readonly explain: (product: ProductName, feature: string | undefined) => ManagerView | undefined
  /** Whether the agent may know who holds the seats. */
  readonly showsHolders: boolean
  /** Wall time in ms. */
  readonly wall: number
  readonly waiting: number
}

/** Seconds; also how often it is worth asking when nothing is known of a return. */
const retryIn = 30

export function leaseRefusal(found: NotFound, command: LeaseCommand, context: RefusalContext): Refusal {
  const { product, feature } = command
  switch (found.kind) {
    case 'refused':
      return found
    case 'conflict':
      return idConflict()
    case 'ended':
      return leaseEnded(found.reason)
    case 'unknown_product':
      return refuse('unknown_product', `There are no seats of ${product} to be had from here.`)
    case 'unknown_feature':
      return refuse('unknown_feature', `No license for ${product} has the feature “${feature}”.`)
    case 'closed':
      return refuse(found.why, `${product} has a license here, but it gives out no seats now.`, { retryIn })
    case 'lease_too_short':
      return refuse('lease_too_short', `A seat of ${product} could not be promised for long enough.`, { retryIn })
    case 'unreachable':
      return refuse('manager_unreachable', found.detail, { retryIn })
    case 'denied':
      return refuse(found.code, deniedBy(found), { retryIn: found.by.problem.retryIn ?? retryIn })
    case 'queue_full':
      return refuse('queue_full', `Too many wait for ${product}.`, { retryIn })
    case 'too_many':
      return noSeats(command, found.largest, context, `one license has ${found.seats} in all`)
    case 'short':
      return noSeats(command, 'largest' in found ? found.largest : undefined, context)
  }
}

function deniedBy({ by }: Extract<NotFound, { kind: 'denied' }>): string {
  return `${by.manager.name} refused it${by.problem.detail === undefined ? '.' : `: ${by.problem.detail}`}`
}

export function idConflict(): Refusal {
  return refuse('id_conflict', 'This id was used for another request.')
}

export function leaseEnded(reason: string): Refusal {
  return refuse('session_ended', 'The lease has ended.', { reason })
}

export function unavailable(detail: string): Refusal {
  return refuse('store_unavailable', detail, { retryIn: 2 })
}

/** Without the store nothing is decided; the same request may be asked again (R1). */
export async function orUnavailable<T>(decide: () => Promise<T>): Promise<T | Refusal> {
  try {
    return await decide()
  } catch (error) {
    if (error instanceof LeaseholdError && error.code === 'store_unavailable') return unavailable(error.message)
    throw error
  }
}

/** Whether it says no for good: what could not be decided may be asked again, and an id in use is not refused. */
export function isFinal({ code }: Refusal): boolean {
  return code !== 'store_unavailable' && code !== 'id_conflict'
}

function noSeats(
  { product, feature, seats }: LeaseCommand,
  largest: number | undefined,
  { explain, showsHolders, wall, waiting }: RefusalContext,
  also?: string,
): Refusal {
  const view = explain(product, feature)
  const name = feature === undefined ? product : `${product} with feature ${feature}`
  const parts = [
    view ? `${view.used} of ${view.seats} seats of ${name} are in use` : `no seat of ${name} is free`,
    ...(seats > 1 ? [`${seats} are asked for`] : []),
    ...(also === undefined ? [] : [also]),
    ...(waiting > 0 ? [`${waiting} ${waiting === 1 ? 'waits' : 'wait'} for one already`] : []),
  ]
  const next = view?.nextReturnAt
  const due = next === undefined ? retryIn : Math.max(1, Math.ceil((Date.parse(next) - wall) / 1000))
  const { holders, ...rest } = view ?? {}
  return refuse('no_seats', `${parts.join('; ')}.`, {
    retryIn: Math.min(retryIn, due),
    largest: largest ?? 0,
    ...(view ? { explanation: showsHolders && holders ? view : rest } : {}),
  })
}
