/**
 * Products: how many seats there are, in use and free, license by license; the license mode; counting anew. Must not import owners.
 */
import type { Product } from '../api/license-shapes.ts'
import { writeOffer } from './detached-rows.ts'
import { readForm } from './form.ts'
import { describeRefusal, type Page } from './page.ts'
import type { Parts } from './parts.ts'
import { licenseModes } from './product-parts.ts'
import { productAddress, writeFeatureRow, writeProductRow } from './product-rows.ts'
import { writeSessionRow } from './session-rows.ts'
import { readFieldProblems } from './settings-form.ts'
import { chooseFormat, hasWords, sendList, writeAddress } from './table.ts'
import { lookAround } from './whereabouts.ts'

const shownSessions = 20

export async function showProducts(page: Page, parts: Parts): Promise<void> {
  const { language } = page
  const search = (page.query().q ?? '').trim().slice(0, 255)
  const all = parts.products.list()
  const found = search === '' ? all : all.filter(({ id, title }) => hasWords(search, [id, title]))
  const format = chooseFormat(page)
  if (format !== 'html') {
    const head = ['product', 'title', 'vendor', 'seats', 'used', 'free', 'anyProductFree', 'waiting', 'mode', 'count']
    return sendList(
      page,
      format,
      'products',
      found,
      [...head, 'license', 'state', 'licenseSeats', 'licenseUsed'],
      (one) =>
        (one.licenses.length > 0 ? one.licenses : [undefined]).map((license) => [
          one.id,
          one.title,
          one.vendor,
          one.seats,
          one.used,
          one.free,
          one.anyProductFree,
          one.waiting,
          parts.products.mode(one.id).mode,
          one.count,
          license?.license,
          license?.state,
          license?.seats,
          license?.used,
        ]),
    )
  }
  const where = lookAround(parts, language)
  const detachable = findDetachable(parts)
  await page.show('pages/products', {
    title: language.t('navigation.products'),
    rows: found.map((one) => writeProductRow(one, parts.products.mode(one.id).mode, page, where, detachable(one.id))),
    total: all.length,
    query: search,
    refresh: parts.frame().refreshSeconds,
    csv: writeAddress('/products', { q: search, format: 'csv' }),
    json: writeAddress('/products', { q: search, format: 'json' }),
  })
}

/** Products that this machine offers to take along: its own switch is on, and somebody has seats that may leave. */
function findDetachable(parts: Parts): (product: string) => boolean {
  const offered = new Set(parts.detaching.offers().map(({ product }) => product))
  return (product) => offered.has(product) && parts.detaching.enabled(product)
}

function findProduct(page: Page, parts: Parts): Product | undefined {
  const id = `${page.param('vendor')}/${page.param('name')}`
  const found = parts.products.list().filter((product) => product.id === id)
  return found.find(({ local }) => local) ?? found[0]
}

/** `/products/cad` and `/products/acme%2Fcad` lead to `/products/acme/cad`. */
export async function leadToProduct(page: Page, parts: Parts): Promise<void> {
  const name = page.param('id')
  const found = parts.products.list().filter((product) => product.id === name || product.name === name)
  const [only] = found
  if (only !== undefined && found.length === 1) page.leadTo(productAddress(only.id))
  else
    await page.showProblem(
      found.length === 0 ? 'unknown_product' : 'ambiguous_product',
      page.language.t('products.gone'),
    )
}

export async function showProduct(page: Page, parts: Parts): Promise<void> {
  const { language } = page
  const { t } = language
  const product = findProduct(page, parts)
  if (product === undefined) return page.showProblem('unknown_product', t('products.gone'))
  const sessions = parts.sessions.list({
    search: '',
    product: product.id,
    sort: 'since',
    descending: true,
    offset: 0,
    limit: shownSessions,
  })
  const features = parts.features.list().filter((feature) => feature.product === product.id)
  const { mode, manager } = parts.products.mode(product.id)
  const where = lookAround(parts, language)
  const row = writeProductRow(product, mode, page, where, findDetachable(parts)(product.id))
  const offers = parts.detaching.offers().filter((offer) => offer.product === product.id)
  const elsewhere = parts.products.list().filter((one) => one.id === product.id && one !== product)
  await page.show('pages/product', {
    title: row.title,
    trail: [{ text: t('navigation.products'), address: '/products' }],
    row,
    local: product.local,
    offers: offers.map((offer) => writeOffer(offer, page)),
    elsewhere: elsewhere.map((one) => writeProductRow(one, mode, page, where)),
    modeText: mode === 'local' || manager === '' ? row.mode : t('mode.with_manager', { mode: row.mode, manager }),
    features: features.map((feature) => writeFeatureRow(feature, language, where)),
    holders: sessions.items.map((session) => writeSessionRow(session, page, where)),
    sessions: sessions.total,
    sessionsAddress: writeAddress('/sessions', { product: product.id }),
    refresh: parts.frame().refreshSeconds,
  })
}

const saved = { both: 'said.mode_both', local: 'said.mode_local', network: 'said.mode_network' } as const

interface ShownMode {
  readonly mode?: string
  readonly manager?: string
  readonly error?: string
  readonly refused?: ReturnType<typeof describeRefusal>
}

export async function showMode(page: Page, parts: Parts, shown: ShownMode = {}, status = 200): Promise<void> {
  const { t } = page.language
  const product = findProduct(page, parts)
  if (product === undefined || product.name === '*') return page.showProblem('unknown_product', t('products.gone'))
  const kept = parts.products.mode(product.id)
  await page.show(
    'pages/product-mode',
    {
      title: t('mode.title', { product: product.title }),
      trail: [
        { text: t('navigation.products'), address: '/products' },
        { text: product.title, address: productAddress(product.id) },
      ],
      address: productAddress(product.id),
      mode: shown.mode ?? kept.mode,
      choices: licenseModes.map((value) => ({ value, label: t(`mode.${value}`) })),
      manager: shown.manager ?? kept.manager,
      suggestions: parts.managers
        .list()
        .filter(({ offers }) => offers.some((offer) => offer.product === product.id))
        .flatMap(({ addresses }) => addresses.slice(0, 1).map(({ address }) => address)),
      error: shown.error,
      refused: shown.refused,
      wrong: status !== 200,
    },
    status,
  )
}

export async function changeMode(page: Page, parts: Parts): Promise<void> {
  const { t } = page.language
  const product = findProduct(page, parts)
  if (product === undefined || product.name === '*') return page.showProblem('unknown_product', t('products.gone'))
  const read = await readForm(page.ctx)
  if (read.kind === 'refused') return page.refuse(read)
  const manager = (read.form.manager ?? '').trim()
  const mode = licenseModes.find((one) => one === read.form.mode) ?? parts.products.mode(product.id).mode
  const patch = {
    [`products.${product.id}.mode`]: mode,
    [`products.${product.id}.manager`]: manager === '' ? null : manager,
  }
  const outcome = await parts.configuration.change(patch, page.asker)
  if (outcome.kind === 'refused') {
    const error = readFieldProblems(outcome).find(({ field }) => field.endsWith('.manager'))?.message
    const refused = error === undefined ? { refused: describeRefusal(outcome, page.language) } : { error }
    return showMode(page, parts, { mode, manager, ...refused }, 422)
  }
  page.leadTo(productAddress(product.id), { kind: 'good', key: saved[mode], args: {} })
}

export async function recountProduct(page: Page, parts: Parts): Promise<void> {
  const { t } = page.language
  const product = findProduct(page, parts)
  if (product === undefined) return page.showProblem('unknown_product', t('products.gone'))
  const before = product.used
  const outcome = await parts.products.recount(product.id)
  if (outcome.kind === 'refused') return page.refuse(outcome)
  const own = outcome.licenses.filter(({ any }) => any === (product.name === '*'))
  const counted = own.reduce((sum, one) => sum + one.counted, 0)
  const differing = outcome.licenses.filter((one) => one.kept !== one.counted)
  const details = differing.map((one) => `${one.license}: ${one.kept} → ${one.counted}`).join('; ')
  const address = productAddress(product.id)
  if (differing.length > 0)
    page.leadTo(address, { kind: 'warning', key: 'said.recount_differs', args: { details: details.slice(0, 500) } })
  else if (counted !== before)
    page.leadTo(address, { kind: 'notice', key: 'said.recount_freed', args: { count: counted, before } })
  else page.leadTo(address, { kind: 'good', key: 'said.recount_same', args: { count: counted } })
}
