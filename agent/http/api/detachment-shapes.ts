/**
 * The JSON of seats that are taken along until a date: detachments on both sides, what can be detached, and the blocks of text for
 * machines that never meet.
 * Must not import anything of ours but the shapes that all share.
 */
import { z } from 'zod'
import { count, identifier, instant, managerName, name, pageQuery, person, productId, seconds, text } from './shapes.ts'

export const detachmentStates = [
  'asking',
  'waiting',
  'active',
  'held',
  'returning',
  'lost',
  'over',
  'returned',
  'ended',
] as const
export type DetachmentState = (typeof detachmentStates)[number]
export const detachmentActions = ['return', 'receipt', 'extend', 'lost', 'withdraw', 'block'] as const
export type DetachmentAction = (typeof detachmentActions)[number]

/** `2026-12-24`. */
const calendarDay = z.iso.date()
const zoneName = text(64).describe('time zone, such as Europe/Berlin')

export const detachment = z
  .strictObject({
    id: identifier,
    direction: z.enum(['out', 'in']).describe('out: seats of this agent are at another machine; in: attached here'),
    state: z
      .enum(detachmentStates)
      .describe(
        'asking: the manager was asked and has not answered yet; waiting: made for a machine that has not taken it yet; active; held: past its date only by a clock that jumped ahead and is not believed yet; returning: given back, and the manager has not heard of it; lost: declared lost; over: past its date, free after the grace; returned and ended: kept so that an old block is known again',
      ),
    product: z.string().describe('vendor/product'),
    title: z.string().optional(),
    feature: z.string().optional(),
    seats: count,
    used: count.optional().describe('in: seats of it that are in use now'),
    license: identifier,
    manager: managerName.describe('the agent whose seats these are'),
    recipient: z
      .strictObject({
        id: identifier,
        name: z.string(),
        fingerprint: z.string().describe('of its key, in short groups'),
      })
      .describe('the machine that has them'),
    user: person.optional().describe('who took them along'),
    version: count.describe('grows with every extension; only the latest block counts'),
    soft: z.boolean().describe('valid for a few days and renewed every hour while there is any way to the manager'),
    cascade: z.boolean().describe('the machine may serve the seats on to others'),
    earlyReturn: z
      .enum(['online', 'offline', 'atDate'])
      .describe('how it may come back before its date: online only, also by a receipt, or not at all'),
    startedAt: instant,
    until: instant.describe('the moment at which it ends'),
    zone: zoneName.optional().describe('the zone that its calendar day is in, where it was made by one'),
    endsIn: seconds.describe('seconds until it ends by the date that counts here'),
    freeAt: instant.optional().describe('out: when its seats are free at the latest, if nothing is heard'),
    freeIn: seconds.optional().describe('the same in seconds'),
    latest: instant.optional().describe('the latest date that it could be extended to now, as far as it is known here'),
    lastContactAt: instant.optional().describe('when the other side was heard last'),
    clockDifference: z
      .number()
      .optional()
      .describe('out: seconds by which the clock of the machine was ahead when it was made; negative: behind'),
    lost: z
      .strictObject({
        declaredAt: instant,
        early: z.boolean().describe('the license lets it be free before its date'),
      })
      .optional(),
    endedAt: instant.optional().describe('when it was returned or had ended'),
    reminder: z
      .enum(['3 days', '1 day', '2 hours'])
      .optional()
      .describe('the last reminder that is due: it ends within this time'),
    actions: z.array(z.enum(detachmentActions)).describe('what can be done with it here and now'),
    unavailable: z
      .array(z.strictObject({ action: z.enum(detachmentActions), code: z.string(), detail: z.string() }))
      .describe('what can not, and why'),
  })
  .meta({ id: 'Detachment', description: 'Seats that are taken along until a date' })
export type Detachment = z.infer<typeof detachment>

export const detachmentQuery = z.strictObject({
  ...pageQuery.shape,
  direction: z.enum(['out', 'in']).optional(),
  product: text().optional(),
  state: z.enum(detachmentStates).optional(),
  over: z.enum(['with', 'without']).default('without').describe('whether those that are over are listed, too'),
})
export type DetachmentQuery = z.infer<typeof detachmentQuery>

/** When it ends: one of them. */
const end = {
  until: z
    .union([calendarDay, instant])
    .optional()
    .describe('a calendar day, with which it ends in the zone of the machine that takes it along, or an instant'),
  days: z.int().min(1).max(9999).optional().describe('so many times 24 hours from now; in place of until'),
  zone: zoneName.optional().describe('the zone of the calendar day, where it is not known'),
}

export const detach = z
  .strictObject({
    product: productId.describe('vendor/product, or the product alone while one vendor has it'),
    feature: name(64).optional(),
    ...end,
    seats: z.int().min(1).max(1_000_000).default(1),
    soft: z.boolean().default(false).describe('valid for 3 days, renewed every hour; until and days are left out'),
    manager: text().optional().describe('id or name of the manager that they shall come from'),
    recipient: z
      .string()
      .min(1)
      .max(16_384)
      .optional()
      .describe('another machine: its id, or the block that its Diagnostics page shows; absent: this machine'),
    user: person.optional().describe('who takes them along'),
    preview: z.boolean().default(false).describe('only say what it would be'),
  })
  .meta({ id: 'Detach' })
export type Detach = z.infer<typeof detach>

export const detachPlan = z
  .strictObject({
    product: z.string(),
    title: z.string().optional(),
    feature: z.string().optional(),
    seats: count,
    manager: managerName,
    recipient: detachment.shape.recipient,
    soft: z.boolean(),
    until: instant.describe('the exact moment at which it would end'),
    zone: zoneName,
    cut: z.boolean().describe('the day ends later than is allowed, so that it ends earlier: at the maximum from now'),
    latest: instant.optional().describe('the latest date that is allowed now'),
    freeAt: instant.optional().describe('when the manager would have its seats back at the latest'),
    detachable: count.optional().describe('seats that could be detached now, as the manager last said'),
    earlyReturn: detachment.shape.earlyReturn.optional(),
  })
  .meta({ id: 'DetachPlan', description: 'What a detachment would be' })
export type DetachPlan = z.infer<typeof detachPlan>

export const madeDetachment = z
  .strictObject({
    detachment,
    block: z.string().optional().describe('the text block for the other machine'),
  })
  .meta({ id: 'MadeDetachment' })
export type MadeDetachment = z.infer<typeof madeDetachment>

export const extend = z.strictObject(end).meta({ id: 'Extend' })
export type Extend = z.infer<typeof extend>

export const returned = z
  .strictObject({
    state: z
      .enum(['returned', 'returning', 'withdrawn', 'ended'])
      .describe(
        'returned: the seats are free at the manager; returning: they are, as soon as it can be reached; withdrawn: it was never taken, and is free; ended: it had ended by itself, and nothing was left to give back',
      ),
    detachment,
  })
  .meta({ id: 'ReturnedDetachment' })
export type Returned = z.infer<typeof returned>

export const makeReturn = z
  .strictObject({ detachment: identifier.describe('id of the detachment that is given back for good') })
  .meta({ id: 'MakeReturn' })
export type MakeReturn = z.infer<typeof makeReturn>

export const returnReceipt = z
  .strictObject({
    receipt: z.string().describe('the text block for the manager'),
    fingerprint: z.string().describe('of this machine, shown on both sides'),
    detachment,
  })
  .meta({ id: 'ReturnReceipt' })
export type ReturnReceipt = z.infer<typeof returnReceipt>

export const declareLost = z
  .strictObject({ note: text().optional().describe('what happened, for the journal') })
  .meta({ id: 'DeclareLost' })
export type DeclareLost = z.infer<typeof declareLost>

export const recipient = z
  .strictObject({
    recipient: z.string().describe('the text block that names this machine to a manager'),
    id: identifier,
    name: z.string(),
    fingerprint: z.string().describe('of its key, shown on both sides'),
    time: instant.describe('what its clock says; the manager refuses one that is more than 10 minutes off'),
    zone: zoneName,
  })
  .meta({ id: 'Recipient' })
export type Recipient = z.infer<typeof recipient>

export const detachableProduct = z
  .strictObject({
    product: z.string(),
    title: z.string().optional(),
    features: z.array(z.string()),
    manager: managerName,
    local: z.boolean().describe('seats of this very agent'),
    seats: count,
    used: count,
    detached: count,
    detachable: count.describe('seats that could be detached now'),
    maxDays: count.describe('the longest detachment, in days of 24 hours'),
    latest: instant.optional().describe('the latest date that is allowed now'),
    endsAt: instant.optional().describe('when the licenses end, where that is earlier than the maximum'),
    refused: z
      .strictObject({ code: z.string(), detail: z.string() })
      .optional()
      .describe('why nothing of it can be detached to this machine now'),
  })
  .meta({ id: 'DetachableProduct', description: 'What of one product can be detached from one manager' })
export type DetachableProduct = z.infer<typeof detachableProduct>

export const detachableQuery = z.strictObject({ ...pageQuery.shape, product: text().optional() })
export type DetachableQuery = z.infer<typeof detachableQuery>

// ---- the clock that dates go by

export const clock = z
  .strictObject({
    time: instant.describe('what the clock of this machine says'),
    date: instant.describe('what dates begin and end by'),
    zone: zoneName,
    ahead: z
      .strictObject({ seconds, waitIn: seconds.describe('seconds of running after which it is believed') })
      .optional()
      .describe('the clock jumped ahead and is not believed yet: nothing ends or begins by it'),
    behind: z
      .strictObject({
        seconds,
        refusesIn: seconds.describe('seconds after which detached seats are not given out any more'),
      })
      .optional()
      .describe('the clock is behind the latest date that was seen here'),
  })
  .meta({ id: 'Clock' })
export type ClockState = z.infer<typeof clock>
