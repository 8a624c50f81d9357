/**
 * The agents whose key is remembered: owns the 'peer' records, with the administrator's approval, the newest thing each one has
 * signed about itself, and what contradicts it (R24). Knows nothing of the network; must not import http.
 */
import type { Cancel, Clock, Timers } from '../clock.ts'
import { keyId, type PublicJwk, shortGroups, verifyingKey } from '../domain/documents/keys.ts'
import type { AnswerFacts, Evidence } from '../domain/peer-signature.ts'
import { type Refusal, refuse } from '../errors.ts'
import type { Health } from '../health.ts'
import type { StoredRecord } from '../store/store.ts'
import type { RecordOwner, Transaction, Writes } from '../writes.ts'
import { Askers } from './askers.ts'
import { isBehind, type KnownPeer, readPeer, writePeer } from './peer-record.ts'
import { Restored, selfKey } from './restored.ts'

export interface PeerBookParts {
  readonly writes: Writes
  readonly clock: Clock
  readonly timers: Timers
  /** Whether agents that are new here wait for an administrator: `serving.access` is "approved". */
  readonly asksForApproval: () => boolean
  readonly health: Pick<Health, 'set' | 'clear'>
  readonly onTrouble: (error: unknown) => void
  /** Something about this agent has changed, or it is forgotten. */
  readonly onChange?: (id: string) => void
}

export interface Introduction {
  readonly key: PublicJwk
  readonly name: string
  /** `host:port` where it answered; absent when it asked. */
  readonly address?: string
  /** The address that it asked from; absent when it was asked. */
  readonly from?: string
}

export type Met = { readonly kind: 'met'; readonly peer: KnownPeer } | Refusal

const mostPeers = 10_000
const mostAddresses = 8
/** Names of agents that nobody approved are free again when they have not been seen for this long. */
const namesHeld = 24 * 60 * 60_000
const flushEvery = 60_000
const mostPerFlush = 500
type Step = (peer: KnownPeer) => KnownPeer

export class PeerBook implements RecordOwner {
  readonly kinds = ['peer'] as const
  /** What others know of this agent that it does not know itself. */
  readonly self: Restored
  readonly #parts: PeerBookParts
  readonly #askers: Askers
  #peers = new Map<string, KnownPeer>()
  /** Ids by name in lower case. */
  #names = new Map<string, string>()
  /** Changed in memory only; written with the next flush. */
  readonly #unwritten = new Set<string>()
  /** When the newest answer of an agent was seen, in this process. */
  readonly #seenAt = new Map<string, number>()

  constructor(parts: PeerBookParts) {
    this.#parts = parts
    this.#askers = new Askers(parts.clock)
    this.self = new Restored(parts)
  }

  reset(): void {
    this.#peers = new Map()
    this.#names = new Map()
    this.self.reset()
    this.#unwritten.clear()
  }

  restore(record: StoredRecord): void {
    if (record.key === selfKey) {
      this.self.restore(record.value)
      return
    }
    this.#keep(readPeer(record.value))
  }

  ready(): void {
    for (const peer of this.#peers.values()) this.#showTrouble(peer)
    this.self.show()
  }

  /** Writes now and then what is kept in memory. @returns stops it */
  start(): Cancel {
    return this.#parts.timers.every(flushEvery, () => void this.flush().catch(this.#parts.onTrouble))
  }

  async flush(): Promise<void> {
    while (this.#unwritten.size > 0) {
      const ids = [...this.#unwritten].slice(0, mostPerFlush)
      // what changes from now on is for the next one
      for (const id of ids) this.#unwritten.delete(id)
      const write = (transaction: Transaction): void => {
        for (const id of ids) {
          const peer = this.#peers.get(id)
          if (peer !== undefined) transaction.put('peer', id, writePeer(peer))
        }
      }
      await this.#parts.writes.submit(write).catch((error: unknown) => {
        for (const id of ids) if (this.#peers.has(id)) this.#unwritten.add(id)
        throw error
      })
    }
  }

  get(id: string): KnownPeer | undefined {
    return this.#peers.get(id)
  }

  list(): readonly KnownPeer[] {
    return [...this.#peers.values()]
  }

  /**
   * An agent that has proved its key introduces itself. What is new is on disk before it is answered.
   * Refused: `peer_key_changed`, `too_many_requests` when there is no room for one more.
   */
  async meet(introduction: Introduction): Promise<Met> {
    const id = keyId(introduction.key)
    const known = this.#peers.get(id)
    const changed = this.#checkName(id, introduction.name, known)
    if (changed !== undefined) return await this.#reportKey(changed, introduction)
    if (known === undefined) return await this.#add(id, introduction)
    const peer = this.#note(id, (before) => this.#refresh(before, introduction))
    return { kind: 'met', peer: peer ?? known }
  }

  async approve(id: string, by: string): Promise<Met> {
    return await this.#judge(id, 'approved', by)
  }

  async deny(id: string, by: string): Promise<Met> {
    return await this.#judge(id, 'denied', by)
  }

  /** Whoever comes under this name or key next is new here. */
  async forget(id: string, by: string): Promise<{ readonly kind: 'forgotten' } | Refusal> {
    return await this.#parts.writes.submit((transaction) => {
      const peer = this.#peers.get(id)
      if (peer === undefined) return unknownPeer(id)
      transaction.journal({ type: 'peer.forgotten', facts: { peer: id, name: peer.name, by } })
      this.#remove(transaction, id)
      return { kind: 'forgotten' as const }
    })
  }

  /**
   * A signed answer of an agent. The newest is kept, to be presented when the agent later stands behind it (R24).
   * @returns whether it stands behind what it signed before
   */
  noteAnswer(id: string, now: Evidence): boolean {
    const peer = this.#peers.get(id)
    if (peer === undefined) return false
    const elapsed = this.#parts.clock.atLeast()
    const before = peer.seen
    if (before !== undefined && isBehind(now, before, elapsed - (this.#seenAt.get(id) ?? Number.NEGATIVE_INFINITY))) {
      if (peer.rolledBack?.start !== now.start) this.#reportRollback(peer, now)
      return true
    }
    if (before !== undefined && before.start === now.start && before.revision >= now.revision) return false
    this.#seenAt.set(id, elapsed)
    this.#note(id, ({ rolledBack: _, ...rest }) => ({ ...rest, seen: now }))
    if (peer.rolledBack !== undefined) this.#parts.health.clear('peer_rolled_back', id)
    return false
  }

  /** What to present to an agent that stands behind what it signed. */
  evidenceFor(id: string): Evidence | undefined {
    const peer = this.#peers.get(id)
    return peer?.rolledBack === undefined ? undefined : peer.seen
  }

  /**
   * A verified request of an agent: whether it can come from the one that asked before (R24).
   * `old`: of a start that is over, crossed with a request of the next one.
   */
  noteRequest(
    id: string,
    asked: { readonly start: string; readonly count: number; readonly seen: number },
  ): 'good' | 'old' | 'forked' {
    const peer = this.#peers.get(id)
    if (peer === undefined) return 'good'
    if (peer.forked !== undefined) return 'forked'
    const judged = this.#askers.judge(id, peer.asker, asked)
    if (judged === 'forked') this.#reportFork(peer)
    else if (judged === 'next') this.#note(id, (one) => ({ ...one, asker: { start: asked.start, count: asked.count } }))
    return judged === 'next' ? 'good' : judged
  }

  async #judge(id: string, approval: 'approved' | 'denied', by: string): Promise<Met> {
    return await this.#parts.writes.submit((transaction) => {
      const peer = this.#peers.get(id)
      if (peer === undefined) return unknownPeer(id)
      const step: Step = ({ forked: _, asker, rolledBack, ...rest }) => ({
        ...rest,
        approval,
        // the copy that asks next is the one that is meant
        ...(peer.forked === undefined && asker !== undefined ? { asker } : {}),
        ...(approval === 'denied' && rolledBack !== undefined ? { rolledBack } : {}),
      })
      transaction.put('peer', id, writePeer(step(peer)))
      transaction.journal({ type: `peer.${approval}`, facts: { peer: id, name: peer.name, by } })
      transaction.after(() => {
        if (peer.forked !== undefined) this.#askers.forget(id)
        this.#parts.health.clear('peer_forked', id)
        if (approval === 'approved') this.#parts.health.clear('peer_rolled_back', id)
        this.#note(id, step)
      })
      return { kind: 'met' as const, peer: step(peer) }
    })
  }

  #add(id: string, introduction: Introduction): Promise<Met> {
    return this.#parts.writes.submit(
      (transaction): Met => {
        const known = this.#peers.get(id)
        if (known !== undefined) return { kind: 'met', peer: known }
        if (this.#peers.size >= mostPeers && !this.#makeRoom(transaction))
          return refuse('too_many_requests', `${mostPeers} approved agents are known here already.`, { retryIn: 3600 })
        const wall = this.#parts.clock.wall()
        const asks = introduction.from !== undefined && this.#parts.asksForApproval()
        const peer = this.#refresh(
          {
            id,
            key: verifyingKey(introduction.key),
            name: introduction.name,
            approval: asks ? 'pending' : 'known',
            firstSeen: wall,
            lastSeen: wall,
            addresses: [],
          },
          introduction,
        )
        transaction.put('peer', id, writePeer(peer))
        const { name, approval } = peer
        transaction.journal({ type: 'peer.seen', facts: { peer: id, name, approval } })
        transaction.after(() => {
          this.#keep(peer)
          this.#parts.onChange?.(id)
        })
        return { kind: 'met', peer }
      },
      { growing: true },
    )
  }

  #refresh(before: KnownPeer, { name, address, from }: Introduction): KnownPeer {
    const addresses =
      address === undefined
        ? before.addresses
        : [address, ...before.addresses.filter((one) => one !== address)].slice(0, mostAddresses)
    const asks = from !== undefined && before.approval === 'known' && this.#parts.asksForApproval()
    return {
      ...before,
      name,
      addresses,
      lastSeen: this.#parts.clock.wall(),
      ...(asks ? { approval: 'pending' as const } : {}),
      ...(from === undefined ? {} : { from }),
    }
  }

  /** The agent that holds the name, when another one comes under it. */
  #checkName(id: string, name: string, known: KnownPeer | undefined): KnownPeer | undefined {
    if (known?.name === name) return undefined
    const holder = this.#peers.get(this.#names.get(name.toLowerCase()) ?? '')
    if (holder === undefined || holder.id === id || holder.approval === 'denied') return undefined
    const held = holder.approval === 'approved' || this.#parts.clock.wall() - holder.lastSeen < namesHeld
    return held ? holder : undefined
  }

  readonly #reported = new Set<string>()

  async #reportKey(holder: KnownPeer, { key, name }: Introduction): Promise<Refusal> {
    const id = keyId(key)
    const refusal = refuse(
      'peer_key_changed',
      `“${name}” is known here with the key ${shortGroups(holder.id)}; this one has ${shortGroups(id)}.`,
      { name, known: holder.id, agent: id },
    )
    // once, or whoever does it could fill the journal
    const report = `${holder.id}\n${id}`
    if (this.#reported.has(report) || this.#reported.size >= mostPeers) return refusal
    this.#reported.add(report)
    this.#parts.health.set('peer_key_changed', { name, known: shortGroups(holder.id), now: shortGroups(id) }, holder.id)
    this.#submit((transaction) =>
      transaction.journal({ type: 'peer.key_changed', facts: { name, known: holder.id, peer: id } }),
    )
    return refusal
  }

  #reportRollback(peer: KnownPeer, now: AnswerFacts): void {
    const at = this.#parts.clock.wall()
    this.#note(peer.id, (one) => ({ ...one, rolledBack: { at, start: now.start } }))
    const { id, name } = peer
    this.#showTrouble({ ...peer, rolledBack: { at, start: now.start } })
    const facts = { peer: id, name, count: now.count, revision: now.revision }
    const known = { knownCount: peer.seen?.count ?? 0, knownRevision: peer.seen?.revision ?? 0 }
    this.#submit((transaction) => transaction.journal({ type: 'peer.rolled_back', facts: { ...facts, ...known } }))
  }

  #reportFork(peer: KnownPeer): void {
    const { id, name } = peer
    const forked = { at: this.#parts.clock.wall() }
    this.#note(id, (one) => ({ ...one, forked }))
    this.#showTrouble({ ...peer, forked })
    this.#submit((transaction) => {
      const now = this.#peers.get(id)
      if (now !== undefined) transaction.put('peer', id, writePeer({ ...now, forked }))
      transaction.journal({ type: 'peer.forked', facts: { peer: id, name } })
    })
  }

  #showTrouble({ id, name, rolledBack, forked }: KnownPeer): void {
    if (rolledBack !== undefined) this.#parts.health.set('peer_rolled_back', { name }, id)
    if (forked !== undefined) this.#parts.health.set('peer_forked', { name }, id)
  }

  /** Unapproved agents go first, the one that was seen longest ago before the others; the administrator's word stays. */
  #makeRoom(transaction: Transaction): boolean {
    const forgettable = this.list()
      .filter(({ approval, forked }) => approval !== 'approved' && approval !== 'denied' && forked === undefined)
      .sort((one, other) => one.lastSeen - other.lastSeen)
    // more than one where several came in one batch
    const leaving = forgettable.slice(0, this.#peers.size - mostPeers + 1)
    for (const { id } of leaving) this.#remove(transaction, id)
    return leaving.length > 0
  }

  #remove(transaction: Transaction, id: string): void {
    transaction.delete('peer', id)
    transaction.after(() => {
      const peer = this.#peers.get(id)
      this.#peers.delete(id)
      this.#unwritten.delete(id)
      this.#seenAt.delete(id)
      this.#askers.forget(id)
      for (const code of ['peer_rolled_back', 'peer_forked', 'peer_key_changed'] as const)
        this.#parts.health.clear(code, id)
      const name = peer?.name.toLowerCase() ?? ''
      if (this.#names.get(name) === id) this.#names.delete(name)
      this.#parts.onChange?.(id)
    })
  }

  #note(id: string, step: Step): KnownPeer | undefined {
    const before = this.#peers.get(id)
    if (before === undefined) return undefined
    const peer = step(before)
    this.#keep(peer)
    this.#unwritten.add(id)
    if (peer.approval !== before.approval || peer.name !== before.name) this.#parts.onChange?.(id)
    return peer
  }

  #keep(peer: KnownPeer): void {
    const before = this.#peers.get(peer.id)
    if (before !== undefined && before.name !== peer.name && this.#names.get(before.name.toLowerCase()) === peer.id)
      this.#names.delete(before.name.toLowerCase())
    this.#peers.set(peer.id, peer)
    if (before?.name !== peer.name) this.#names.set(peer.name.toLowerCase(), peer.id)
  }

  #submit(job: (transaction: Transaction) => void): void {
    this.#parts.writes.submit(job).catch(this.#parts.onTrouble)
  }
}

function unknownPeer(id: string): Refusal {
  return refuse('unknown_peer', `No agent ${id} is known here.`)
}
