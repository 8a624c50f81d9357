/**
 * Builds the desk that leases seats to other agents, and connects it to the owners. Part of the composition root; only `agent.ts` and
 * tests import it.
 */
import type { Broker } from './broker.ts'
import type { Clock, Timers } from './clock.ts'
import type { Configuration } from './config/configuration.ts'
import type { Refusal } from './errors.ts'
import { leaseRoutes, PeerStreams } from './http/peer-api/leases.ts'
import type { Route } from './http/route.ts'
import type { LeaseSeats } from './lease-seats.ts'
import type { Lessor } from './lessor.ts'
import type { LicenseShelf } from './license-shelf.ts'
import { LeaseDesk, type LeaseDeskOptions } from './peers/lease-desk.ts'
import { type PeerCaller, whoOf } from './peers/lease-desk-ask.ts'
import { type LeaseGuardOptions, LeaseGuards } from './peers/lease-desk-guards.ts'
import type { LeaseOfferOptions, LicenseFacts } from './peers/lease-desk-offers.ts'
import type { PeerBook } from './peers/peer-book.ts'
import type { LeaseAsk } from './peers/wire.ts'
import type { Proofs } from './proofs.ts'
import type { Refusals } from './refusals.ts'
import type { SeatFinder } from './seat-finder.ts'
import type { Serving } from './serving.ts'
import { RefusalJournal } from './session-refusal-journal.ts'
import type { OpenRequest } from './session-request.ts'
import type { AgentName } from './session-view.ts'
import type { Writes } from './writes.ts'

export interface DeskParts {
  readonly lessor: Lessor
  readonly finder: SeatFinder
  readonly broker: Pick<Broker, 'explain'>
  readonly proofs: Pick<Proofs, 'leaseLinks'>
  readonly shelf: Pick<LicenseShelf, 'get' | 'standing'>
  readonly refusals: Pick<Refusals, 'note'>
  readonly configuration: Pick<Configuration, 'get'>
  readonly serving: Pick<Serving, 'refusal'>
  readonly book: Pick<PeerBook, 'get'> & { readonly self: Pick<PeerBook['self'], 'is'> }
  readonly rules: LeaseGuardOptions['rules']
  /** Seats of other managers; absent: there are none. */
  readonly remote?: LeaseSeats
  /** What other managers offer now; nothing while this agent may not use them. */
  readonly relayed: LeaseOfferOptions['relayed']
  readonly writes: Writes
  readonly clock: Clock
  readonly timers: Timers
  readonly self: () => AgentName
  /** Seats that are taken along; absent: none are. */
  readonly detaching?: LeaseDeskOptions['detaching']
  /** Told of everybody who asked for a seat: `granted`, or the code of the refusal. */
  readonly onAsked?: (peer: PeerCaller, ask: LeaseAsk, outcome: string) => void
}

export interface ConnectedDesk {
  readonly desk: LeaseDesk
  readonly guards: LeaseGuards
  readonly streams: PeerStreams
  readonly routes: readonly Route[]
}

export function connectDesk(parts: DeskParts): ConnectedDesk {
  const { lessor, finder, broker, proofs, shelf, configuration, serving, book, rules, remote, clock, timers } = parts
  const self = parts.self().id
  const journal = new RefusalJournal(parts.writes, clock, parts.self)
  const guards = new LeaseGuards({
    access: () => configuration.get('serving.access'),
    approvalOf: (agent) => book.get(agent)?.approval,
    rules,
    serving,
    isRestored: () => book.self.is(),
    seatsPerAgent: () => configuration.get('serving.seatsPerAgent'),
  })
  const desk = new LeaseDesk({
    lessor,
    finder,
    guards,
    upstream: {
      renewFirst: async (supply) => await remote?.renewals.renewFirst(supply),
      isInDoubt: (supply) => remote?.isInDoubt([supply]) ?? false,
    },
    clock,
    timers,
    self,
    linksOf: (grant) => proofs.leaseLinks(grant),
    explain: (product, feature) => broker.explain(product, feature).managers.find((one) => one.id === self),
    licenseFacts: (license) => factsOf(license, shelf),
    relayed: parts.relayed,
    ...(parts.detaching === undefined ? {} : { detaching: parts.detaching }),
    onOutcome: (peer, ask, outcome) => {
      parts.onAsked?.(peer, ask, outcome === 'granted' ? outcome : outcome.code)
      if (outcome === 'granted') return
      const { product, feature, seats } = ask
      parts.refusals.note({ product, feature, seats, who: whoOf(ask, peer) }, outcome)
      void noteRefusal(journal, peer, ask, outcome)
    },
  })
  remote?.onWanted((manager, product) => desk.passWanted(manager, product))
  const streams = new PeerStreams(timers)
  return { desk, guards, streams, routes: leaseRoutes(desk, streams) }
}

function factsOf(license: string, shelf: DeskParts['shelf']): LicenseFacts | undefined {
  const installed = shelf.get(license)
  if (!installed) return undefined
  const { model, vendor } = installed.license.payload
  const { endsAt } = shelf.standing(installed)
  const links = Object.entries(vendor.links ?? {}).filter((link): link is [string, string] => link[1] !== undefined)
  return {
    model,
    ...(endsAt === undefined ? {} : { endsAt: new Date(endsAt * 1000).toISOString() }),
    ...(links.length === 0 ? {} : { links: Object.fromEntries(links) }),
  }
}

/** The ids of requests are new each time, so who asks for what tells whether it is the same again. */
function noteRefusal(journal: RefusalJournal, peer: PeerCaller, ask: LeaseAsk, refusal: Refusal): Promise<void> {
  const { product, feature, seats } = ask
  const { account, email, displayName, host, application } = whoOf(ask, peer)
  const request: OpenRequest = {
    idempotencyKey: [peer.id, product, feature, account, email].join(' '),
    address: peer.address,
    product,
    feature,
    seats,
    user: { account, email, displayName },
    host,
    application,
    activity: 'heartbeat',
  }
  return journal.note(request, product, refusal)
}
