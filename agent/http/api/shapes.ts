/**
 * The JSON that the interface takes and gives, as zod schemas; types are derived from them. Here: what all share, sessions,
 * refusals. `license-shapes.ts` has licenses, documents, products; `agent-shapes.ts` health, configuration, journal, sign-in.
 * Requests are checked with these schemas; answers are described by them and checked in tests.
 * Must not import anything of ours but the error table.
 */
import { z } from 'zod'
import { endReasons } from '../../errors.ts'

// Control characters, lone surrogates, and the marks that reverse the direction of text (they make a name show as another).
const unshowable = /[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]/gu

/** Text for people from outside: characters that can't be shown are stripped, the length is capped. */
export function text(most = 255) {
  return z
    .string()
    .max(most)
    .overwrite((value) => value.replace(unshowable, ''))
}
/** As `text`, and something must be left of it. */
export function name(most = 255) {
  return text(most).refine((value) => value.trim() !== '', 'must not be empty')
}

export const instant = z.iso.datetime().describe('UTC, ISO 8601')
export const seconds = z.int().nonnegative().describe('seconds')
export const count = z.int().nonnegative()
export const identifier = z.string().min(1).max(255)

export const opaqueId = z.string().regex(/^[A-Za-z0-9_-]{1,128}$/, 'must be an id of 1 to 128 letters, digits, - and _')
export const productId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,63}(\/[a-z0-9][a-z0-9._-]{0,63})?$/, 'must be vendor/product')

// ---- what comes in lists

export function list<Item extends z.ZodType>(item: Item) {
  return z.strictObject({
    items: z.array(item),
    total: count.describe('how many there are with these filters, on all pages'),
    next: z.string().optional().describe('cursor of the next page; absent on the last'),
  })
}
export interface List<Item> {
  readonly items: readonly Item[]
  readonly total: number
  readonly next?: string | undefined
}

export const pageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: z.string().max(255).optional(),
})

// ---- sessions

export const managerName = z.strictObject({ id: identifier, name: z.string() })
export const person = z.strictObject({
  account: text().optional().describe('account of the operating system, with its domain where it has one'),
  email: text().optional(),
  displayName: text().optional(),
})
export const processName = z.strictObject({ id: z.int().min(1).max(4294967295).optional(), name: text().optional() })
const nonce = z.string().regex(/^[A-Za-z0-9_-]{16,128}$/, 'must be 16 to 128 characters of base64url')

export const openSession = z.strictObject({
  product: name(129).describe('vendor/product, or the product alone while one vendor has it'),
  feature: name(64).optional(),
  seats: z.int().min(1).max(1_000_000).default(1),
  user: person.optional(),
  host: text().optional(),
  process: processName.optional(),
  application: text().optional(),
  nonce: nonce.optional().describe('asks for a proof; the first one becomes the binding of the session'),
  vendorKey: z
    .string()
    .max(64)
    .optional()
    .describe('thumbprint (RFC 7638) of the vendor key that the application trusts'),
  wait: z.int().min(0).max(300).optional().describe('seconds to wait in line for a seat'),
  activity: z.enum(['heartbeat', 'reported']).default('heartbeat'),
})
export type OpenSession = z.infer<typeof openSession>

export const heartbeat = z.strictObject({
  nonce: nonce.optional(),
  active: z.boolean().optional().describe('the person did something since the last heartbeat'),
  activeAt: instant.optional().describe('when the person last did something'),
})
export type Heartbeat = z.infer<typeof heartbeat>

export const sessionSource = z.strictObject({ kind: z.enum(['license', 'lease', 'detachment']), manager: managerName })

/** The answer to a heartbeat. */
export const keptSession = z.strictObject({
  id: identifier,
  product: z.string(),
  feature: z.string().optional(),
  seats: count,
  state: z.literal('active'),
  source: sessionSource,
  startedAt: instant,
  expiresAt: instant,
  expiresIn: seconds,
  renewIn: seconds,
  idleEndsAt: instant.optional(),
  proof: z.array(z.string()).optional().describe('compact signed documents, from the license to the assertion'),
  proofUnavailable: z.literal('not_activated').optional(),
})
export type KeptSession = z.infer<typeof keptSession>
/** The answer to opening: with the key, the right to keep and end the session. */
export const openedSession = z.strictObject({ ...keptSession.shape, key: identifier })
export type OpenedSession = z.infer<typeof openedSession>

export const sessionStates = ['active', 'ending', 'ended'] as const
export const session = z.strictObject({
  id: identifier,
  product: z.string(),
  title: z.string().optional().describe('title of the product'),
  feature: z.string().optional(),
  seats: count,
  state: z.enum(sessionStates),
  reason: z.enum(endReasons).optional().describe('why it ends or ended'),
  user: person,
  host: z.string().optional(),
  process: processName.optional(),
  application: z.string().optional(),
  address: z.string().describe('network address that the request came from'),
  license: identifier.optional().describe('id of the license that the seat is of'),
  source: sessionSource,
  startedAt: instant,
  expiresAt: instant,
  expiresIn: seconds,
  idleEndsAt: instant.optional(),
  freeAt: instant.optional().describe('while ending: when the seat is free at the latest'),
  actions: z.array(z.enum(['disconnect', 'free-now'])).describe('what an administrator can do with it now'),
})
export type Session = z.infer<typeof session>

export const sessionQuery = z.strictObject({
  ...pageQuery.shape,
  product: text().optional(),
  user: text().optional(),
  host: text().optional(),
  state: z.enum(sessionStates).optional(),
})
export type SessionQuery = z.infer<typeof sessionQuery>

export const disconnect = z.strictObject({ reason: text().optional(), freeNow: z.boolean().default(false) })
export type Disconnect = z.infer<typeof disconnect>
export const overlap = z.strictObject({ seats: count, until: instant })
export const disconnected = z.strictObject({
  ended: z.enum(['confirmed', 'ending']),
  freeAt: instant,
  overlap: overlap.optional(),
})
export type Disconnected = z.infer<typeof disconnected>

export const queuePosition = z.strictObject({
  position: z.int().positive(),
  product: z.string(),
  feature: z.string().optional(),
  seats: count,
  user: person.optional(),
  host: z.string().optional(),
  since: instant,
  until: instant.describe('when it stops waiting'),
})
export type QueuePosition = z.infer<typeof queuePosition>

// ---- why a seat was refused

export const holder = z.strictObject({
  user: z.string().optional().describe('name or initials, by the privacy setting'),
  host: z.string().optional(),
  application: z.string().optional(),
  seats: count,
  startedAt: instant,
})
export const explanation = z.strictObject({
  managers: z.array(
    z.strictObject({
      ...managerName.shape,
      product: z.string(),
      seats: count,
      used: count,
      detached: count,
      notDetachable: count,
      nextReturnAt: instant.optional().describe('absent when all holders renew'),
      holders: z.array(holder).optional(),
    }),
  ),
  asked: z.array(
    z.strictObject({ manager: managerName, outcome: z.string(), detail: z.string(), ms: z.number().nonnegative() }),
  ),
  rule: z.string().optional().describe('the rule that refused, as it is written'),
})
export type Explanation = z.infer<typeof explanation>

// ---- refusals

export const fieldProblem = z.strictObject({
  field: z.string().describe('path of the field, such as user.email'),
  message: z.string(),
})
export type FieldProblem = z.infer<typeof fieldProblem>
/** RFC 9457. Further members depend on the code. */
export const problem = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string(),
  help: z.string(),
  requestId: z.string(),
  fields: z.array(fieldProblem).optional(),
  retryIn: seconds.optional(),
  explanation: explanation.optional(),
  reason: z.enum(endReasons).optional(),
})
export type Problem = z.infer<typeof problem>
