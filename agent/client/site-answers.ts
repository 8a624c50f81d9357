/**
 * What the site kit reads in the answers of an agent: only what it needs, since the agent may be newer than it. Pure; imports
 * nothing of ours.
 */
import { z } from 'zod'

export const siteStart = z.object({ asked: z.number(), taken: z.number() })

export const signedIn = z
  .object({
    id: z.string(),
    access: z.enum(['full', 'administration', 'none']),
    /** Seconds; no seat is promised for more than a day. */
    expiresIn: z.number().min(0).max(86_400).optional(),
    code: z.string().optional(),
    detail: z.string().optional(),
    retryIn: z.number().min(0).optional(),
  })
  .transform((one) => ({ kind: 'answered' as const, ...one }))
export type Answered = z.output<typeof signedIn>

export const activityAnswer = z.object({ items: z.array(signedIn) })
