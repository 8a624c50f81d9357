/**
 * Known agents as people and programs see them: those of the directory, and those that asked for seats here and are waited for
 * to be approved. Owns nothing.
 */
import { showPlace } from '../domain/place.ts'
import type { Directory } from './directory.ts'
import type { FoundBy } from './finders/finder.ts'
import type { AgentState, KnownAgent } from './known-agent.ts'
import type { PeerMemory, RememberedPeer } from './peer-memory.ts'
import type { Offer } from './wire.ts'

export interface OfferView {
  readonly product: string
  readonly title?: string
  readonly seats: number
  readonly used: number
  readonly free: number
  readonly anyProductFree: number
  readonly waiting: number
  readonly features: readonly { readonly name: string; readonly seats?: number }[]
  readonly licenses: readonly { readonly id: string; readonly endsAt?: string }[]
  /** Agents over which the seats come, the root first; none for licenses of its own. */
  readonly over: readonly string[]
}

export interface ManagerView {
  readonly id: string
  readonly name: string
  readonly state: AgentState
  readonly detail: string
  readonly code?: string
  readonly approval?: RememberedPeer['approval']
  readonly addresses: readonly {
    readonly address: string
    readonly foundBy: readonly FoundBy[]
    readonly answeredAt?: string
  }[]
  readonly foundBy: readonly FoundBy[]
  /** Its page. */
  readonly page?: string
  readonly version?: string
  /** ms. */
  readonly latency?: number
  /** Seconds by which its clock is ahead of ours. */
  readonly clockDifference?: number
  readonly firstSeenAt?: string
  readonly lastSeenAt?: string
  readonly offers: readonly OfferView[]
  readonly actions: readonly ('approve' | 'forget')[]
}

export interface ManagerViewParts {
  readonly directory: Pick<Directory, 'agents' | 'find'>
  readonly memory: Pick<PeerMemory, 'list' | 'get'>
}

/** Agents that give out something first, then by name. */
export function managerViews({ directory, memory }: ManagerViewParts): readonly ManagerView[] {
  const known = [...directory.agents].map((agent) => viewOf(agent, memory.get(agent.id)))
  const others = memory.list().filter(({ id, approval }) => approval !== 'known' && directory.find(id) === undefined)
  return [...known, ...others.map(viewOfAsker)].sort(
    (a, b) =>
      Number(b.offers.length > 0) - Number(a.offers.length > 0) || compare(a.name, b.name) || compare(a.id, b.id),
  )
}

export function managerView({ directory, memory }: ManagerViewParts, id: string): ManagerView | undefined {
  const agent = directory.find(id)
  const remembered = memory.get(id)
  if (agent !== undefined) return viewOf(agent, remembered)
  return remembered && viewOfAsker(remembered)
}

function viewOf(agent: KnownAgent, remembered: RememberedPeer | undefined): ManagerView {
  const { id, name, condition, foundBy, version, latency, clockDifference, lastSeen } = agent
  const [first] = agent.addresses
  return {
    id,
    name,
    state: condition.state,
    detail: condition.detail,
    ...(condition.code === undefined ? {} : { code: condition.code }),
    ...(remembered === undefined ? {} : { approval: remembered.approval, firstSeenAt: iso(remembered.firstSeen) }),
    addresses: agent.knownPlaces.map(({ place, foundBy: ways, answeredAt }) => ({
      address: showPlace(place),
      foundBy: [...ways],
      ...(answeredAt === undefined ? {} : { answeredAt: iso(answeredAt) }),
    })),
    foundBy,
    ...(first === undefined ? {} : { page: `https://${first}/` }),
    ...(version === undefined ? {} : { version }),
    ...(latency === undefined ? {} : { latency: Math.round(latency * 10) / 10 }),
    ...(clockDifference === undefined ? {} : { clockDifference: Math.round(clockDifference / 100) / 10 }),
    ...(lastSeen === undefined ? {} : { lastSeenAt: iso(lastSeen) }),
    offers: agent.offers.map(viewOfOffer),
    actions: actionsOf(remembered, true),
  }
}

/** It asked for seats here, and was not found in the network: it need not serve. */
function viewOfAsker(peer: RememberedPeer): ManagerView {
  return {
    id: peer.id,
    name: peer.name,
    state: 'asking',
    detail: '',
    approval: peer.approval,
    addresses: peer.from === undefined ? [] : [{ address: peer.from, foundBy: ['asked'] }],
    foundBy: ['asked'],
    firstSeenAt: iso(peer.firstSeen),
    lastSeenAt: iso(peer.lastSeen),
    offers: [],
    actions: actionsOf(peer, false),
  }
}

function actionsOf(remembered: RememberedPeer | undefined, isListed: boolean): ManagerView['actions'] {
  const canApprove = remembered !== undefined && remembered.approval !== 'approved'
  return [
    ...(canApprove ? (['approve'] as const) : []),
    ...(isListed || remembered !== undefined ? (['forget'] as const) : []),
  ]
}

function viewOfOffer(offer: Offer): OfferView {
  const { product, title, seats, used, anySeats, anyUsed, waiting, features, licenses, chain } = offer
  return {
    product,
    ...(title === undefined ? {} : { title }),
    seats,
    used,
    free: Math.max(0, seats - used),
    anyProductFree: Math.max(0, anySeats - anyUsed),
    waiting,
    features: features.map((one) => ({ name: one.name, ...(one.seats === null ? {} : { seats: one.seats }) })),
    licenses: licenses.map(({ id, endsAt }) => ({ id, ...(endsAt === undefined ? {} : { endsAt }) })),
    over: chain,
  }
}

function iso(wall: number): string {
  return new Date(wall).toISOString()
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
