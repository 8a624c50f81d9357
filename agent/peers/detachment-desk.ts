/**
 * What a manager does for other agents about detachments: makes them, lets them last longer, takes them back, tells what it knows; and
 * passes on what it has no such seats for (R22). It knows the agent that asks by its verified id. Owns nothing.
 * Must not import transport or http.
 */
import type { Clock } from '../clock.ts'
import type { DetachmentBook } from '../detachment-book.ts'
import type { DetachmentEnding } from '../detachment-ending.ts'
import type { DetachmentLink, DetachmentManagers } from '../detachment-link.ts'
import type { DetachmentMaking, DetachRequest } from '../detachment-making.ts'
import { type DetachRecipient, freeDateOf, isOut, type OutRecord } from '../detachment-record.ts'
import { unknownDetachment } from '../detachment-refusals.ts'
import type { DetachmentReturning } from '../detachment-returning.ts'
import { keyId, type PublicJwk } from '../domain/documents/keys.ts'
import type { Who } from '../domain/grant.ts'
import type { ProductName } from '../domain/product-name.ts'
import { type ErrorCode, errorTable, type Refusal, refuse } from '../errors.ts'
import type { AgentName } from '../session-view.ts'
import type { Writes } from '../writes.ts'
import type { DetachAnswer, DetachAsk, DetachmentTold, HeldAnswer, HeldAsk } from './detachment-wire.ts'
import type { PeerCaller } from './lease-desk-ask.ts'
import type { LeaseGuards } from './lease-desk-guards.ts'
import { orUnavailable } from './lease-desk-refusals.ts'

export interface DetachmentDeskOptions {
  readonly making: DetachmentMaking
  readonly returning: DetachmentReturning
  readonly ending: DetachmentEnding
  readonly book: DetachmentBook
  readonly guards: LeaseGuards
  readonly writes: Writes
  readonly clock: Clock
  readonly self: () => AgentName
  readonly keyOf: (agent: string) => PublicJwk | undefined
  /** Managers that requests are passed on to. */
  readonly managers: DetachmentManagers
  /** It was shown what it signed and does not know any more (R24). */
  readonly onForgotten: (by: string) => void
}

/** ms. */
const passedOnTimeout = 4_000
const longestChain = 4

export type DeskAnswer =
  | { readonly kind: 'answered'; readonly created: boolean; readonly answer: DetachAnswer }
  | Refusal

export class DetachmentDesk {
  readonly #options: DetachmentDeskOptions

  constructor(options: DetachmentDeskOptions) {
    this.#options = options
  }

  /** `PUT detachments/{id}` */
  ask(peer: PeerCaller, id: string, ask: DetachAsk): Promise<DeskAnswer> {
    return orUnavailable(() => this.#ask(peer, id, ask))
  }

  async #ask(peer: PeerCaller, id: string, ask: DetachAsk): Promise<DeskAnswer> {
    const { book, making } = this.#options
    const recipient = this.#recipientOf(peer, ask)
    if ('code' in recipient) return recipient
    const wrong = this.#checkAsk(peer, ask, recipient)
    if (wrong) return wrong
    const who = whoOf(ask, peer)
    const refused = this.#refuse(peer, ask, who, book.out(id) !== undefined || book.relay(id) !== undefined)
    if (refused) return refused
    if (book.relay(id) !== undefined) return await this.#passOn(id, ask, recipient)
    const request: DetachRequest = {
      id,
      product: ask.product as ProductName,
      ...(ask.feature === undefined ? {} : { feature: ask.feature }),
      seats: ask.seats,
      ...(ask.until === undefined
        ? {}
        : { end: { until: ask.until, ...(ask.earliest === undefined ? {} : { earliest: ask.earliest }) } }),
      ...(ask.zone === undefined ? {} : { zone: ask.zone }),
      recipient,
      ...(recipient.id === peer.id ? {} : { via: peer.id }),
      time: ask.time,
      version: ask.version,
      ...(ask.replaces === undefined || recipient.id !== peer.id ? {} : { replaces: ask.replaces }),
      who,
      chain: ask.chain,
      ...(ask.vendorKey === undefined ? {} : { vendorKey: ask.vendorKey }),
    }
    if (ask.preview) {
      const plan = await making.plan(request)
      if (plan.kind === 'refused') return await this.#orPassOn(plan, id, ask, recipient)
      const { until, cut, latest, freeDate, detachable, earlyReturn } = plan
      const freeIn = Math.ceil((freeDate - plan.now) / 1000)
      const manager = this.#options.self()
      return answered({ plan: { until, cut, latest, freeIn, detachable, earlyReturn, manager } })
    }
    const made = await making.make(request)
    if (made.kind === 'refused') return await this.#orPassOn(made, id, ask, recipient)
    return answered({ detachment: this.told(made.record) }, made.created)
  }

  /** `GET detachments/{id}`: what was made for the agent, by an administrator here. */
  take(
    peer: PeerCaller,
    id: string,
  ): Promise<{ readonly kind: 'answered'; readonly detachment: DetachmentTold } | Refusal> {
    return orUnavailable(async () => {
      const { book, returning, guards } = this.#options
      const refused = guards.closed()
      if (refused) return refused
      if (book.out(id)?.recipient.id !== peer.id) return unknownDetachment(id)
      const record = await returning.noteDelivered(id, true)
      return record === undefined ? unknownDetachment(id) : { kind: 'answered', detachment: this.told(record) }
    })
  }

  /** `DELETE detachments/{id}`: always heard. */
  release(peer: PeerCaller, id: string): Promise<{ readonly kind: 'acknowledged' } | Refusal> {
    return orUnavailable(async () => {
      const { book, returning, managers } = this.#options
      const relay = book.relay(id)
      if (relay?.recipient === peer.id) {
        const reply = await managers.link(relay.manager)?.giveBack(id, { timeout: passedOnTimeout })
        if (reply?.kind === 'acknowledged') return reply
        return saidAbove(reply)
      }
      const returned = await returning.giveBack(id, peer.id)
      return returned.kind === 'refused' ? returned : { kind: 'acknowledged' }
    })
  }

  /** `POST detachments`: how what the agent shows stands here. */
  report(peer: PeerCaller, { held, time }: HeldAsk): Promise<({ readonly kind: 'answered' } & HeldAnswer) | Refusal> {
    return orUnavailable(async () => {
      const refused = this.#options.guards.closed()
      if (refused) return refused
      const results: HeldAnswer['results'] = []
      const passed = new Map<string, HeldAsk['held']>()
      for (const one of held) {
        const relay = this.#options.book.relay(one.id)
        if (relay?.recipient === peer.id) passed.set(relay.manager, [...(passed.get(relay.manager) ?? []), one])
        else results.push(await this.#stand(peer, one, time))
      }
      for (const [manager, list] of passed) results.push(...(await this.#reportAbove(manager, list)))
      return { kind: 'answered', results, ready: this.readyFor(peer.id) }
    })
  }

  /** Made for an agent and not taken yet. */
  readyFor(agent: string): string[] {
    const ready: string[] = []
    for (const record of this.#options.book.outs())
      if (isOut(record) && record.recipient.id === agent && record.contactAt === undefined) ready.push(record.id)
    return ready.slice(0, 100)
  }

  /** A detachment as its recipient is told of it. */
  told(record: OutRecord): DetachmentTold {
    const { id, version, until, soft, zone, texts } = record
    const now = Math.floor(this.#options.ending.dateOf(record))
    return {
      id,
      version,
      until,
      freeIn: Math.max(0, Math.ceil((freeDateOf(record) - now) / 1000)),
      ...(soft === undefined ? {} : { soft }),
      ...(zone === undefined ? {} : { zone }),
      time: now,
      texts: [...texts],
    }
  }

  /** How one that is shown stands. */
  async #stand(peer: PeerCaller, shown: HeldAsk['held'][number], time: number): Promise<HeldAnswer['results'][number]> {
    const { book, returning, onForgotten, keyOf } = this.#options
    const { id, version, text, state } = shown
    const record = book.out(id)
    const isTheirs = record?.recipient.id === peer.id || record?.via === peer.id
    if (record !== undefined && !isTheirs) return { id, outcome: 'unknown' }
    if (record === undefined || (isOut(record) && version > record.version)) {
      const key = keyOf(peer.id)
      const recipient = key && { id: peer.id, key, name: peer.name.slice(0, 64) }
      const who: Who = { host: peer.name, address: peer.address }
      const isForgotten = state === 'attached' && recipient && (await returning.adopt(text, recipient, who))
      if (!isForgotten) return { id, outcome: 'unknown' }
      onForgotten(peer.id)
      return { id, outcome: 'current' }
    }
    if (!isOut(record)) return { id, outcome: 'over', reason: record.state }
    if (state === 'returned') {
      // It is told so by what gives it back, too, which may have been lost.
      await returning.giveBack(id, peer.id)
      return { id, outcome: 'over', reason: 'returned' }
    }
    await returning.noteDelivered(id, true, time)
    return version < record.version
      ? { id, outcome: 'newer', detachment: this.told(record) }
      : { id, outcome: 'current' }
  }

  #recipientOf(peer: PeerCaller, { recipient, machine }: DetachAsk): DetachRecipient | Refusal {
    if (recipient !== undefined) return { id: keyId(recipient.key), ...recipient }
    const key = this.#options.keyOf(peer.id)
    if (key === undefined) return refuse('peer_signature_wrong', 'The key of the agent is not known.')
    return { id: peer.id, key, name: machine || peer.name }
  }

  #checkAsk(
    peer: PeerCaller,
    { chain, instance, until, soft }: DetachAsk,
    recipient: DetachRecipient,
  ): Refusal | undefined {
    const self = this.#options.self().id
    if (instance !== undefined && instance !== self)
      return refuse('unknown_instance', `There is no license server ${instance} at this agent.`)
    if (chain.at(-1) !== peer.id || chain[0] !== recipient.id)
      return refuse('invalid_request', 'The chain must begin with the recipient and end with the agent that asks.')
    if (chain.includes(self) || new Set(chain).size < chain.length)
      return refuse('loop_detected', 'The request has come through this agent, or through another one twice.')
    if ((until === undefined) !== (soft === true))
      return refuse('invalid_request', 'Either a date is named, or it is soft.')
    return undefined
  }

  #refuse(peer: PeerCaller, ask: DetachAsk, who: Who, isKnown: boolean): Refusal | undefined {
    const { guards } = this.#options
    const { account, email, host, address } = who
    const subject = {
      agent: ask.chain[0] ?? peer.id,
      product: ask.product,
      ...(ask.feature === undefined ? {} : { feature: ask.feature }),
      ...(account === undefined ? {} : { account }),
      ...(email === undefined ? {} : { email }),
      ...(host === undefined ? {} : { host }),
      ...(address === undefined ? {} : { address }),
    }
    const fresh = isKnown ? undefined : (guards.refuseAgent(peer) ?? guards.refuseNew())
    return guards.closed() ?? fresh ?? guards.refuseHolder(peer) ?? guards.refuseUser(subject)
  }

  // ---- passing on (R22)

  async #orPassOn(refused: Refusal, id: string, ask: DetachAsk, recipient: DetachRecipient): Promise<DeskAnswer> {
    if (!passedOn.has(refused.code)) return refused
    if (ask.chain.length >= longestChain || this.#links(ask).length === 0) return refused
    return await this.#passOn(id, ask, recipient, refused)
  }

  /** @param own why it is not made of the seats here */
  async #passOn(id: string, ask: DetachAsk, recipient: DetachRecipient, own?: Refusal): Promise<DeskAnswer> {
    const { book, writes, managers, self } = this.#options
    const known = book.relay(id)
    const link = known === undefined ? undefined : managers.link(known.manager)
    const { replaces: _, ...rest } = ask
    const passed: DetachAsk = {
      ...rest,
      recipient: { key: recipient.key, name: recipient.name },
      chain: [...ask.chain, self().id],
    }
    let said: Refusal | undefined
    for (const above of link ? [link] : this.#links(ask)) {
      const latest = (ask.until ?? this.#options.clock.wall()) + 4 * 86_400_000
      // Stored before it is sent, so that what comes about it later finds its way.
      if (!ask.preview)
        await writes.submit((transaction) =>
          book.put(transaction, { side: 'relay', id, manager: above.id, recipient: recipient.id, latest }),
        )
      const reply = await above.detach(id, passed, { timeout: passedOnTimeout })
      if (reply.kind === 'detached') return answered({ detachment: reply.detachment }, ask.version === 0)
      if (reply.kind === 'planned') return answered({ plan: reply.plan })
      if (reply.kind === 'unreachable' && !reply.unsent) return saidAbove(reply)
      said = saidAbove(reply)
    }
    // Who has seats of it says why they are not enough, unless one above knows that better.
    const isAnswer = said !== undefined && said.code !== 'store_unavailable' && !hasNone.has(said.code)
    if (own !== undefined && !hasNone.has(own.code) && !isAnswer) return own
    return said ?? saidAbove(undefined)
  }

  #links({ product, chain }: DetachAsk): DetachmentLink[] {
    const { managers } = this.#options
    return managers
      .offering(product as ProductName)
      .filter(
        ({ link, offer }) => offer.maxDetachDays > 0 && ![link.id, ...offer.chain].some((one) => chain.includes(one)),
      )
      .flatMap(({ link }) => managers.link(link.id) ?? [])
  }

  async #reportAbove(manager: string, held: HeldAsk['held']): Promise<HeldAnswer['results']> {
    const link = this.#options.managers.link(manager)
    const reply = await link?.report({ held, time: this.#options.clock.wall() }, { timeout: passedOnTimeout })
    if (reply?.kind === 'answered') return reply.answer.results
    return held.map(({ id }) => ({ id, outcome: 'unknown' as const }))
  }
}

/** There are no seats of it at all that could be detached. */
const hasNone: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['unknown_product', 'not_detachable'])
/** What another manager may have seats for. */
const passedOn: ReadonlySet<ErrorCode> = new Set<ErrorCode>([...hasNone, 'beyond_license_end', 'too_many_seats'])

function answered(answer: DetachAnswer, created = false): DeskAnswer {
  return { kind: 'answered', created, answer }
}

/** Who takes the seats along, for people. */
function whoOf({ who, machine }: DetachAsk, peer: PeerCaller): Who {
  const { account, email, displayName } = who
  return {
    ...(account ? { account } : {}),
    ...(email ? { email } : {}),
    ...(displayName ? { displayName } : {}),
    host: who.host || machine || peer.name,
    address: peer.address,
  }
}

/** What the manager above said. */
function saidAbove(reply: Awaited<ReturnType<DetachmentLink['detach' | 'giveBack']>> | undefined): Refusal {
  if (reply !== undefined && 'problem' in reply) {
    const { code, detail, explanation: _, largest: _l, ...facts } = reply.problem
    const known: ErrorCode = Object.hasOwn(errorTable, code) ? (code as ErrorCode) : 'manager_unreachable'
    return refuse(known, detail ?? '', facts)
  }
  const detail = reply !== undefined && 'step' in reply ? reply.detail : 'It is not known any more.'
  // Nothing is known of what became of it, so it is asked again.
  return refuse('store_unavailable', `The manager above can not be reached: ${detail}`, { retryIn: 10 })
}
