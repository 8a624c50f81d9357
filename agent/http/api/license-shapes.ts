/**
 * The JSON of licenses, documents, products and features.
 * Must not import anything of ours but the shapes that all share.
 */
import { z } from 'zod'
import { count, identifier, instant, managerName, overlap, seconds } from './shapes.ts'

export const licenseStates = [
  'not_activated',
  'not_yet_valid',
  'active',
  'expiring',
  'expired',
  'blocked_hardware',
  'replaced',
  'deactivated',
  'detached',
] as const
export type LicenseState = (typeof licenseStates)[number]
const countRules = ['session', 'process', 'host', 'user'] as const
const licenseActions = ['activation-request', 'activate', 'deactivate', 'remove'] as const

const vendor = z.strictObject({
  name: z.string(),
  fingerprint: z.string().describe('of the vendor key, in short groups'),
  trusted: z.boolean(),
})
const licensedFeature = z.strictObject({
  name: z.string(),
  title: z.string().optional(),
  seats: count.optional().describe('limit within the seats of the product'),
  used: count,
})
const licensedProduct = z.strictObject({
  product: z.string().describe('vendor/product; vendor/* for seats that fit any product'),
  title: z.string(),
  any: z.boolean().describe('seats that fit every product of the vendor'),
  seats: count,
  used: count,
  features: z.array(licensedFeature),
})
export const license = z
  .strictObject({
    id: identifier,
    state: z.enum(licenseStates),
    kind: z.enum(['standalone', 'network']).describe('standalone: for applications of its own machine only'),
    vendor,
    products: z.array(licensedProduct),
    model: z.enum(['perpetual', 'subscription']),
    beginsAt: instant.optional(),
    endsAt: instant.optional().describe('absent: never'),
    daysLeft: z.int().optional().describe('whole days until it ends; negative after'),
    customer: z.string().optional(),
    manager: managerName.describe('the agent that has it installed'),
    local: z.boolean().describe('installed on this agent'),
    overlap: overlap.optional().describe('seats in use beyond the licensed ones, and until when'),
    actions: z.array(z.enum(licenseActions)).describe('what can be done with it now'),
  })
  .meta({ id: 'License' })
export type License = z.infer<typeof license>

export const licenseDetails = z
  .strictObject({
    ...license.shape,
    issuedAt: instant,
    installedAt: instant.optional(),
    count: z.enum(countRules).describe('what takes one seat: a session, a process, a machine or a user'),
    months: z.int().positive().optional().describe('term of a subscription'),
    leaseSeconds: seconds.describe('seconds for which a seat is promised at a time'),
    detach: z
      .strictObject({
        maxDays: count,
        cascade: z.boolean().optional(),
        earlyReturn: z.enum(['online', 'offline', 'atDate']).optional(),
        lost: z.string().optional(),
      })
      .optional(),
    claims: z.string().optional().describe('as the license says it'),
    overlapAllowed: z.boolean(),
    depth: count.describe('how many agents may stand between the manager and an application'),
    owner: z.string().optional(),
    links: z.record(z.string(), z.string()).describe('https addresses of the vendor by purpose'),
    replaces: z.array(identifier),
    replacedBy: identifier.optional(),
    activation: z.strictObject({
      needed: z.boolean(),
      url: z.string().optional(),
      number: count.optional().describe('counts the activations of this license'),
      activatedAt: instant.optional(),
      endsAt: instant.optional().describe('when it has to be renewed'),
      parts: z
        .array(z.strictObject({ name: z.string(), agrees: z.boolean() }))
        .describe('hardware parts that were recorded, and whether they are still the same'),
    }),
    text: z.string().describe('the license as a text block'),
  })
  .meta({ id: 'LicenseDetails' })
export type LicenseDetails = z.infer<typeof licenseDetails>

export const addLicense = z
  .strictObject({
    text: z
      .string()
      .min(1)
      .max(262_144)
      .describe('the license as it was received: quote marks and line breaks are tolerated'),
    trust: z.boolean().default(false).describe('trust the vendor key whose fingerprint was shown'),
  })
  .meta({ id: 'AddLicense' })
export type AddLicense = z.infer<typeof addLicense>
export const activationRequest = z.strictObject({ request: z.string().describe('a text block for the vendor') })
export const deactivate = z.strictObject({
  confirmOverlap: z.boolean().default(false).describe('make the receipt now although seats may still be in use'),
})
export const deactivated = z.strictObject({ receipt: z.string().describe('a text block for the vendor') })
export const deactivating = z.strictObject({
  state: z.literal('deactivating'),
  freeAt: instant.describe('when the last seat is free, at the latest'),
})

export const applyDocuments = z
  .strictObject({
    text: z.string().min(1).max(262_144).describe('any text with one or more blocks in it, such as a whole mail'),
    apply: z.boolean().default(false).describe('false: only say what it would do'),
    trust: z.boolean().default(false).describe('trust the vendor key of a license in it'),
  })
  .meta({ id: 'ApplyDocuments' })
export type ApplyDocuments = z.infer<typeof applyDocuments>
export const recognizedDocument = z
  .strictObject({
    type: z.string().describe('license, activation, …'),
    id: identifier.optional(),
    license: identifier.optional().describe('the license that it is or belongs to'),
    summary: z.string().describe('what it is, in a sentence'),
    effect: z.string().describe('what applying it does or did, in a sentence'),
    fingerprint: z.string().optional().describe('of the key that signed it'),
    applied: z.boolean(),
    refused: z.strictObject({ code: z.string(), detail: z.string() }).optional().describe('why it can not be applied'),
    detachment: identifier.optional().describe('the detachment that it is or belongs to'),
    block: z.string().optional().describe('a block for the sender: the receipt for what was given back already'),
  })
  .meta({ id: 'RecognizedDocument' })
export type RecognizedDocument = z.infer<typeof recognizedDocument>
export const recognizedDocuments = z.strictObject({ documents: z.array(recognizedDocument) })

// ---- products and features

export const product = z
  .strictObject({
    id: z.string().describe('vendor/product'),
    vendor: z.string(),
    name: z.string(),
    title: z.string(),
    seats: count.describe('the own seats of the product in all active licenses'),
    used: count,
    free: count.describe('own seats that are free'),
    anyProductFree: count.describe('free seats that fit any product of the vendor; shared with the other products'),
    waiting: count.describe('how many wait in line for a seat'),
    count: z.enum(countRules).optional().describe('absent where licenses of the product count differently'),
    features: z.array(z.string()),
    licenses: z.array(
      z.strictObject({
        license: identifier,
        state: z.enum(licenseStates),
        any: z.boolean(),
        seats: count,
        used: count,
      }),
    ),
    manager: managerName,
    local: z.boolean().describe('licensed on this agent'),
    overlap: overlap.optional(),
  })
  .meta({ id: 'Product', description: 'All seats of one product that one agent can give out' })
export type Product = z.infer<typeof product>

export const feature = z
  .strictObject({
    product: z.string().describe('vendor/product'),
    name: z.string(),
    title: z.string().optional(),
    limit: count.optional().describe('absent: as many as the product has seats'),
    used: count,
    peak: count.optional().describe('most seats in use at one time since the agent started'),
    count: z.enum(countRules).optional(),
    access: z.enum(['standalone', 'network']),
    detached: count,
    manager: managerName,
    local: z.boolean().describe('licensed on this agent'),
  })
  .meta({ id: 'Feature' })
export type Feature = z.infer<typeof feature>
