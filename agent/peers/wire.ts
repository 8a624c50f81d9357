/**
 * What agents say to each other under `/peer/v1`, as shapes: requests, answers, events. The one place where the words of the
 * wire are; both sides check by it. Imports the domain's fields only.
 */
import { z } from 'zod'
import {
  bytes32,
  countKeySchema,
  countRule,
  instanceId,
  productName,
  seats,
  secureUrl,
  shortName,
  title,
} from '../domain/documents/fields.ts'
import { publicJwk } from '../domain/documents/keys.ts'

/** Versions of this interface that we speak, newest first. Both sides take the highest that both list. */
export const peerVersions = [1] as const

/** Opaque id of a lease or detachment, made by who asks for it. */
export const peerId = z.string().regex(/^[A-Za-z0-9_-]{16,64}$/, 'must be 16 to 64 letters, digits, - or _')
const text = (most: number) => z.string().max(most)
// Control characters, lone surrogates, and the marks that reverse the direction of text (they make a name show as another).
const unshowable = /[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]/gu
/** What people are shown of another agent: characters that can't be shown are stripped. */
const shown = (most: number) => text(most).overwrite((value) => value.replace(unshowable, ''))
const compact = text(64 * 1024)
/** Whole seconds. */
const duration = z
  .int()
  .min(0)
  .max(10 * 366 * 86_400)
const anyProduct = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}\/\*$/, 'must be vendor/*')
const startId = z.string().regex(/^[A-Za-z0-9_-]{8,64}$/)

/** `GET hello`: who answers here. Not signed by the caller; the answer is signed by the agent's key. */
export const helloSchema = z.object({
  agent: bytes32,
  key: publicJwk,
  name: text(64),
  version: text(64),
  versions: z.array(z.int().min(1).max(1000)).min(1).max(16),
  startId,
  startCounter: z.int().min(0),
  /** Wall time in ms, for the displayed difference of the clocks and for R13. */
  time: z.number(),
  /** Compact JWS of type `leasehold-statement`. */
  statement: compact,
})
export type Hello = z.output<typeof helloSchema>

/** What an agent offers of one product: the pool that it can lease on. */
export const offerSchema = z.object({
  /** `vendor/*`: only seats that fit any product of the vendor; they are its `seats` then. */
  product: z.union([productName, anyProduct]),
  title: title.optional(),
  /** Key id of the vendor that signed. */
  vendorKey: bytes32,
  features: z.array(z.object({ name: shortName, seats: seats.nullable() })).max(1000),
  seats: z.int().min(0),
  used: z.int().min(0),
  detached: z.int().min(0),
  notDetachable: z.int().min(0),
  detachable: z.int().min(0),
  maxDetachDays: z.int().min(0),
  /** Any-product seats of the vendor that also fit; counted apart. */
  anySeats: z.int().min(0),
  anyUsed: z.int().min(0),
  rule: countRule,
  waiting: z.int().min(0),
  /** ISO 8601. */
  nextReturnAt: text(40).optional(),
  /** Ids of the licenses, so that two agents that serve the same license see it (I15). */
  licenses: z
    .array(z.object({ id: text(64), model: text(32), endsAt: text(40).optional(), seats: z.int().min(0) }))
    .max(1000),
  /** Agents over which the seats come, the root first; an agent in it must not ask for them. Empty: licenses of its own. */
  chain: z.array(bytes32).max(8),
  links: z.record(z.string().max(16), secureUrl).optional(),
})
export type Offer = z.output<typeof offerSchema>

/** `GET offers`. */
export const offersSchema = z.object({
  instance: instanceId,
  /** `open`: gives out; otherwise the code that says why not. */
  serving: z.enum([
    'open',
    'handing_out_disabled',
    'serving_stopped',
    'remote_access_off',
    'approval_pending',
    'denied_by_rule',
  ]),
  offers: z.array(offerSchema).max(5000),
  /** Detachments that were made for who asks and are not taken yet. */
  detachments: z.array(peerId).max(100).optional(),
})
export type Offers = z.output<typeof offersSchema>

/** `GET peers`: agents that this one knows and has reached. */
export const peersSchema = z.object({
  peers: z.array(z.object({ agent: bytes32, name: text(64), addresses: z.array(text(300)).max(16) })).max(1000),
})
export type Peers = z.output<typeof peersSchema>

/** Who uses the seat, as the agent of the application saw it. */
export const peerWhoSchema = z.object({
  account: shown(255).optional(),
  email: shown(255).optional(),
  displayName: shown(255).optional(),
  host: shown(255).optional(),
  processId: z.int().min(0).optional(),
  processName: shown(255).optional(),
  application: shown(255).optional(),
})

/** `PUT leases/{id}`. The same id again is a renewal (R14); with another body 422 `id_conflict`. */
export const leaseAskSchema = z.strictObject({
  /** The license server that is meant; absent = the agent's own. */
  instance: instanceId.optional(),
  product: productName,
  /** The lease serves only this feature; absent = only sessions that name none. */
  feature: shortName.optional(),
  seats,
  /**
   * `session`: for one application, under its count key; all seats or none.
   * `reserve`: keyless, as many of the seats as there are, for many (R17).
   */
  purpose: z.enum(['session', 'reserve']),
  /** What the seat is counted by: the agent that the application runs at, and its process where that agent saw it (R18). */
  agent: bytes32,
  process: z.strictObject({ boot: text(128), id: z.int().min(0), startedAt: text(64) }).optional(),
  who: peerWhoSchema,
  /** Name of the machine that asks, for people. */
  machine: shown(64),
  /** Agents that the request came through, the first one first, the sender last (R21). */
  chain: z.array(bytes32).min(1).max(8),
  /** Only seats of this vendor's key. */
  vendorKey: bytes32.optional(),
  /** Stand in line for so many seconds; without it a refusal comes at once. Repeat the request to keep the place. */
  wait: z.int().min(0).max(300).optional(),
})
export type LeaseAsk = z.output<typeof leaseAskSchema>

/** A lease that was granted, whole: enough for the holder to make a supply of it and to prove sessions. */
export const leaseGrantSchema = z.object({
  id: peerId,
  product: productName,
  feature: shortName.optional(),
  /** The seats are any-product seats of the license. */
  any: z.literal(true).optional(),
  title: title.optional(),
  seats,
  /** The license at the root. */
  license: text(64),
  rule: countRule,
  /** The lease serves only this key (R17). */
  key: countKeySchema.optional(),
  leaseSeconds: z.int().min(20).max(86_400),
  /** Seconds for which it is promised, counted from before the request was sent; `freeIn` until the seat may be reused. */
  expiresIn: duration,
  freeIn: duration,
  renewIn: duration,
  /** Over how many further agents it may go. */
  depth: z.int().min(0).max(4),
  /** Agents over which it came, the root first, the answering one last. */
  chain: z.array(bytes32).min(1).max(8),
  overlap: z.boolean(),
  /** License and activation, then the leases down to this one; empty where the license gives no proof. */
  proof: z.array(compact).max(8),
  /** It was granted from the line: promised for a moment only until it is asked for again or renewed (R30). */
  offered: z.literal(true).optional(),
})
export type LeaseGrant = z.output<typeof leaseGrantSchema>

/** 202: stands in line. */
export const leaseQueuedSchema = z.object({ position: z.int().min(1), waiting: z.int().min(1), retryIn: duration })
export type LeaseQueued = z.output<typeof leaseQueuedSchema>

export const mostRenewals = 500

/** `POST renewals`. Each is answered separately. */
export const renewalsAskSchema = z.strictObject({ leases: z.array(peerId).min(1).max(mostRenewals) })
export type RenewalsAsk = z.output<typeof renewalsAskSchema>

export const renewalsAnswerSchema = z.object({
  /** License and activation of the proofs below, by a name of this answer. */
  roots: z.record(z.string().max(64), z.array(compact).max(2)),
  results: z
    .array(
      z.discriminatedUnion('outcome', [
        z.object({
          id: peerId,
          outcome: z.literal('renewed'),
          seats,
          expiresIn: duration,
          freeIn: duration,
          renewIn: duration,
          /** The proof anew: a name of `roots`, and the leases below it. Absent: no proof. */
          root: z.string().max(64).optional(),
          leases: z.array(compact).max(6).optional(),
        }),
        /** It is over or ending; it must be confirmed by DELETE once nothing lives on it (R5). */
        z.object({ id: peerId, outcome: z.literal('ended'), reason: text(64) }),
        z.object({ id: peerId, outcome: z.literal('unknown') }),
        /** Not answered this time: ask again soon. */
        z.object({ id: peerId, outcome: z.literal('later'), retryIn: duration }),
      ]),
    )
    .max(mostRenewals),
  /** The same facts as on the events stream, for who has none open. */
  news: z.array(z.lazy(() => peerEventSchema)).max(1000),
})
export type RenewalsAnswer = z.output<typeof renewalsAnswerSchema>

/** Server-sent on `GET events`: the event's name is `kind`, its data the rest. */
export const peerEventSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ended'), lease: peerId, reason: text(64) }),
  /** A lease that stands in line was granted for a moment; ask for the same id again before `expiresIn` seconds are over. */
  z.object({ kind: z.literal('seat-offered'), request: peerId, expiresIn: duration }),
  z.object({ kind: z.literal('detachment-ready'), detachment: peerId }),
  /** Seats of a product have changed; `wanted`: somebody waits, so idle leases of it should come back (R32). */
  z.object({ kind: z.literal('counts'), product: productName, wanted: z.boolean() }),
  /** What the manager permits has changed: ask for the offers again. */
  z.object({ kind: z.literal('policy') }),
])
export type PeerEvent = z.output<typeof peerEventSchema>

/** A refusal on the wire: problem+json with what `errors.ts` has for the code. */
export const peerProblemSchema = z.object({
  code: text(64),
  detail: shown(2000).optional(),
  retryIn: duration.optional(),
  /** The rule that refused, as it is written. */
  rule: text(2000).optional(),
  /** `no_seats`: the most seats one lease could have now. */
  largest: z.int().min(0).optional(),
  reason: text(64).optional(),
  /** Of a detachment: the latest date and the most seats that would be allowed, and the machine where it is switched off. */
  latest: text(40).optional(),
  maxDays: z.int().min(0).optional(),
  after: text(40).optional(),
  detachable: z.int().min(0).optional(),
  machine: shown(64).optional(),
  /** What the two clocks say, and by how many minutes they differ. */
  here: text(40).optional(),
  there: text(40).optional(),
  minutes: z.int().min(0).optional(),
  /** As `ManagerView` of the explanation. */
  explanation: z.unknown().optional(),
})
export type PeerProblem = z.output<typeof peerProblemSchema>
