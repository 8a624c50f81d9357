/** `leasehold licenses`: what is installed, one by one and everything in it, and removing it. */
import { anything, type License, type LicenseDetails, licenseDetails, licenses } from './answers.ts'
import { ask, failUnanswered } from './failure.ts'
import { printList } from './pages.ts'
import { exactTime, localTime, plural } from './show.ts'
import type { Column } from './table.ts'
import { agentOptions, type Invocation, pageOptions, type Verb } from './verb.ts'

const columns: readonly Column<License>[] = [
  { title: 'Id', cell: ({ id }) => id },
  { title: 'State', cell: ({ state }) => state },
  { title: 'Vendor', cell: ({ vendor }) => vendor.name },
  { title: 'Products', cell: describeProducts },
  { title: 'Ends', cell: ({ endsAt }) => (endsAt === undefined ? 'never' : localTime(endsAt)) },
  { title: 'Customer', cell: ({ customer }) => customer },
  { title: 'At', cell: ({ manager }) => manager.name },
]

function describeProducts({ products }: License): string {
  return products.map(({ product, used, seats }) => `${product} ${used}/${seats}`).join(', ')
}

export const licensesVerb: Verb = {
  name: 'licenses list',
  alias: 'licenses',
  summary: 'List the licenses',
  description: ['“acme/cad 1/5”: one of five seats is in use.'],
  arguments: [],
  options: [...agentOptions, ...pageOptions],
  run: (invocation) =>
    printList(
      invocation,
      '/api/v1/licenses',
      {},
      licenses,
      columns,
      'No license is installed. Add one with: leasehold licenses add FILE',
    ),
}

const textOption = { name: 'text', kind: 'switch', help: 'Print the license as a block only' } as const

export const showLicenseVerb: Verb = {
  name: 'licenses show',
  summary: 'Show everything in a license',
  arguments: [{ name: 'LICENSE', required: true }],
  options: [textOption, ...agentOptions],
  run: showLicense,
}

export function licensePath(id: string, action = ''): string {
  return `/api/v1/licenses/${encodeURIComponent(id)}${action}`
}

async function showLicense({ given, agent, out }: Invocation): Promise<number> {
  const path = licensePath(given.arguments[0] ?? '')
  const asked = await ask(agent, { method: 'GET', path }, licenseDetails)
  if (asked.kind !== 'answer') return failUnanswered(out, agent, asked)
  if (out.json) out.raw(asked.text)
  else if (given.on('text')) out.lines(asked.value.text)
  else {
    const { value } = asked
    out.pairs(describeLicense(value))
    out.line('')
    out.table(
      [
        { title: 'Product', cell: ({ product }) => product },
        { title: 'Title', cell: ({ title }) => title },
        { title: 'Seats', right: true, cell: ({ seats }) => seats },
        { title: 'Used', right: true, cell: ({ used }) => used },
        { title: 'Features', cell: describeFeatures },
      ],
      value.products,
    )
  }
  return 0
}

function describeFeatures({ features }: License['products'][number]): string {
  return features.map(({ name, seats }) => (seats === undefined ? name : `${name} (at most ${seats})`)).join(', ')
}

function describeLicense(license: LicenseDetails): readonly (readonly [string, string | number | undefined])[] {
  const { vendor, activation, overlap, daysLeft } = license
  const left = daysLeft === undefined || daysLeft < 0 ? '' : `, ${plural(daysLeft, 'day')} left`
  return [
    ['License', license.id],
    ['State', license.state],
    ['Kind', license.kind],
    ['Vendor', `${vendor.name}, fingerprint ${vendor.fingerprint}${vendor.trusted ? '' : ' (not trusted)'}`],
    ['Customer', license.customer],
    ['Owner', license.owner],
    ['Begins', license.beginsAt && exactTime(license.beginsAt)],
    ['Ends', license.endsAt === undefined ? 'never' : exactTime(license.endsAt) + left],
    ['Counted per', license.count],
    ['Lease time', `${license.leaseSeconds} s`],
    ['Activation', describeActivation(activation)],
    ['Hardware', activation.parts.map(({ name, agrees }) => `${name}${agrees ? '' : ' (differs)'}`).join(', ')],
    ['Replaces', license.replaces.join(', ')],
    ['Replaced by', license.replacedBy],
    [
      'Overlap',
      overlap && `${plural(overlap.seats, 'seat')} beyond the licensed ones, until ${exactTime(overlap.until)}`,
    ],
    ['At', license.manager.name],
  ]
}

function describeActivation({ needed, number, activatedAt, endsAt }: LicenseDetails['activation']): string {
  if (!needed) return 'not needed'
  if (activatedAt === undefined) return `needed: leasehold licenses activate ID`
  const until = endsAt === undefined ? '' : `, to be renewed before ${exactTime(endsAt)}`
  return `number ${number ?? 1}, since ${exactTime(activatedAt)}${until}`
}

export const removeLicenseVerb: Verb = {
  name: 'licenses remove',
  summary: 'Remove a license from this agent',
  description: [
    'A license that was activated is moved with leasehold licenses deactivate, which makes the receipt for the vendor.',
  ],
  arguments: [{ name: 'LICENSE', required: true }],
  options: agentOptions,
  run: removeLicense,
}

async function removeLicense({ given, agent, out }: Invocation): Promise<number> {
  const id = given.arguments[0] ?? ''
  const asked = await ask(agent, { method: 'DELETE', path: licensePath(id) }, anything)
  if (asked.kind !== 'answer') return failUnanswered(out, agent, asked)
  if (!out.json) out.line(`License ${id} is removed.`)
  return 0
}
