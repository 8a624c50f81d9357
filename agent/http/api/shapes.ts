/**
 * The JSON that the interface takes and gives, as zod schemas; types are derived from them. Here: what all share, sessions,
 * refusals. `license-shapes.ts` has licenses, documents, products; `agent-shapes.ts` health, configuration, journal, sign-in.
 * Requests are checked with these schemas; answers are described by them and checked in tests. A schema with an `id` in its
 * `meta` is a named component of the interface description; the names of generated clients come from there.
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
  limit: z.coerce.number().int().min(1).max(1000).default(100).describe('how many items at most'),
  cursor: z.string().max(255).optional().describe('the `next` of the page before; left out for the first page'),
})

// ---- sessions

export const managerName = z
  .strictObject({ id: identifier, name: z.string().describe('name of its machine') })
  .meta({ id: 'AgentName', description: 'An agent: its id, which never changes, and the name that people gave it' })
export const person = z.strictObject({
  account: text().optional().describe('account of the operating system, with its domain where it has one'),
  email: text().optional(),
  displayName: text().optional().describe('name as people write it'),
})
export const processName = z.strictObject({
  id: z.int().min(1).max(4294967295).optional().describe('process id on this machine'),
  name: text().optional(),
})
const nonce = z.string().regex(/^[A-Za-z0-9_-]{16,128}$/, 'must be 16 to 128 characters of base64url')

export const idempotencyKeyForm = /^[!-~]{16,128}$/
export const idempotencyKey = z.string().regex(idempotencyKeyForm)
export const longestSessionKey = 128
export const sessionKey = z.string().min(1).max(longestSessionKey)

export const openSession = z
  .strictObject({
    product: name(129).describe('vendor/product, or the product alone while one vendor has it'),
    feature: name(64).optional().describe('a feature of the product, where the license has such'),
    seats: z.int().min(1).max(1_000_000).default(1),
    user: person.optional().describe('who uses the application; people see it on the Sessions page'),
    host: text().optional().describe('name of the machine that the application runs on'),
    process: processName
      .optional()
      .describe('with the id of a process of this machine, its seat is back when it has gone'),
    application: text().optional().describe('name and version of the application'),
    nonce: nonce.optional().describe('asks for a proof; the first one becomes the binding of the session'),
    vendorKey: z
      .string()
      .max(64)
      .optional()
      .describe('thumbprint (RFC 7638) of the vendor key that the application trusts'),
    wait: z.int().min(0).max(300).optional().describe('seconds to wait in line for a seat'),
    activity: z
      .enum(['heartbeat', 'reported'])
      .default('heartbeat')
      .describe('what counts as activity: every heartbeat, or only what heartbeats report; then an idle session ends'),
  })
  .meta({ id: 'OpenSession' })
export type OpenSession = z.infer<typeof openSession>

export const heartbeat = z
  .strictObject({
    nonce: nonce.optional().describe('asks for a fresh proof'),
    active: z.boolean().optional().describe('the person did something since the last heartbeat'),
    activeAt: instant.optional().describe('when the person last did something'),
  })
  .meta({ id: 'Heartbeat' })
export type Heartbeat = z.infer<typeof heartbeat>

export const sessionSource = z
  .strictObject({
    kind: z
      .enum(['license', 'lease', 'detachment'])
      .describe('a license of this agent, a lease from another one, or a seat that was detached for travel'),
    manager: managerName,
  })
  .meta({ id: 'SessionSource', description: 'Where the seat comes from' })

/** The answer to a heartbeat. */
export const keptSession = z
  .strictObject({
    id: identifier.describe('public; names the session in every later call'),
    product: z.string().describe('vendor/product'),
    feature: z.string().optional(),
    seats: count,
    state: z.literal('active'),
    source: sessionSource,
    startedAt: instant,
    expiresAt: instant.describe('when the seat is lost unless a heartbeat comes before'),
    expiresIn: seconds.describe('seconds until then'),
    renewIn: seconds.describe('seconds until the next heartbeat is due'),
    idleEndsAt: instant.optional().describe('when the session ends unless activity is reported before'),
    proof: z.array(z.string()).optional().describe('compact signed documents, from the license to the assertion'),
    proofUnavailable: z
      .literal('not_activated')
      .optional()
      .describe('why there is no proof although one was asked for'),
  })
  .meta({ id: 'KeptSession' })
export type KeptSession = z.infer<typeof keptSession>
/** The answer to opening: with the key, the right to keep and end the session. */
export const openedSession = z
  .strictObject({
    ...keptSession.shape,
    key: identifier.describe('secret; goes into the Session-Key header to keep and to end the session'),
  })
  .meta({ id: 'OpenedSession' })
export type OpenedSession = z.infer<typeof openedSession>

export const sessionStates = ['active', 'ending', 'ended'] as const
export const session = z
  .strictObject({
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
    agent: managerName
      .optional()
      .describe('the agent that holds the seat for the application, where it is another one'),
    license: identifier.optional().describe('id of the license that the seat is of'),
    source: sessionSource,
    startedAt: instant,
    expiresAt: instant,
    expiresIn: seconds,
    idleEndsAt: instant.optional(),
    freeAt: instant.optional().describe('while ending: when the seat is free at the latest'),
    actions: z.array(z.enum(['disconnect', 'free-now'])).describe('what an administrator can do with it now'),
  })
  .meta({ id: 'Session', description: 'The use of one or more seats by one application' })
export type Session = z.infer<typeof session>

export const sessionQuery = z.strictObject({
  ...pageQuery.shape,
  product: text().optional().describe('only of this product'),
  user: text().optional().describe('only of this user: account, e-mail or name'),
  host: text().optional().describe('only of this machine'),
  state: z.enum(sessionStates).optional(),
})
export type SessionQuery = z.infer<typeof sessionQuery>

export const disconnect = z
  .strictObject({
    reason: text().optional().describe('why, for the journal'),
    freeNow: z
      .boolean()
      .default(false)
      .describe('give the seat to others at once, although the application may still run; recorded as an overlap'),
  })
  .meta({ id: 'Disconnect' })
export type Disconnect = z.infer<typeof disconnect>
export const overlap = z
  .strictObject({ seats: count, until: instant })
  .meta({ id: 'Overlap', description: 'Seats that may be in use beyond the licensed ones, and until when' })
export const disconnected = z
  .strictObject({
    ended: z.enum(['confirmed', 'ending']).describe('confirmed: the seat is free; ending: the application is told'),
    freeAt: instant.describe('when the seat is free, at the latest'),
    overlap: overlap.optional(),
  })
  .meta({ id: 'Disconnected' })
export type Disconnected = z.infer<typeof disconnected>

export const queuePosition = z
  .strictObject({
    position: z.int().positive().describe('1 is the next to get a seat'),
    product: z.string(),
    feature: z.string().optional(),
    seats: count,
    user: person.optional(),
    host: z.string().optional(),
    since: instant,
    until: instant.describe('when it stops waiting'),
  })
  .meta({ id: 'QueuePosition' })
export type QueuePosition = z.infer<typeof queuePosition>

// ---- why a seat was refused

export const holder = z.strictObject({
  user: z.string().optional().describe('name or initials, by the privacy setting'),
  host: z.string().optional(),
  application: z.string().optional(),
  seats: count,
  startedAt: instant,
})
export const explanation = z
  .strictObject({
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
  .meta({ id: 'Explanation', description: 'Why there is no seat: who has them, and who was asked' })
export type Explanation = z.infer<typeof explanation>

// ---- refusals

export const fieldProblem = z.strictObject({
  field: z.string().describe('path of the field, such as user.email'),
  message: z.string().describe('what is wanted'),
})
export type FieldProblem = z.infer<typeof fieldProblem>
/** RFC 9457. Further members depend on the code. */
export const problem = z
  .looseObject({
    type: z.string().describe('urn:leasehold:problem: and the code'),
    title: z.string().describe('what is the matter; the same for every problem of this code'),
    status: z.int().describe('the HTTP status again'),
    code: z.string().describe('stable; the member that programs decide by'),
    detail: z.string().describe('what exactly, in this case'),
    help: z.string().describe('what can be done about it'),
    requestId: z.string().describe('finds the request in the log of the agent'),
    fields: z.array(fieldProblem).optional().describe('every wrong field, with invalid_request'),
    retryIn: seconds.optional().describe('seconds after which it is worth asking again'),
    explanation: explanation.optional(),
    reason: z.enum(endReasons).optional().describe('why the session ended, with session_ended'),
  })
  .meta({ id: 'Problem', description: 'A refusal, by RFC 9457. Further members depend on the code' })
export type Problem = z.infer<typeof problem>
