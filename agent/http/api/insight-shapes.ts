/**
 * The JSON that tells how seats are used: the last refusals, machines with their users, recounts.
 * Must not import anything of ours but the shapes that all share.
 */
import { z } from 'zod'
import { count, explanation, identifier, instant, managerName, pageQuery, person, seconds, text } from './shapes.ts'

export const refusalQuery = z.strictObject({
  ...pageQuery.shape,
  product: text().optional().describe('only for this product'),
  user: text().optional().describe('only of this user: account, e-mail or name'),
})
export type RefusalQuery = z.infer<typeof refusalQuery>

export const refusedSeat = z
  .strictObject({
    id: identifier.describe('stays the same while the refusal is kept'),
    product: z.string().describe('as it was asked for'),
    feature: z.string().optional(),
    seats: count,
    user: person,
    host: z.string().optional(),
    application: z.string().optional(),
    code: z.string().describe('the code that the application was told'),
    title: z.string().describe('what is the matter; the same for every refusal of this code'),
    detail: z.string().optional().describe('what exactly was said at the last time; absent after a restart'),
    help: z.string().describe('what can be done about it'),
    times: z.int().positive().describe('how often the same was asked for and refused'),
    firstAt: instant,
    lastAt: instant,
    retryIn: seconds.optional().describe('seconds from the last time on after which it was worth asking again'),
    explanation: explanation.optional().describe('as it was at the last time; absent after a restart'),
    rule: z.string().optional().describe('the rule that refused, as it is written'),
  })
  .meta({ id: 'RefusedSeat', description: 'Who asked for which seat in vain, and why' })
export type RefusedSeat = z.infer<typeof refusedSeat>

export const computerQuery = z.strictObject({
  ...pageQuery.shape,
  product: text().optional().describe('only seats of this product'),
  user: text().optional().describe('only of this user: account, e-mail or name'),
  host: text().optional().describe('only this machine'),
})
export type ComputerQuery = z.infer<typeof computerQuery>

export const computer = z
  .strictObject({
    id: identifier,
    host: z.string().optional().describe('name of the machine'),
    user: person,
    agent: managerName.optional().describe('the agent that holds the seats, where it is another one'),
    addresses: z.array(z.string()).describe('network addresses that the requests came from'),
    sessions: count,
    seats: count,
    since: instant.describe('when the oldest of the sessions began'),
    uses: z.array(
      z.strictObject({ product: z.string(), feature: z.string().optional(), seats: count, since: instant }),
    ),
  })
  .meta({ id: 'Computer', description: 'A user at a machine: what is used there, and since when' })
export type Computer = z.infer<typeof computer>

const shortName = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'must be a short name')
export const recountedProduct = z.strictObject({
  vendor: shortName,
  product: z.union([shortName, z.literal('*')]).describe('* for the seats that fit any product of the vendor'),
})
export const moded = z.strictObject({ vendor: shortName, product: shortName })
const recountedLicense = z.strictObject({
  license: identifier,
  any: z.boolean().describe('seats that fit every product of the vendor'),
  kept: count.describe('seats in use as the agent keeps them'),
  counted: count.describe('seats in use as counted from what is given out'),
})
export type RecountedLicense = z.infer<typeof recountedLicense>
export const recount = z.strictObject({ licenses: z.array(recountedLicense) }).meta({ id: 'Recount' })
