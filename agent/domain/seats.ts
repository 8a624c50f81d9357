/**
 * The decisions about seats: open, begin to end, end, and what follows from a change of supplies. Pure: each takes a draft and
 * a command, changes the draft where it says yes, and answers what was decided. Times are the lessor's (R3).
 */
import type { LicensePermit } from './access/permit.ts'
import type { Draft, SeatView } from './book.ts'
import type { CountFacts } from './count-key.ts'
import { type Activity, freshFreeIn, type Grant, type Part, type Tombstone, type Who } from './grant.ts'
import { isLeasable, type LeaseTerms, leasableSupplies, placeLease } from './leasing.ts'
import { type MoveContext, mostCandidates, moveTarget, placeByMoving } from './moving.ts'
import { leaseSecondsOf, mostSeats, openSupplies, place, servingSupplies, sharesAll, type Wanted } from './placement.ts'
import { type ProductName, productName } from './product-name.ts'
import { type ClosedBy, endsSoon, fitsFeature, promiseSeconds, type Supply, type SupplyKind } from './supply.ts'

interface Asked {
  readonly id: string
  readonly instance: string
  readonly holder: string
  readonly product: ProductName
  readonly feature?: string
  readonly seats: number
  readonly who: Who
  readonly body: string
  readonly binding?: string
  readonly process?: { readonly boot: string; readonly id: number; readonly startedAt: string }
  readonly activity: Activity
  /** It waited in the line: its first promise is short (R30). */
  readonly waited: boolean
  /** Others wait for a seat: it may only share what its count key occupies already (R30). */
  readonly sharedOnly?: true
  /** Only seats of licenses that this vendor key signed. */
  readonly vendorKey?: string
  /** Only supplies of these kinds; absent: of all. */
  readonly kinds?: readonly SupplyKind[]
  /** Only seats of licenses that the rules for the user permit. */
  readonly licenses?: LicensePermit
  /** Only seats that are kept for this name; absent: only seats that are kept for nobody by name. */
  readonly onlyFor?: string
  /** After so many seconds without reported activity it ends; absent = as the agent is set. */
  readonly idleSeconds?: number
}

/** A seat for an application of this agent. */
export interface SessionCommand extends Asked {
  readonly kind?: 'session'
  readonly lease?: never
}

/** Seats for another agent: `holder` is that agent, `id` is `peerGrantId(holder, …)` (R15). */
export interface LeaseCommand extends Asked {
  readonly kind: 'lease'
  readonly lease: LeaseTerms
}

export type OpenCommand = SessionCommand | LeaseCommand

export interface DecisionContext extends MoveContext {
  /** Wall time in ms, for people. */
  readonly wall: number
  readonly boot: { readonly id: string; readonly at: number }
}

export type OpenOutcome =
  | {
      readonly kind: 'granted'
      readonly grant: Grant
      readonly moved: readonly Grant[]
      /** Leases given back early whose seats this one took over: they have ended (R28). */
      readonly takenOver: readonly Grant[]
    }
  | { readonly kind: 'repeated'; readonly grant: Grant }
  | { readonly kind: 'conflict' }
  | { readonly kind: 'ended'; readonly reason: string }
  /** @property largest of a lease: the most seats that one lease could have now */
  | { readonly kind: 'short'; readonly largest?: number }
  /** More than there are in all, for a lease in one license: waiting does not help. */
  | { readonly kind: 'too_many'; readonly seats: number; readonly largest?: number }
  /** Of a lease: there are seats, but not for long enough (R10). */
  | { readonly kind: 'lease_too_short' }
  | { readonly kind: 'unknown_feature' }
  /** There are seats, but no supply takes sessions now. */
  | { readonly kind: 'closed'; readonly why: Exclude<ClosedBy, 'lease_returning'> }
  | { readonly kind: 'unknown_product' }

/** @param returned leases of the same agent that were given back early and wait for the end of their text (R28) */
export function decideOpen(
  draft: Draft,
  command: OpenCommand,
  context: DecisionContext,
  returned: readonly Grant[] = [],
): OpenOutcome {
  const live = draft.grant(command.id)
  if (live) {
    if (live.ending !== undefined) return { kind: 'ended', reason: live.ending }
    return live.body === command.body ? { kind: 'repeated', grant: live } : { kind: 'conflict' }
  }
  const ended = draft.tombstone(command.id)
  if (ended) return { kind: 'ended', reason: ended.reason }

  const wanted = wantedBy(command)
  if (command.feature !== undefined && isUnknownFeature(draft, command, wanted)) return { kind: 'unknown_feature' }
  const all = openSupplies(draft, wanted, context.bootAt)
  const { lease } = command
  const supplies = lease ? all.filter((one) => isLeasable(one, lease.chain, lease.here)) : all
  if (supplies.length === 0) return noOpenSupply(draft, command, wanted, context.bootAt)
  if (lease) {
    const found = placeLease(draft, supplies, wanted, returned, { ...context, sharedOnly: command.sharedOnly })
    if (found.kind !== 'placed') return found
    for (const { id, instance } of found.takenOver) draft.putTombstone({ id, instance, reason: 'released', peer: true })
    return granted(draft, command, [found.part], found.moved, found.takenOver, context)
  }
  const parts = place(draft, supplies, wanted)
  if (command.sharedOnly && !(parts && sharesAll(draft, parts, command.feature))) return short(supplies, wanted)
  const made = parts ? { parts, moved: [] } : placeByMoving(draft, supplies, wanted, context)
  return made ? granted(draft, command, made.parts, made.moved, [], context) : short(supplies, wanted)
}

/** What a command looks for. */
export function wantedBy(command: OpenCommand): Wanted {
  const { product, seats, feature, vendorKey, licenses, lease, kinds, onlyFor } = command
  return {
    product,
    seats,
    facts: factsOfCommand(command),
    ...(feature === undefined ? {} : { feature }),
    ...(vendorKey === undefined ? {} : { vendorKey }),
    ...(kinds === undefined ? {} : { kinds }),
    ...(licenses === undefined ? {} : { licenses }),
    ...(onlyFor === undefined ? {} : { onlyFor }),
    ...(lease?.purpose === 'reserve' ? { keyless: true as const } : {}),
  }
}

function granted(
  draft: Draft,
  command: OpenCommand,
  parts: readonly Part[],
  moved: readonly Grant[],
  takenOver: readonly Grant[],
  context: DecisionContext,
): OpenOutcome {
  const leaseSeconds = leaseSecondsOf(draft, parts)
  const grant: Grant = {
    id: command.id,
    instance: command.instance,
    kind: command.kind ?? 'session',
    holder: command.holder,
    product: command.product,
    ...(command.feature === undefined ? {} : { feature: command.feature }),
    // A reserve may have fewer than were asked for.
    seats: command.lease ? (parts[0]?.seats ?? command.seats) : command.seats,
    parts,
    leaseSeconds,
    who: command.who,
    ...(command.lease ? { facts: command.lease.facts } : {}),
    body: command.body,
    ...(command.vendorKey === undefined ? {} : { vendorKey: command.vendorKey }),
    ...(command.licenses === undefined ? {} : { licenses: command.licenses }),
    ...(command.onlyFor === undefined ? {} : { onlyFor: command.onlyFor }),
    ...(command.idleSeconds === undefined ? {} : { idleSeconds: command.idleSeconds }),
    ...(command.binding === undefined ? {} : { binding: command.binding }),
    ...(command.process === undefined ? {} : { process: command.process }),
    activity: command.activity,
    ...(command.waited ? { unconfirmed: true as const } : {}),
    startedAt: context.wall,
    idleFor: 0,
    freeIn: freshFreeIn(leaseSeconds),
    written: { boot: context.boot.id, at: context.boot.at },
  }
  draft.putGrant(grant)
  return { kind: 'granted', grant, moved, takenOver }
}

/** What there is for this command at all, whatever it takes at the moment. */
function suppliesOf(view: SeatView, wanted: Wanted, { lease }: OpenCommand): readonly Supply[] {
  return lease ? leasableSupplies(view, wanted, lease) : servingSupplies(view, wanted)
}

function short(supplies: readonly Supply[], wanted: Wanted): OpenOutcome {
  const seats = mostSeats(supplies, wanted.feature)
  return wanted.seats > seats ? { kind: 'too_many', seats } : { kind: 'short' }
}

/**
 * Any-product seats take every feature, but not one that the product's own licenses do not know. What came from another agent
 * says nothing of the features that there are.
 */
function isUnknownFeature(view: SeatView, command: OpenCommand, wanted: Wanted): boolean {
  const own = suppliesOf(view, wanted, command).filter((one) => one.kind === 'license' && one.product !== undefined)
  return own.length > 0 && !own.some((one) => fitsFeature(one, wanted.feature))
}

function noOpenSupply(view: SeatView, command: OpenCommand, wanted: Wanted, bootAt: number): OpenOutcome {
  const all = suppliesOf(view, wanted, command)
  const fitting = all.filter((one) => fitsFeature(one, wanted.feature))
  if (fitting.length === 0)
    return { kind: all.some((one) => one.kind === 'license') ? 'unknown_feature' : 'unknown_product' }
  const closed = fitting.map((one) => closedBy(one, bootAt))
  const order: readonly Exclude<ClosedBy, 'lease_returning'>[] = [
    'license_blocked',
    'license_not_active',
    'clock_set_back',
    'license_not_yet_valid',
    'license_expired',
    'manager_unreachable',
    'unknown_product',
  ]
  const why = order.find((one) => closed.includes(one))
  return why === undefined || why === 'unknown_product' ? { kind: 'unknown_product' } : { kind: 'closed', why }
}

function closedBy(supply: Supply, bootAt: number): ClosedBy | undefined {
  if (supply.takes.kind !== 'sessions') return supply.takes.why
  if (promiseSeconds(supply, bootAt) > 0) return undefined
  return supply.kind === 'lease' ? 'manager_unreachable' : 'license_expired'
}

/** The facts a grant is counted by; the same that it was opened with. */
export function factsOfGrant(grant: Pick<Grant, 'holder' | 'who' | 'process' | 'facts'>): CountFacts {
  const { facts, holder, who, process } = grant
  return facts ?? { agent: holder, process, account: who.account, email: who.email }
}

export function factsOfCommand(command: OpenCommand): CountFacts {
  return command.lease?.facts ?? factsOfGrant(command)
}

/**
 * Ends a grant for good: its seat is free, its id is never granted again (R2, R15). Sessions on any-product seats move back
 * to seats that came free (R31).
 */
export function decideEnd(
  draft: Draft,
  id: string,
  reason: string,
  context: MoveContext,
  overlap?: Tombstone['overlap'],
): { readonly ended: Grant; readonly moved: readonly Grant[] } | undefined {
  const grant = draft.grant(id)
  if (!grant) return undefined
  draft.dropGrant(id)
  const peer = grant.kind === 'session' ? {} : { peer: true as const }
  draft.putTombstone({ id, instance: grant.instance, reason, ...peer, ...(overlap === undefined ? {} : { overlap }) })
  return {
    ended: grant,
    moved: moveBack(
      draft,
      grant.parts.map((part) => part.supply),
      context,
    ),
  }
}

/** Begins an end from the lessor's side: no more renewals; the seat counts until the holder confirms or it is free (R5). */
export function decideEnding(draft: Draft, id: string, reason: string): Grant | undefined {
  const grant = draft.grant(id)
  if (!grant) return undefined
  if (grant.ending !== undefined) return grant
  const ending = { ...grant, ending: reason }
  draft.putGrant(ending)
  return ending
}

/**
 * Moves sessions from any-product seats to seats of their own product that are free in these supplies (R31), but not into a
 * supply that ends soon, which they would have to leave again, nor into a lease, which is there for who it was fetched for.
 */
export function moveBack(draft: Draft, supplies: readonly string[], context: MoveContext): readonly Grant[] {
  const moved: Grant[] = []
  for (const id of new Set(supplies)) {
    const own = draft.supply(id)
    if (own?.product === undefined || own.kind !== 'license' || own.takes.kind !== 'sessions') continue
    if (endsSoon(own, context.bootAt)) continue
    const name = productName(own.vendor, own.product)
    for (const any of draft.suppliesFor(name)) {
      if (any.product !== undefined) continue
      let inVain = 0
      for (const grant of draft.grantsOf(any.id, name)) {
        if (draft.used(own.id) >= own.seats || inVain >= mostCandidates) break
        const target = moveTarget(draft, grant, context, (supply) => supply.product !== undefined)
        if (!target) {
          inVain++
          continue
        }
        draft.putGrant(target)
        moved.push(target)
      }
    }
  }
  return moved
}

/**
 * After a supply ended: its sessions move to other supplies that fit, the rest begin to end (R6, R31).
 * @param reason the sessions' end reason
 */
export function decideSupplyEnd(
  draft: Draft,
  supply: string,
  reason: string,
  context: MoveContext,
): { readonly moved: readonly Grant[]; readonly ending: readonly Grant[] } {
  const moved: Grant[] = []
  const ending: Grant[] = []
  for (const grant of [...draft.grantsOf(supply)]) {
    // What was taken along counts until its date, and its holder can't be told (R6).
    if (grant.ending !== undefined || grant.kind === 'detachment') continue
    const target = moveTarget(draft, grant, context, (other) => other.id !== supply)
    if (target) {
      draft.putGrant(target)
      moved.push(target)
    } else {
      const changed = decideEnding(draft, grant.id, reason)
      if (changed) ending.push(changed)
    }
  }
  return { moved, ending }
}
