/**
 * The checks of what one agent answers to its applications: ids, ends, refusals, and the order of its line. Knows nothing of
 * the agent's memory but who is first in line; where the seats of a session come from it takes from the disks.
 */
import { type Exchange, idleLimit, isBelieved, type Wish } from './application.ts'
import type { Site } from './site.ts'
import { sourcesOf } from './sources.ts'
import { Violation } from './violation.ts'

/** Product > who is first in line, and since when. */
export type Heads = ReadonlyMap<string, { readonly id: string; readonly since: number }>

/** In ms. */
const longestUnserved = 5_000
const longestWaitingUnserved = 15_000
/** Less than this is left of what is believed: rounding, and a clock that is slow. */
const almostOver = 2_000

export class Auditor {
  readonly #site: Site
  /** Orders of people at this machine: sessions and leases that end, supplies that give out nothing any more. */
  readonly #disconnected = new Set<string>()
  readonly #closing = new Set<string>()
  #hasStopped = false
  #hasDenied = false
  #wallSetAt = Number.NEGATIVE_INFINITY
  #unserved = new Map<string, number>()
  /** When the session of an id began, as whoever was told that it was created was told. */
  readonly #created = new Map<string, string>()
  /** Who was first in line when seats were given out. */
  readonly #passed = new Map<string, { readonly id: string; readonly since: number }>()
  readonly seen = { granted: 0, repeated: 0, refused: 0, ended: 0 }

  constructor(site: Site) {
    this.#site = site
  }

  // ---- what people order

  disconnecting(id: string): void {
    this.#disconnected.add(id)
  }

  closing(supply: string): void {
    this.#closing.add(supply)
  }

  stopping(): void {
    this.#hasStopped = true
  }

  denying(): void {
    this.#hasDenied = true
  }

  settingWall(): void {
    this.#wallSetAt = this.#site.machine.now
  }

  // ---- the line

  /** Seats of this id are given out now: whoever waits in front must not be passed but by who shares seats (R30). */
  noteOpened(id: string, heads: Heads): void {
    const { ledger } = this.#site
    const grant = ledger.grants.get(id)
    const head = grant && heads.get(grant.product)
    if (!grant || !head || head.id === id || isSharing(id, this.#site)) return
    this.#passed.set(id, head)
  }

  /**
   * Whoever is at the head of a line while its seats are free must be served. To be called after every step.
   * @param heads ids and wishes of who is first in line
   * @param isBusy the agent can't write now
   * @param running for how long the machine has been running, in ms; nobody is served in its sleep
   */
  checkLine(
    heads: readonly { readonly id: string; readonly wish: Pick<Wish, 'product' | 'feature' | 'seats'> }[],
    isBusy: boolean,
    running: number,
  ): void {
    const { isWaiting } = this.#site.world
    const served = new Map<string, number>()
    for (const { id, wish } of heads) {
      if (isBusy || !this.#site.ledger.hasRoom(wish.product, wish.feature, wish.seats)) continue
      const since = this.#unserved.get(id) ?? running
      if (running - since > (isWaiting ? longestWaitingUnserved : longestUnserved))
        throw new Violation(`${id} is first in line for ${wish.product}, seats are free, and it is not served`)
      served.set(id, since)
    }
    this.#unserved = served
  }

  // ---- answers

  /** An opening was answered with a seat. */
  opened(exchange: Exchange, created: boolean, session: { readonly id: string; readonly startedAt: string }): void {
    const { attempt } = exchange
    const known = attempt.session
    const before = this.#created.get(session.id)
    if (before !== undefined && before !== session.startedAt)
      throw new Violation(`R15: session ${session.id} is created twice`)
    if (created) this.#created.set(session.id, session.startedAt)
    if (created) this.seen.granted += 1
    else this.seen.repeated += 1
    if (known && (known.id !== session.id || known.startedAt !== session.startedAt))
      throw new Violation(`R14: ${attempt.idempotencyKey} was ${known.id} and is ${session.id} now`)
    if (exchange.number >= (attempt.knownEndedFrom ?? Number.POSITIVE_INFINITY))
      throw new Violation(`R2: session ${session.id} lives again after its end`)
    const passed = this.#passed.get(session.id)
    if (passed && passed.since < (attempt.arrivedAt ?? 0))
      throw new Violation(`R30: session ${session.id} came later than ${passed.id}, which waits, and is served first`)
  }

  /** A heartbeat was answered with more time. */
  kept(exchange: Exchange): void {
    const { id } = exchange.attempt.session ?? { id: '' }
    const ending = this.#site.ledger.endingSince.get(id)
    if (ending !== undefined && (exchange.revision ?? 0) >= ending)
      throw new Violation(`R5: ${exchange.application.name} is given more time for ${id}, which is ending`)
  }

  /** An opening was refused for want of seats. */
  refused(exchange: Exchange): void {
    this.seen.refused += 1
    if (exchange.roomAllTheTime === true)
      throw new Violation(
        `${exchange.application.name} was refused ${exchange.attempt.wish.product} while seats were free`,
      )
  }

  /** A heartbeat was answered with no. */
  lost(exchange: Exchange, code: string, reason: string | undefined): void {
    this.seen.ended += 1
    const { application, attempt } = exchange
    if (attempt.sentClose || !attempt.session || !isBelieved(attempt, application.clock())) return
    const { id } = attempt.session
    const lost = `${application.name} beat in time and lost ${id}: ${code} ${reason ?? ''}`
    if (code !== 'session_ended') throw new Violation(lost)
    if (!this.#isJust(exchange, id, reason)) throw new Violation(lost)
  }

  #isJust({ application, attempt }: Exchange, id: string, reason: string | undefined): boolean {
    const hops = sourcesOf(this.#site, id).flatMap((source) => source.hops)
    const auditors = hops.map(({ site, grant, supply }) => ({ audit: site.auditor, site, grant, supply }))
    switch (reason) {
      case 'disconnected':
        return auditors.some(({ audit, grant }) => audit.#disconnected.has(grant))
      case 'idle':
        return attempt.wish.activity === 'reported' && this.#wasIdle(attempt.activeAt)
      case 'license_removed':
      case 'expired':
        return auditors.some(({ audit, supply }) => audit.#isClosed(supply))
      case 'serving_stopped':
        return auditors.some(({ audit }) => audit.#hasStopped)
      case 'user_disabled':
        return auditors.some(({ audit }) => audit.#hasDenied)
      case 'lease_lost':
        return (
          (attempt.believedUntil ?? 0) - application.clock() < almostOver ||
          auditors.some(({ audit }) => audit.#wallSetAt > attempt.believedSince - 200_000)
        )
      case 'detachment_ended':
        return (
          (attempt.believedUntil ?? 0) - application.clock() < almostOver ||
          hops.some(({ site, grant }) => site.ledger.detachments.isCalledBack(grant)) ||
          this.#site.world.sites.some(({ auditor }) => auditor.#wallSetAt > attempt.believedSince - 200_000)
        )
      default:
        return false
    }
  }

  /** Idle for as long as the limit, less what may be forgotten by a crash: one lease time (120 s at most here). */
  #wasIdle(activeAt: number): boolean {
    return this.#site.machine.now - activeAt >= idleLimit - 130_000
  }

  #isClosed(supply: string): boolean {
    const end = this.#site.ledger.licenseOf(supply)?.end
    return this.#closing.has(supply) || (end !== undefined && end - this.#site.machine.now < almostOver)
  }
}

/** Whether it takes only what its count key occupies anyway, so that nobody has a seat less. */
function isSharing(id: string, { ledger }: Site): boolean {
  const parts = ledger.grants.get(id)?.parts ?? []
  return parts.every(({ supply, key, seats }) => {
    if (key === undefined) return false
    for (const [other, grant] of ledger.grants)
      if (other !== id && grant.parts.some((one) => one.supply === supply && one.key === key && one.seats >= seats))
        return true
    return false
  })
}
