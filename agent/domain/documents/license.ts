/**
 * The license document: every field with its meaning, unit and limits, and the checks between fields that catch nonsense.
 */
import { z } from 'zod'
import { countRule, documentId, envelope, seats, seconds, secureUrl, shortName, title } from './fields.ts'
import { publicJwk } from './keys.ts'

export const feature = z.strictObject({
  name: shortName.describe('short name of the feature; an application asks for it by this name'),
  title: title.optional().describe('name of the feature for people'),
  seats: seats.optional().describe('own limit within the seats of the product; absent: only these limit it'),
})

export const namedProduct = z.strictObject({
  name: shortName.describe('short name of the product, without the vendor'),
  title: title.optional().describe('name of the product for people'),
  seats: seats.describe('how many seats may be in use at the same time'),
  features: z.array(feature).max(1000).optional().describe('parts of the product that an application can ask for'),
})

export const anyProduct = z.strictObject({
  any: z.literal(true).describe('these seats fit every product of the vendor'),
  seats: seats.describe('how many any-product seats there are'),
})

export const vendorLinks = z.strictObject({
  home: secureUrl.optional().describe("the vendor's pages"),
  help: secureUrl.optional().describe('help and support'),
  buy: secureUrl.optional().describe('where more seats are bought'),
  support: secureUrl.optional().describe('where problems are reported'),
})

export const detachRules = z.strictObject({
  maxDays: z.int().min(1).max(9999).describe('the longest detachment, in days of 24 hours'),
  cascade: z.boolean().optional().describe('whether the recipient may serve detached seats on to others (default no)'),
  earlyReturn: z
    .enum(['online', 'offline', 'atDate'])
    .optional()
    .describe('how a seat may come back before its date: online, also by a receipt (default), or not at all'),
  lost: z
    .strictObject({
      afterDays: z.int().min(0).max(90).describe('days from the declaration until the seat is free'),
      perYear: z.int().min(1).max(100).describe('how often per seat and year'),
    })
    .optional()
    .describe('frees a seat that is declared lost before its date; absent: it is free at its date'),
})

export const activationRules = z.strictObject({
  needed: z.boolean().default(true).describe('whether the license is bound to one agent and its hardware'),
  url: secureUrl.optional().describe("the vendor's activation server; absent: by exchanging blocks"),
  tolerance: z
    .int()
    .min(0)
    .max(100)
    .optional()
    .describe('percentage of the recorded hardware parts that may differ later (default 40)'),
})

/** The fields that a license file and the signed license have in common. */
export const licenseTerms = {
  kind: z
    .enum(['standalone', 'network'])
    .describe('network: served to other machines; standalone: only for the machine it is activated on'),
  products: z
    .array(z.union([namedProduct, anyProduct]))
    .min(1)
    .max(1000)
    .describe('what is licensed'),
  count: countRule.describe('what a seat is counted for: each session, each process, each machine, each user'),
  leaseSeconds: z
    .int()
    .min(20)
    .max(86_400)
    .default(600)
    .describe('how long a seat lasts without a renewal, in seconds'),
  detach: detachRules.optional().describe('allows seats to be detached for travel; absent: they are not'),
  claims: z.boolean().optional().describe('whether an account may claim seats for a machine until the license ends'),
  overlap: z.boolean().default(true).describe('whether an administrator may free a seat while it may still be in use'),
  depth: z.int().min(0).max(4).default(4).describe('over how many agents a seat may be passed on'),
  owner: z.email().max(254).optional().describe('e-mail address of the account that owns the license'),
  customer: title.optional().describe('whom the license is for'),
  replaces: z.array(documentId).min(1).max(100).optional().describe('ids of earlier licenses that end with this one'),
}

export const licenseSchema = z
  .strictObject({
    ...envelope('leasehold-license'),
    vendor: z.strictObject({ name: shortName, key: publicJwk, links: vendorLinks.optional() }),
    ...licenseTerms,
    /** From this second on; absent = from the beginning. */
    nbf: seconds.optional(),
    /** Until before this second; absent = perpetual. */
    exp: seconds.optional(),
    model: z.enum(['perpetual', 'subscription']),
    /** Length of a subscription as it was sold, for people; `exp` decides. */
    months: z.int().min(1).max(1200).optional(),
    activation: activationRules.default({ needed: true }),
  })
  .superRefine((license, context) => {
    checkTerms(license, (message, path) => context.addIssue({ code: 'custom', message, path: [...path] }))
    const say = (message: string, path: string[]) => context.addIssue({ code: 'custom', message, path })
    if (license.nbf !== undefined && license.exp !== undefined && license.exp <= license.nbf)
      say('the license ends before it begins', ['exp'])
    if ((license.model === 'subscription') !== (license.exp !== undefined))
      say('a subscription has an end, a perpetual license has none', ['model'])
    if (license.months !== undefined && license.exp === undefined) say('months need an end', ['months'])
    if (license.replaces?.includes(license.id)) say('a license does not replace itself', ['replaces'])
  })

export type License = z.output<typeof licenseSchema>
export type ProductEntry = License['products'][number]
export type NamedProduct = z.output<typeof namedProduct>
export type LicenseFeature = z.output<typeof feature>

type Terms = Pick<License, 'kind' | 'products' | 'detach' | 'claims'>

/** What a license file and a license must agree on within themselves. */
export function checkTerms(terms: Terms, say: (message: string, path: readonly (string | number)[]) => void): void {
  const names = new Set<string>()
  terms.products.forEach((entry, at) => {
    const name = 'any' in entry ? '*' : entry.name
    if (names.has(name))
      say(name === '*' ? 'any-product seats stand here twice' : `product ${name} stands here twice`, ['products', at])
    names.add(name)
    if (!('any' in entry)) checkFeatures(entry, (message, path) => say(message, ['products', at, 'features', ...path]))
  })
  if (terms.kind === 'standalone' && terms.detach !== undefined)
    say('seats of a stand-alone license are never detached', ['detach'])
  if (terms.kind === 'standalone' && terms.claims === true)
    say('seats of a stand-alone license are never claimed', ['claims'])
}

function checkFeatures(
  product: NamedProduct,
  say: (message: string, path: readonly (string | number)[]) => void,
): void {
  const names = new Set<string>()
  product.features?.forEach((entry, at) => {
    if (names.has(entry.name)) say(`feature ${entry.name} stands here twice`, [at])
    names.add(entry.name)
    if (entry.seats !== undefined && entry.seats > product.seats)
      say(`feature ${entry.name} has more seats (${entry.seats}) than its product (${product.seats})`, [at, 'seats'])
  })
}
