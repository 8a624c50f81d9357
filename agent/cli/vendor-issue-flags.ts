/**
 * The flags of `vendor issue`, and what they say as a license file. `--seats`, `--title` and `--feature` belong to the
 * `--product` or `--any-product` before them; before the first of these they belong to the first.
 */
import { type Failure, readFlags, usageFailure } from './vendor-io.ts'

const text = { type: 'string' } as const
const list = { type: 'string', multiple: true } as const
const flag = { type: 'boolean' } as const

const options = {
  vendor: text,
  product: list,
  'any-product': { type: 'boolean', multiple: true },
  feature: list,
  seats: list,
  title: list,
  kind: text,
  count: text,
  'lease-seconds': text,
  starts: text,
  ends: text,
  months: text,
  'detach-days': text,
  'no-activation': flag,
  customer: text,
  owner: text,
  replaces: list,
  out: text,
  dir: text,
  json: flag,
} as const

/** What each flag wants, for messages. */
export const wanted: Readonly<Record<string, string>> = {
  '--vendor': 'the short name of a vendor, as given to "vendor init"',
  '--product': 'a short name: 1 to 64 lower-case letters, digits, -, _ or ., beginning with a letter or digit',
  '--feature': 'a short name, or NAME=SEATS with a whole number of seats, at most those of the product',
  '--seats': 'a whole number from 1 to 1000000',
  '--title': 'a text of 1 to 255 characters without line breaks',
  '--kind': 'network or standalone',
  '--count': 'session, process, host or user',
  '--lease-seconds': 'a whole number from 20 to 86400',
  '--starts': 'a day such as 2026-12-01, or an instant such as 2026-12-01T08:00:00Z',
  '--ends': 'a day such as 2027-11-30, or an instant such as 2027-12-01T08:00:00Z',
  '--months': 'a whole number from 1 to 1200',
  '--detach-days': 'a whole number from 1 to 9999',
  '--customer': 'a text of 1 to 255 characters without line breaks',
  '--owner': 'an e-mail address',
  '--replaces': 'the id of an earlier license',
}

const flagOfField: Readonly<Record<string, string>> = {
  vendor: '--vendor',
  products: '--product',
  kind: '--kind',
  count: '--count',
  leaseSeconds: '--lease-seconds',
  starts: '--starts',
  ends: '--ends',
  months: '--months',
  detach: '--detach-days',
  activation: '--no-activation',
  customer: '--customer',
  owner: '--owner',
  replaces: '--replaces',
}

/** The flag that a field of the license file comes from. */
export function flagOf(path: readonly (string | number)[]): string {
  const [field = '', , inner] = path
  if (field !== 'products') return flagOfField[String(field)] ?? '--product'
  if (inner === 'features') return '--feature'
  return inner === 'seats' || inner === 'title' ? `--${inner}` : '--product'
}

export interface IssueFlags {
  readonly kind: 'flags'
  readonly file?: string
  /** Fields of a license file; they go before those of the file. */
  readonly fields: Readonly<Record<string, unknown>>
  readonly vendor?: string
  readonly out?: string
  readonly dir?: string
  readonly json: boolean
}

interface Entry {
  any?: true
  name?: string
  title?: string
  seats?: unknown
  features?: { name: string; seats?: unknown }[]
}

/** A number where it is one; else the text, which the schema refuses. */
function numeral(value: string): unknown {
  return /^\d{1,15}$/.test(value) ? Number(value) : value
}

function readFeature(value: string): { name: string; seats?: unknown } {
  const [name = '', seats] = value.split('=', 2)
  return seats === undefined ? { name } : { name, seats: numeral(seats) }
}

interface Token {
  readonly kind: string
  readonly name?: string
  readonly value?: string | undefined
}

/** Takes the entries from the flags in the order in which they stand. */
function readEntries(tokens: readonly Token[]): Entry[] | Failure {
  const entries: Entry[] = []
  const early: Entry = {}
  for (const token of tokens) {
    const { name, value = '' } = token
    const current = entries.at(-1) ?? early
    if (name === 'product') entries.push({ name: value })
    else if (name === 'any-product') entries.push({ any: true })
    else if (name === 'feature') {
      current.features ??= []
      current.features.push(readFeature(value))
    } else if (name === 'seats' || name === 'title') {
      if (current[name] !== undefined) return usageFailure(`--${name}: stands twice for one product.`)
      if (name === 'seats') current.seats = numeral(value)
      else current.title = value
    }
  }
  const [first] = entries
  const [stray] = Object.keys(early)
  if (stray !== undefined && first === undefined)
    return usageFailure(`--${stray === 'features' ? 'feature' : stray}: belongs to a --product, and there is none.`)
  for (const name of ['seats', 'title', 'features'] as const) {
    if (early[name] === undefined || first === undefined) continue
    if (first[name] !== undefined && name !== 'features')
      return usageFailure(`--${name}: stands twice for one product.`)
  }
  if (first !== undefined) entries[0] = { ...early, ...first, ...mergeFeatures(early, first) }
  const anyWith = entries.find((entry) => entry.any && (entry.features ?? entry.title) !== undefined)
  if (anyWith !== undefined)
    return usageFailure(
      `${anyWith.features ? '--feature' : '--title'}: any-product seats have neither feature nor title.`,
    )
  return entries
}

function mergeFeatures(early: Entry, first: Entry): Pick<Entry, 'features'> {
  const features = [...(early.features ?? []), ...(first.features ?? [])]
  return features.length === 0 ? {} : { features }
}

export function readIssueFlags(args: readonly string[]): IssueFlags | Failure {
  const read = readFlags({ args: [...args], options, allowPositionals: true, tokens: true, strict: true } as const)
  if (read.kind === 'failure') return read
  const { values, positionals, tokens } = read.parsed
  if (positionals.length > 1) return usageFailure(`"${positionals[1]}": at most one license file is taken.`)
  const entries = readEntries(tokens as readonly Token[])
  if ('kind' in entries) return entries
  const fields: Record<string, unknown> = {}
  if (entries.length > 0) fields.products = entries
  for (const name of ['vendor', 'kind', 'count', 'starts', 'ends', 'customer', 'owner', 'replaces'] as const)
    if (values[name] !== undefined) fields[name] = values[name]
  if (values.months !== undefined) fields.months = numeral(values.months)
  if (values['lease-seconds'] !== undefined) fields.leaseSeconds = numeral(values['lease-seconds'])
  if (values['detach-days'] !== undefined) fields.detach = { maxDays: numeral(values['detach-days']) }
  if (values['no-activation'] === true) fields.activation = { needed: false }
  const [file] = positionals
  return {
    kind: 'flags',
    fields,
    json: values.json ?? false,
    ...(file !== undefined && { file }),
    ...(values.vendor !== undefined && { vendor: values.vendor }),
    ...(values.out !== undefined && { out: values.out }),
    ...(values.dir !== undefined && { dir: values.dir }),
  }
}
