/**
 * What one process of an agent has to do with other agents: the real desk, leases and calls, wired as the composition root wires
 * them. Only the transport and the search are simulated.
 */

import { type ConnectedSites, connectSites } from '../../agent/agent-sites.ts'
import type { Cancel } from '../../agent/clock.ts'
import { leaseRoutes, PeerStreams } from '../../agent/http/peer-api/leases.ts'
import { failureOf, isRefusal, problemReply } from '../../agent/http/problem.ts'
import type { Route } from '../../agent/http/route.ts'
import { LeaseSeats } from '../../agent/lease-seats.ts'
import { Leases } from '../../agent/leases.ts'
import type { Lessor } from '../../agent/lessor.ts'
import { LeaseDesk, type LeaseDeskOptions } from '../../agent/peers/lease-desk.ts'
import type { PeerCaller } from '../../agent/peers/lease-desk-ask.ts'
import { type LeaseGuardOptions, LeaseGuards, type Verdict } from '../../agent/peers/lease-desk-guards.ts'
import type { NewsListener } from '../../agent/peers/lease-desk-news.ts'
import { type KnownManager, ManagerCalls, type PeerAnswered, type PeerCalls } from '../../agent/peers/manager-calls.ts'
import { offersSchema } from '../../agent/peers/wire.ts'
import { ManagersAndSelf, OwnSeats } from '../../agent/reserve-own.ts'
import type { SeatFinder } from '../../agent/seat-finder.ts'
import type { ServingState } from '../../agent/serving.ts'
import type { Writer } from '../../agent/writer.ts'
import type { Settings } from './agent.ts'
import type { SimulatedProcess } from './machine.ts'
import { SimulatedManagers } from './managers.ts'
import { Travel, type TravelSources } from './travel.ts'
import { SimulatedCalendar } from './web-sites.ts'

/** The network as one process sees it. */
export interface NetworkSources {
  readonly calls: PeerCalls
  /** Agents that it may find. */
  readonly managers: readonly KnownManager[]
  /** Fresh texts. */
  readonly randomId: () => string
  /** 0 to 1. */
  readonly random: () => number
  readonly onTrouble: (what: string, error: unknown) => void
  /** Absent: nothing is detached. */
  readonly travel?: TravelSources
}

export interface AgentNetworkParts extends NetworkSources {
  readonly self: { readonly id: string; readonly name: string }
  readonly process: SimulatedProcess
  readonly writer: Writer
  readonly lessor: Lessor
  readonly settings: Settings
  readonly refusal: LeaseGuardOptions['serving']['refusal']
  readonly serving: () => ServingState
  readonly mayUse: (account: string | undefined) => Verdict
  readonly explain: LeaseDeskOptions['explain']
  readonly finder: () => SeatFinder
}

export interface PeerRequest {
  readonly method: string
  /** Below the version. */
  readonly path: string
  readonly body?: unknown
}

const offersTimeout = 2_000

export class AgentNetwork {
  readonly leases: Leases
  readonly seats: LeaseSeats
  readonly desk: LeaseDesk
  readonly managers: SimulatedManagers
  readonly travel: Travel | undefined
  /** Seats that are kept in advance. */
  readonly kept: ConnectedSites
  readonly #calls: ManagerCalls
  readonly #routes: readonly Route[]

  constructor(parts: AgentNetworkParts) {
    const { self, process, writer, lessor, settings, calls, random, randomId, onTrouble, refusal, finder } = parts
    const { clock } = process
    this.#calls = new ManagerCalls({ calls, clock, timers: process, random, self: self.id })
    this.managers = new SimulatedManagers({
      managers: parts.managers,
      linkTo: (peer) => this.#calls.linkTo(peer),
      timers: process,
      self: self.id,
      isAllowed: () => settings.remoteAllowed,
      readOffers: async (peer) => {
        const answer = await calls.call(peer, { method: 'GET', path: '/offers' }, { timeout: offersTimeout })
        if (answer.kind === 'unreachable') return answer
        if (answer.status !== 200) return { serving: 'denied_by_rule', offers: [] }
        const offers = offersSchema.parse(answer.body)
        this.travel?.contact.noteReady(peer.id, offers.detachments ?? [])
        return offers
      },
    })
    const known = this.managers
    this.leases = new Leases({ lessor, writes: writer, clock, instance: self.id })
    const own = new OwnSeats({
      lessor,
      clock,
      timers: process,
      self: () => self,
      serving: parts.serving,
    })
    this.seats = new LeaseSeats({
      leases: this.leases,
      known: new ManagersAndSelf(known, () => own),
      writes: writer,
      clock,
      timers: process,
      self: () => self,
      settings: () => ({
        allowed: settings.remoteAllowed,
        lingerSeconds: settings.lingerSeconds,
        forProduct: () => ({ mode: 'both', manager: '' }),
      }),
      randomId,
      random,
      onTrouble,
      onDetachment: (manager, id) => this.travel?.contact.noteReady(manager, [id]),
    })
    const { seats } = this
    this.kept = connectSites({
      lessor,
      remote: seats,
      own,
      writes: writer,
      clock,
      timers: process,
      self: () => self,
      randomId,
      isInDoubt: (session) => finder().isInDoubt(session),
      rules: ({ who }) => parts.mayUse(who.account),
      calendar: new SimulatedCalendar(process),
      log: { warn: () => undefined, error: (what, facts) => onTrouble(what, facts?.error) },
    })
    const guards = new LeaseGuards({
      access: () => settings.access,
      approvalOf: () => 'known',
      rules: { machine: () => ({ kind: 'allowed' }), user: ({ account }) => parts.mayUse(account) },
      serving: { refusal },
      isRestored: () => false,
      seatsPerAgent: () => 0,
    })
    this.desk = new LeaseDesk({
      lessor,
      // The finder needs what the desk tells, and the desk the finder.
      finder: {
        find: (...asked) => finder().find(...asked),
        placeOf: (...asked) => finder().placeOf(...asked),
        waiting: (product) => finder().waiting(product),
      },
      guards,
      upstream: {
        renewFirst: (supply) => seats.renewals.renewFirst(supply),
        isInDoubt: (supply) => seats.isInDoubt([supply]),
      },
      clock,
      timers: process,
      self: self.id,
      linksOf: async () => undefined,
      explain: parts.explain,
      licenseFacts: () => ({ model: 'perpetual' }),
      relayed: () => (settings.remoteAllowed ? known.relayed() : []),
      ...(parts.travel === undefined ? {} : { detaching: () => (this.travel as Travel).offered }),
    })
    seats.onWanted((manager, product) => this.desk.passWanted(manager, product))
    this.travel =
      parts.travel &&
      new Travel({
        ...parts,
        ...parts.travel,
        known: parts.managers,
        leases: this.leases,
        managers: this.managers,
        guards,
        tell: (agent, id) => this.desk.noteDetachment(agent, id),
      })
    this.#routes = [...leaseRoutes(this.desk, new PeerStreams(process)), ...(this.travel?.routes ?? [])]
  }

  start(): void {
    this.managers.start()
    this.seats.start()
    this.kept.start()
    this.travel?.start()
  }

  stop(): void {
    this.desk.stop()
    this.kept.stop()
    this.seats.stop()
    this.managers.stop()
    this.#calls.close()
  }

  /** What this agent answers to another one. */
  async answer(peer: PeerCaller, { method, path, body }: PeerRequest): Promise<PeerAnswered> {
    const [, kind = '', id] = path.split('/')
    const route = this.#routes.find(
      (one) => one.method === method && one.path === `/peer/v1/${kind}${id === undefined ? '' : '/{id}'}`,
    )
    if (!route) throw new Error(`There is no ${method} ${path}.`)
    const call = {
      params: id === undefined ? {} : { id },
      query: {},
      body: overTheWire(body),
      headers: {},
      address: peer.address,
      authority: 'nobody' as const,
      channel: 'tls' as const,
      peer: { ...peer, approval: 'known' as const },
      closed: () => new AbortController().signal,
    }
    let reply = await Promise.resolve(route.handle(call as never)).catch((error: unknown) => failureOf(error))
    if (isRefusal(reply)) reply = problemReply(reply, 'request')
    const { status, content } = reply
    return { kind: 'answered', status, body: content?.kind === 'json' ? overTheWire(content.value) : undefined }
  }

  openStream(peer: PeerCaller, listener: NewsListener): Cancel {
    return this.desk.events(peer, listener)
  }
}

function overTheWire(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value))
}
