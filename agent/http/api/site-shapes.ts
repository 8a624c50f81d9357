/**
 * The JSON that tells of seats kept in advance: reserves, web sites and who is signed in there.
 * Must not import anything of ours but the shapes that all share.
 */
import { z } from 'zod'
import { count, explanation, identifier, instant, managerName, name, person, seconds, text } from './shapes.ts'

/** Also names what is kept in the store and on the command line, so it begins with a letter or digit. */
export const placeId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, 'must be 1 to 64 lower-case letters, digits, - and _')
const productOfVendor = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,63}\/[a-z0-9][a-z0-9._-]{0,63}$/, 'must be vendor/product')
const feature = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'must be 1 to 64 lower-case letters, digits, -, _ or .')
const keptSeats = z.int().min(1).max(1000)

const missing = z
  .strictObject({
    code: z.string().describe('an error code'),
    detail: z.string().describe('who said so, as a sentence'),
    asked: explanation.shape.asked,
    retryIn: seconds.describe('seconds until it is tried again; sooner where a seat comes free'),
  })
  .describe('why seats are missing; absent where none is')
const from = z.array(
  z.strictObject({
    manager: managerName,
    seats: count,
    used: count,
    reachable: z.boolean().describe('whether the manager answers now'),
    until: instant.describe('until when they work with no word of the manager'),
  }),
)

export const reserveWish = z
  .strictObject({
    product: productOfVendor,
    feature: feature.optional().describe('seats that serve this feature only; absent: those that name none'),
    seats: keptSeats.describe('how many this machine keeps in advance'),
  })
  .meta({ id: 'ReserveWish' })
export const reserve = z
  .strictObject({
    id: placeId,
    ...reserveWish.shape,
    taken: count.describe('how many of them are kept now'),
    used: count.describe('how many of those are in use'),
    from: from.describe('where they come from'),
    missing: missing.optional(),
  })
  .meta({ id: 'Reserve', description: 'Seats that this machine keeps in advance' })
export type Reserve = z.infer<typeof reserve>

const recycle = z
  .strictObject({
    cron: name(100).describe('minute, hour, day, month, weekday'),
    zone: name(64).describe('time zone, such as Europe/Berlin'),
  })
  .describe('when all seats of the clients go back and are taken anew')

export const siteWish = z
  .strictObject({
    serverProduct: productOfVendor.describe('the site does not start without one seat of it'),
    clientProduct: productOfVendor.describe('each signed-in user takes a seat of it'),
    seats: keptSeats.describe('for clients, taken when the site starts'),
    recycle: recycle.optional().describe('absent: every day at 4:30 in the zone of this machine'),
    inactivityMinutes: z
      .int()
      .min(1)
      .max(10080)
      .default(240)
      .describe('minutes without activity after which a seat goes back'),
  })
  .meta({ id: 'SiteWish' })
export type SiteWish = z.infer<typeof siteWish>

export const signInId = z.string().regex(/^[A-Za-z0-9_.~-]{1,128}$/, 'must be 1 to 128 letters, digits, -, _, . and ~')
const access = z
  .enum(['full', 'administration', 'none'])
  .describe('administration: the pages for administrators only; none: it lost its seat, and there was no other yet')

export const signIn = z
  .strictObject({
    id: signInId,
    seat: z.boolean().describe('it has a seat'),
    access,
    idleEndsAt: instant.optional().describe('when the seat goes back unless there is activity'),
    expiresIn: seconds.optional().describe('for so many seconds the seat can be relied on with no word of the agent'),
  })
  .meta({ id: 'SiteSignIn', description: 'Somebody who is signed in at a web site' })
export type SignIn = z.infer<typeof signIn>

export const signInWish = z
  .strictObject({
    id: signInId.describe('made by the site, new for every sign-in; the same again is the same sign-in'),
    user: person,
    administrator: z.boolean().default(false).describe('takes no seat and sees the pages for administrators only'),
  })
  .meta({ id: 'SiteSignInWish' })
export type SignInWish = z.infer<typeof signInWish>

export const activityWish = z
  .strictObject({ ids: z.array(signInId).min(1).max(500).describe('sign-ins whose users did something') })
  .meta({ id: 'SiteActivity' })
export const activity = z
  .strictObject({
    items: z.array(
      z.strictObject({
        ...signIn.shape,
        code: z
          .string()
          .optional()
          .describe('why there is no seat: unknown_sign_in, or an error code such as site_reserve_empty'),
        detail: z.string().optional(),
        retryIn: seconds.optional(),
      }),
    ),
  })
  .meta({ id: 'SiteActivityAnswer' })
export type ActivityAnswer = z.infer<typeof activity>

const shownSignIn = z.strictObject({
  id: signInId.optional().describe('told to the site only'),
  user: person,
  access,
  signedInAt: instant,
  idleEndsAt: instant.optional(),
  session: identifier.optional().describe('the session that is its seat'),
})

export const site = z
  .strictObject({
    id: placeId,
    ...siteWish.shape,
    recycle,
    inactivityMinutes: z.int().positive(),
    state: z.enum(['stopped', 'started', 'recycling']),
    server: z.boolean().describe('it has the seat of its server; without it nobody new is let in'),
    taken: count.describe('client seats that it has now'),
    occupied: count.describe('those that signed-in users have'),
    from: from.describe('where the client seats come from'),
    missing: missing.optional(),
    startedAt: instant.optional(),
    recycledAt: instant.optional(),
    recyclesAt: instant.optional().describe('when its seats are recycled next'),
    signIns: z.array(shownSignIn).describe('the newest first'),
  })
  .meta({ id: 'Site', description: 'A web site that hands seats on to its own users' })
export type Site = z.infer<typeof site>

export const definedSite = z
  .strictObject({
    ...site.shape,
    token: text()
      .optional()
      .describe('of a new site: goes into the Authorization header of its calls; shown this once and stored nowhere'),
  })
  .meta({ id: 'DefinedSite' })
export const siteToken = z.strictObject({ token: text() }).meta({ id: 'SiteToken' })
export const siteStart = z
  .strictObject({ asked: count, taken: count.describe('more are taken as soon as they are free') })
  .meta({ id: 'SiteStart' })
export type SiteStart = z.infer<typeof siteStart>
