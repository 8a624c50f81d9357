/**
 * The receiving end of one agent without a network, and senders that sign whatever a test wants.
 */
import type { SigningKey } from '../../agent/domain/documents/keys.ts'
import { contentDigest } from '../../agent/domain/http-signature.ts'
import {
  type Evidence,
  type RequestFacts,
  requestHeader,
  signRequest,
  writeEvidence,
  writeName,
} from '../../agent/domain/peer-signature.ts'
import { Health } from '../../agent/health.ts'
import { PeerBook } from '../../agent/peers/peer-book.ts'
import { type Admission, type IncomingRequest, PeerDoor } from '../../agent/peers/peer-door.ts'
import { ManualClock } from '../helpers/manual-clock.ts'
import { ManualWrites } from '../helpers/manual-writes.ts'
import { makeKey, randomId } from './peer-agent.ts'

export interface Sending {
  readonly method?: string
  readonly target?: string
  readonly body?: string
  readonly key?: SigningKey
  readonly facts?: Partial<RequestFacts>
  /** Whole seconds by which the time is off. */
  readonly off?: number
  readonly nonce?: string
  readonly via?: string
  readonly evidence?: Evidence
  readonly address?: string
}

export class DoorStand {
  readonly key = makeKey()
  readonly sender = makeKey()
  readonly clock = new ManualClock()
  readonly writes = new ManualWrites()
  readonly health = new Health(this.clock)
  readonly book: PeerBook
  readonly door: PeerDoor
  startId = 'start-of-manager'
  count = 5
  revision = 100
  approvals = false

  constructor() {
    this.book = new PeerBook({
      writes: this.writes,
      clock: this.clock,
      timers: this.clock,
      asksForApproval: () => this.approvals,
      health: this.health,
      onTrouble: (error) => {
        throw error
      },
    })
    this.writes.load(this.book)
    this.door = new PeerDoor({
      agent: this.key,
      startId: this.startId,
      startCounter: () => this.count,
      revision: () => this.revision,
      clock: this.clock,
      book: this.book,
    })
  }

  /** The clock of the signatures, in ms; it began with the wall and runs as time passes. */
  now(): number {
    const [, time = ''] = /time=(\d+)/.exec(this.door.sign(200, '', undefined)['leasehold-answer'] ?? '') ?? []
    return Number(time)
  }

  sign(sending: Sending = {}): IncomingRequest {
    const { method = 'PUT', target = '/peer/v1/leases/one', body = '{}', key = this.sender, off = 0 } = sending
    const facts: RequestFacts = {
      to: this.key.id,
      start: this.startId,
      key: key.jwk.x,
      name: writeName(`WS-${key.id.slice(0, 6)}`),
      'from-start': 'start-of-sender',
      'from-count': 1,
      seen: this.revision,
      ...sending.facts,
    }
    const created = Math.floor(this.now() / 1000) + off
    const nonce = sending.nonce ?? randomId()
    const headers = signRequest({ method, target, digest: contentDigest(body), facts, created, nonce }, key)
    return {
      method,
      target,
      body: Buffer.from(body),
      address: sending.address ?? '192.0.2.7',
      digest: headers['content-digest'],
      facts: headers[requestHeader],
      signatureInput: headers['signature-input'],
      signature: headers.signature,
      via: sending.via ?? '',
      evidence: sending.evidence === undefined ? '' : writeEvidence(sending.evidence),
    }
  }

  send(sending: Sending = {}, changes: Partial<IncomingRequest> = {}): Promise<Admission> {
    return this.door.admit({ ...this.sign(sending), ...changes })
  }

  /** `admitted`, or the code of the refusal, with a star where its answer is signed. */
  async outcome(sending: Sending = {}, changes: Partial<IncomingRequest> = {}): Promise<string> {
    const admission = await this.send(sending, changes)
    return admission.kind === 'admitted' ? 'admitted' : `${admission.refusal.code}${admission.signed ? '*' : ''}`
  }

  entries(type: string) {
    return this.writes.journal.filter((one) => one.type === type)
  }
}
