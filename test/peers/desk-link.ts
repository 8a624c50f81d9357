/**
 * A manager with a real desk as a holder sees it, behind the network of the fake managers: what is asked may be lost, its answer may
 * be lost, and it may come late or twice.
 */
import type { Cancel } from '../../agent/clock.ts'
import type { Refusal } from '../../agent/errors.ts'
import type { LeaseDesk } from '../../agent/peers/lease-desk.ts'
import type { PeerCaller } from '../../agent/peers/lease-desk-ask.ts'
import type {
  CallOptions,
  LeaseReply,
  Refused,
  ReleaseReply,
  RenewalsReply,
  Unreachable,
} from '../../agent/peers/manager-link.ts'
import { type LeaseAsk, type Offer, type PeerEvent, peerProblemSchema } from '../../agent/peers/wire.ts'
import type { ManualClock } from '../helpers/manual-clock.ts'
import { FakeManager } from '../leases/fake-manager.ts'

const lateness = 60_000

export interface DeskLinkOptions {
  readonly clock: ManualClock
  /** Anew for each call: the manager may have restarted. */
  readonly desk: () => LeaseDesk
  readonly id: string
  /** The agent whose link this is. */
  readonly caller: PeerCaller
  /** What that agent calls itself in its own requests. */
  readonly named: string
}

export class DeskLink extends FakeManager {
  readonly #options: DeskLinkOptions

  constructor(options: DeskLinkOptions) {
    super(options.clock, { id: options.id })
    this.#options = options
  }

  override get offer(): Offer {
    const { desk, caller } = this.#options
    const offer = desk()
      .offers(caller)
      .offers.find((one) => one.product === 'acme/cad')
    return offer ?? super.offer
  }

  override ask(id: string, ask: LeaseAsk, options: CallOptions): Promise<LeaseReply> {
    const { desk, caller } = this.#options
    const own = (agent: string): string => (agent === this.#options.named ? caller.id : agent)
    const sent = { ...ask, agent: own(ask.agent), chain: ask.chain.map(own) }
    return this.#deliver(options, async (): Promise<LeaseReply> => {
      const answer = await desk().ask(caller, id, sent)
      if (answer.kind === 'refused') return refusedBy(answer)
      return answer.kind === 'granted' ? { kind: 'granted', lease: answer.lease } : answer
    })
  }

  override renew(leases: readonly string[], options: CallOptions): Promise<RenewalsReply> {
    const { desk, caller } = this.#options
    return this.#deliver(options, async (): Promise<RenewalsReply> => {
      const answer = await desk().renew(caller, { leases: [...leases] })
      return answer.kind === 'refused' ? refusedBy(answer) : { kind: 'answered', answer }
    })
  }

  override release(id: string, options: CallOptions): Promise<ReleaseReply> {
    const { desk, caller } = this.#options
    return this.#deliver(options, async (): Promise<ReleaseReply> => {
      const answer = await desk().release(caller, id)
      return answer.kind === 'refused' ? refusedBy(answer) : answer
    })
  }

  override follow(listener: { readonly onEvent: (event: PeerEvent) => void; readonly onUp: () => void }): Cancel {
    const { desk, caller } = this.#options
    this.followers.add(listener)
    const onEvent = (event: PeerEvent): void => {
      if (this.isUp) for (const follower of this.followers) follower.onEvent(event)
    }
    const leave = desk().events(caller, { onEvent, onReplaced: () => undefined })
    return () => {
      this.followers.delete(listener)
      if (this.followers.size === 0) leave()
    }
  }

  async #deliver<T>({ timeout }: CallOptions, act: () => Promise<T>): Promise<T | Unreachable> {
    const after = (ms: number): Promise<void> => new Promise((resolve) => void this.clock.after(ms, resolve))
    const fate = this.isUp ? (this.fates.shift() ?? 'works') : 'unsent'
    const noAnswer = async (): Promise<Unreachable> => {
      await after(timeout)
      return { kind: 'unreachable', unsent: false, step: 'answer', detail: 'No answer came.' }
    }
    switch (fate) {
      case 'unsent':
        return { kind: 'unreachable', unsent: true, step: 'connect', detail: 'Nobody is there.' }
      case 'lost':
        return await noAnswer()
      case 'reply lost':
        await act()
        return await noAnswer()
      case 'late':
        this.clock.after(timeout + lateness, () => void act())
        return await noAnswer()
      case 'doubled':
        this.clock.after(timeout + lateness, () => void act())
        return await act()
      case 'works':
        return await act()
    }
  }
}

/** What manager-calls makes of it: where nothing was decided there is no answer. */
function refusedBy({ code, detail, facts }: Refusal): Refused | Unreachable {
  if (code === 'store_unavailable') return { kind: 'unreachable', unsent: false, step: 'answer', detail }
  return { kind: 'refused', status: 409, problem: peerProblemSchema.parse({ code, detail, ...facts }) }
}
