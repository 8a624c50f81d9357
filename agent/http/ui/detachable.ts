/**
 * Configuration > Detachable Licenses: what may be taken along, for all products and for single ones. Must not import owners.
 */
import type { ConfigurationEntry, ConfigurationPatch, ConfigurationValue } from '../api/agent-shapes.ts'
import type { Product } from '../api/license-shapes.ts'
import type { FieldProblem } from '../api/shapes.ts'
import { isGone, writeOffer } from './detached-rows.ts'
import { type Form, readForm } from './form.ts'
import { describeRefusal, type Page } from './page.ts'
import type { Parts } from './parts.ts'
import { findNumberProblem, listErrors, nameValue, readFieldProblems, readValue } from './settings-form.ts'
import { changeSettings, listTabs, type SettingsPage, settingsOf, showSettings, tabAddresses } from './settings-page.ts'

/** Settings that a product can have of its own, by the end of their names. */
const ofProducts = ['enabled', 'reservedSeats', 'reservedPercent', 'maxDays'] as const
type OfProduct = (typeof ofProducts)[number]

const own: SettingsPage = {
  tab: 'detachable',
  section: 'detachable',
  address: tabAddresses.detachable,
  view: 'pages/configuration-detachable',
  has: ({ name }) => name.startsWith('detach.') && !name.startsWith('detach.products.'),
  more: (page, parts) => ({
    products: listProducts(parts).map((product) => writeProduct(product, page, parts)),
    away: countAway(parts),
  }),
  tell: (said, changes, parts) => {
    const isOff = changes.some(({ name, after }) => name === 'detach.enabled' && after === false)
    const count = countAway(parts)
    if (!isOff || count === 0) return said
    return { kind: 'notice', key: 'said.detach_off', args: { ...said.args, count } }
  },
}

/** Seats of this agent at other machines: whatever is set here, they stay there until their date. */
function countAway(parts: Parts): number {
  const away = parts.detaching.list().filter((one) => one.direction === 'out' && !isGone(one))
  return away.reduce((sum, { seats }) => sum + seats, 0)
}

export async function showDetachable(page: Page, parts: Parts): Promise<void> {
  await showSettings(own, page, parts)
}

export async function changeDetachable(page: Page, parts: Parts): Promise<void> {
  await changeSettings(own, page, parts)
}

/** Each once, although several managers may have it. */
function listProducts(parts: Parts): readonly Product[] {
  const products = new Map<string, Product>()
  for (const product of parts.products.list())
    if (product.name !== '*' && (!products.has(product.id) || product.local)) products.set(product.id, product)
  return [...products.values()]
}

function addressOf(id: string): string {
  return `${own.address}/${id.split('/').map(encodeURIComponent).join('/')}`
}

/** What a product has of its own; absent = as for all. */
function ownValues(id: string, parts: Parts): ReadonlyMap<string, ConfigurationEntry> {
  const start = `detach.products.${id}.`
  return new Map(
    parts.configuration
      .describe(own.section)
      .filter(({ name }) => name.startsWith(start))
      .map((entry) => [entry.name.slice(start.length), entry]),
  )
}

function writeProduct({ id, title }: Product, page: Page, parts: Parts) {
  const { language } = page
  const offer = parts.detaching.offers().find((one) => one.product === id && one.local)
  const values = ownValues(id, parts)
  const common = new Map(settingsOf(own, parts).map((entry) => [entry.name.slice('detach.'.length), entry]))
  const show = (name: OfProduct): string => {
    const entry = values.get(name) ?? common.get(name)
    return entry === undefined ? '' : nameValue(entry, entry.value, language)
  }
  return {
    id,
    title,
    address: addressOf(id),
    own: values.size > 0,
    enabled: show('enabled'),
    reserved: language.t('detachable.reserved', { seats: show('reservedSeats'), percent: show('reservedPercent') }),
    maxDays: show('maxDays'),
    offer: offer && writeOffer(offer, page),
  }
}

interface ShownProduct {
  readonly form?: Form
  readonly problems?: readonly FieldProblem[]
  readonly refused?: ReturnType<typeof describeRefusal>
}

function findProduct(page: Page, parts: Parts): Product | undefined {
  const id = `${page.param('vendor')}/${page.param('name')}`
  return listProducts(parts).find((product) => product.id === id)
}

export async function showProductDetaching(
  page: Page,
  parts: Parts,
  shown: ShownProduct = {},
  status = 200,
): Promise<void> {
  const { language } = page
  const { t } = language
  const product = findProduct(page, parts)
  if (product === undefined) return page.showProblem('unknown_product', t('products.gone'))
  const values = ownValues(product.id, parts)
  const common = settingsOf(own, parts)
  const problems = shown.problems ?? []
  const fields = ofProducts.flatMap((name) => {
    const entry = common.find((one) => one.name === `detach.${name}`)
    if (entry === undefined) return []
    const saved = values.get(name)?.value
    const isSwitch = entry.kind === 'switch'
    const value = shown.form?.[name] ?? (saved === undefined ? '' : isSwitch ? (saved ? 'on' : 'off') : String(saved))
    const forAll = t('detachable.as_for_all', { value: nameValue(entry, entry.value, language) })
    return [
      {
        id: name,
        name,
        label: language.translate(`setting.${entry.name}.label`, entry.label),
        type: isSwitch ? ('choice' as const) : ('text' as const),
        value,
        hint: isSwitch ? '' : t('detachable.empty', { value: nameValue(entry, entry.value, language) }),
        error: problems.find(({ field }) => field === name)?.message,
        unit: entry.unit === undefined ? undefined : language.translate(`unit.${entry.unit}`, entry.unit),
        choices: [
          { value: '', label: forAll },
          { value: 'on', label: t('form.on') },
          { value: 'off', label: t('form.off') },
        ],
      },
    ]
  })
  await page.show(
    'pages/detachable-product',
    {
      title: t('detachable.product_title', { product: product.title }),
      trail: [{ text: t('navigation.detachable'), address: own.address }],
      tabs: listTabs(own.tab, language),
      address: addressOf(product.id),
      back: own.address,
      fields,
      errors: listErrors(fields, problems, language),
      refused: shown.refused,
      wrong: status !== 200,
    },
    status,
  )
}

export async function changeProductDetaching(page: Page, parts: Parts): Promise<void> {
  const { language } = page
  const product = findProduct(page, parts)
  if (product === undefined) return page.showProblem('unknown_product', language.t('products.gone'))
  const read = await readForm(page.ctx)
  if (read.kind === 'refused') return page.refuse(read)
  const { form } = read
  const start = `detach.products.${product.id}.`
  const patch: ConfigurationPatch = {}
  const problems: FieldProblem[] = []
  const common = settingsOf(own, parts)
  for (const name of ofProducts) {
    const entry = common.find((one) => one.name === `detach.${name}`)
    const text = (form[name] ?? '').trim()
    const value: ConfigurationValue | undefined = text === '' || entry === undefined ? null : readValue(entry, text)
    const problem = entry === undefined || value === null ? undefined : findNumberProblem(entry, value, language)
    if (problem !== undefined) problems.push({ field: name, message: problem })
    else if (value !== undefined) patch[`${start}${name}`] = value
  }
  if (problems.length > 0) return showProductDetaching(page, parts, { form, problems }, 422)
  const outcome = await parts.configuration.change(patch, page.asker)
  if (outcome.kind === 'refused') {
    const wrong = readFieldProblems(outcome).map((one) => ({ ...one, field: one.field.slice(start.length) }))
    if (wrong.length > 0) return showProductDetaching(page, parts, { form, problems: wrong }, 422)
    return showProductDetaching(page, parts, { form, refused: describeRefusal(outcome, language) }, 422)
  }
  page.leadTo(own.address, { kind: 'good', key: 'said.product_saved', args: { product: product.title.slice(0, 200) } })
}
