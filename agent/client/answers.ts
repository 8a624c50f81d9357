/**
 * What a client reads in the answers of an agent: only what it needs, since the agent may be newer than it.
 * Pure; imports nothing of ours.
 */
import { z } from 'zod'

/** Seconds that an agent may promise: no session is promised for more than a day. */
const seconds = z.number().min(0).max(86_400)

const holder = z.looseObject({
  user: z.string().optional(),
  host: z.string().optional(),
  application: z.string().optional(),
  seats: z.number(),
  startedAt: z.string(),
})

export const explanation = z.looseObject({
  managers: z.array(
    z.looseObject({
      name: z.string(),
      product: z.string(),
      seats: z.number(),
      used: z.number(),
      nextReturnAt: z.string().optional(),
      holders: z.array(holder).optional(),
    }),
  ),
  asked: z.array(z.looseObject({ manager: z.looseObject({ name: z.string() }), detail: z.string() })).optional(),
  rule: z.string().optional(),
})
export type Explanation = z.infer<typeof explanation>

/** A refusal (RFC 9457). What is not understood of the optional parts is left out: the code and the sentence count. */
export const problem = z.looseObject({
  code: z.string(),
  detail: z.string(),
  title: z.string().optional().catch(undefined),
  help: z.string().optional().catch(undefined),
  status: z.number().optional().catch(undefined),
  fields: z
    .array(z.looseObject({ field: z.string(), message: z.string() }))
    .optional()
    .catch(undefined),
  retryIn: z.number().min(0).optional().catch(undefined),
  explanation: explanation.optional().catch(undefined),
  reason: z.string().optional().catch(undefined),
  vendor: z.string().optional().catch(undefined),
  fingerprint: z.string().optional().catch(undefined),
})
export type Problem = z.infer<typeof problem>

const sessionFacts = {
  source: z
    .looseObject({
      kind: z.enum(['license', 'lease', 'detachment']),
      manager: z.looseObject({ id: z.string(), name: z.string() }),
    })
    .optional()
    .catch(undefined),
  idleEndsAt: z.iso.datetime().optional().catch(undefined),
  proof: z.array(z.string()).optional().catch(undefined),
  proofUnavailable: z.string().optional().catch(undefined),
}

export const keptSeat = z.looseObject({ expiresIn: seconds, renewIn: seconds, ...sessionFacts })
export type KeptSeat = z.infer<typeof keptSeat>

export const openedSeat = z.looseObject({
  id: z.string().min(1),
  key: z.string().min(1),
  product: z.string(),
  feature: z.string().optional(),
  seats: z.number(),
  expiresIn: seconds,
  renewIn: seconds,
  ...sessionFacts,
})
export type OpenedSeat = z.infer<typeof openedSeat>

/** A session as everybody sees it. */
export const seenSession = z.looseObject({ state: z.string(), reason: z.string().optional().catch(undefined) })

export const waitingLine = z.looseObject({
  items: z.array(
    z.looseObject({
      position: z.number(),
      product: z.string(),
      user: z.looseObject({ account: z.string().optional() }).optional(),
      host: z.string().optional(),
      since: z.string(),
    }),
  ),
})
export type WaitingLine = z.infer<typeof waitingLine>
