/**
 * What the verbs about detaching read in the answers of an agent, and how they tell it. Pure; imports only what clients read.
 */
import { z } from 'zod'
import { duration, exactTime, plural } from './show.ts'

const named = z.looseObject({ id: z.string(), name: z.string() })

export const detachment = z.looseObject({
  id: z.string(),
  direction: z.string(),
  state: z.string(),
  product: z.string(),
  feature: z.string().optional(),
  seats: z.number(),
  manager: named,
  recipient: z.looseObject({ name: z.string(), fingerprint: z.string() }),
  version: z.number(),
  soft: z.boolean(),
  until: z.string(),
  endsIn: z.number(),
  freeAt: z.string().optional(),
})
export type Detachment = z.infer<typeof detachment>
export const detachments = z.looseObject({
  items: z.array(detachment),
  total: z.number(),
  next: z.string().optional(),
})
export const madeDetachment = z.looseObject({ detachment, block: z.string().optional() })
export const detachPlan = z.looseObject({
  product: z.string(),
  seats: z.number(),
  manager: named,
  recipient: z.looseObject({ name: z.string() }),
  until: z.string(),
  cut: z.boolean(),
  latest: z.string().optional(),
  freeAt: z.string().optional(),
})
export const returnedDetachment = z.looseObject({ state: z.string(), detachment })
export const returnReceipt = z.looseObject({ receipt: z.string(), fingerprint: z.string() })
export const recipient = z.looseObject({ recipient: z.string(), name: z.string(), fingerprint: z.string() })
export const block = z.looseObject({ block: z.string() })
export const clock = z.looseObject({
  time: z.string(),
  date: z.string(),
  ahead: z.looseObject({ seconds: z.number(), waitIn: z.number() }).optional(),
  behind: z.looseObject({ seconds: z.number(), refusesIn: z.number() }).optional(),
})

export function detachmentPath(id: string, more = ''): string {
  return `/api/v1/detachments/${encodeURIComponent(id)}${more}`
}

/** In a sentence: what is where until when. */
export function tell({ product, seats, direction, manager, recipient: who, until, soft, endsIn }: Detachment): string {
  const where = direction === 'in' ? `attached here, from ${manager.name}` : `detached to ${who.name}`
  const kind = soft ? ', renewed every hour while there is any way' : ''
  return `${plural(seats, 'seat')} of ${product}, ${where}, until ${exactTime(until)}${kind}: ${duration(endsIn)} left.`
}
