/**
 * What is remembered of another agent, and its form in the store. Pure: decides whether what an agent says about its starts and
 * revisions can be the same agent as before (R24). Must not import owners.
 */
import { z } from 'zod'
import { type PublicJwk, publicJwk, type VerifyingKey, verifyingKey } from '../domain/documents/keys.ts'
import type { AnswerFacts, Evidence } from '../domain/peer-signature.ts'
import type { JsonValue } from '../store/store.ts'

/**
 * `pending` waits for an administrator; `known` was met while nobody asked for approvals. `approved` and `denied` are the
 * administrator's word and are never forgotten by themselves.
 */
export const approvals = ['known', 'pending', 'approved', 'denied'] as const
export type Approval = (typeof approvals)[number]

const start = z.strictObject({ start: z.string(), count: z.number() })
const evidence = z.strictObject({
  start: z.string(),
  count: z.number(),
  revision: z.number(),
  time: z.number(),
  base: z.string(),
  signature: z.string(),
})

const peerRecord = z.strictObject({
  key: publicJwk,
  name: z.string(),
  approval: z.enum(approvals),
  firstSeen: z.number(),
  lastSeen: z.number(),
  addresses: z.array(z.string()),
  from: z.string().optional(),
  asker: start.optional(),
  seen: evidence.optional(),
  rolledBack: z.strictObject({ at: z.number(), start: z.string() }).optional(),
  forked: z.strictObject({ at: z.number() }).optional(),
})

/** Another agent, by its key. Times are wall time in ms, for people. */
export interface KnownPeer {
  readonly id: string
  readonly key: VerifyingKey
  /** What it calls itself. */
  readonly name: string
  readonly approval: Approval
  readonly firstSeen: number
  readonly lastSeen: number
  /** `host:port` where it answered, the last one first. */
  readonly addresses: readonly string[]
  /** The address that it asked from last. */
  readonly from?: string
  /** Which start of it asked here last. */
  readonly asker?: { readonly start: string; readonly count: number }
  /** Where it stood by its newest signed answer. */
  readonly seen?: Evidence
  /** It stands behind what it signed: a copy of an earlier state (R24). */
  readonly rolledBack?: { readonly at: number; readonly start: string }
  /** Two copies of it ask here: neither is renewed until an administrator confirms one (R24). */
  readonly forked?: { readonly at: number }
}

export function writePeer(peer: KnownPeer): JsonValue {
  const { id: _, key, seen, asker, ...rest } = peer
  const record: z.input<typeof peerRecord> = { ...rest, addresses: [...rest.addresses], key: { ...key.jwk } }
  if (seen !== undefined) record.seen = { ...seen }
  if (asker !== undefined) record.asker = { ...asker }
  return record as JsonValue
}

export function readPeer(value: unknown): KnownPeer {
  const { key, ...rest } = peerRecord.parse(value) as Omit<KnownPeer, 'id' | 'key'> & { key: PublicJwk }
  const verifying = verifyingKey(key)
  return { ...rest, id: verifying.id, key: verifying }
}

/** Numbers of one start may come out of order while answers cross each other. */
export const orderTolerance = 60_000

/**
 * Whether an agent that stood at `before` can stand at `now` (R24).
 * @param age ms since `before` was seen
 */
export function isBehind(now: AnswerFacts, before: AnswerFacts, age: number): boolean {
  if (now.start === before.start && now.count === before.count)
    return now.revision < before.revision && age > orderTolerance
  return now.count <= before.count || now.revision < before.revision
}
