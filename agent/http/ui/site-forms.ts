/**
 * What is typed on the pages about sites: adding and changing a site, keeping seats in advance, and the orders to a site. Must not
 * import owners.
 */
import { z } from 'zod'
import type { Refusal } from '../../errors.ts'
import type { FieldProblem } from '../api/shapes.ts'
import { placeId, reserveWish, type Site, siteWish } from '../api/site-shapes.ts'
import { describeIssue, refuseFields } from '../fields.ts'
import { isRefusal } from '../problem.ts'
import { type Form, readForm } from './form.ts'
import type { Page } from './page.ts'
import type { Parts } from './parts.ts'
import { listErrors, readFieldProblems } from './settings-form.ts'
import type { SiteField, SiteForms } from './site-parts.ts'
import { type SiteOrder, showSite, showSites, siteAddress } from './sites.ts'

/** What a form has, and what is wrong with it. */
interface Typed {
  readonly values: Form
  readonly problems?: readonly FieldProblem[]
}

const newSite = z.strictObject({ id: placeId, ...siteWish.shape })
const newReserve = z.strictObject({ id: placeId, ...reserveWish.shape })

export async function showSitesPage(page: Page, parts: Parts): Promise<void> {
  await showSites(page, parts, writeForms(page, parts, {}))
}

export async function showSitePage(page: Page, parts: Parts): Promise<void> {
  const site = parts.sites.get(page.param('id'))
  if (!site) return page.showProblem('unknown_site', page.language.t('sites.gone'))
  await showSite(page, parts, site, writeForms(page, parts, { site: { values: valuesOf(site) } }))
}

/** The page after it shows the token, which is never shown again; so it is no address that could be opened anew. */
export async function addSite(page: Page, parts: Parts): Promise<void> {
  const read = await readForm(page.ctx)
  if (read.kind === 'refused') return page.refuse(read)
  const { form } = read
  const wish = check(newSite, readSite(form))
  const isKnown = !isRefusal(wish) && parts.sites.get(wish.id) !== undefined
  const { t } = page.language
  const outcome = isRefusal(wish)
    ? wish
    : isKnown
      ? refuseField('id', t('sites.known'))
      : await parts.sites.define(wish.id, withoutId(wish))
  if (outcome.kind === 'refused') return refuseForm(page, parts, 'site', form, outcome)
  const site = parts.sites.get(isRefusal(wish) ? '' : wish.id)
  if (!site) return page.showProblem('unknown_site', t('sites.gone'))
  await showSite(page, parts, site, writeForms(page, parts, { site: { values: valuesOf(site) } }), outcome.token)
}

export async function changeSite(page: Page, parts: Parts): Promise<void> {
  const read = await readForm(page.ctx)
  if (read.kind === 'refused') return page.refuse(read)
  const { form } = read
  const site = parts.sites.get(page.param('id'))
  if (!site) return page.showProblem('unknown_site', page.language.t('sites.gone'))
  const { id: _, ...typed } = readSite(form)
  const wish = check(siteWish, typed)
  const outcome = isRefusal(wish) ? wish : await parts.sites.define(site.id, wish)
  if (outcome.kind === 'refused') {
    const problems = readFieldProblems(outcome)
    if (problems.length === 0) return page.refuse(outcome)
    return showSite(page, parts, site, writeForms(page, parts, { site: { values: form, problems } }))
  }
  page.leadTo(siteAddress(site.id), { kind: 'good', key: 'said.site_saved', args: { id: site.id } })
}

export async function keepReserve(page: Page, parts: Parts): Promise<void> {
  const read = await readForm(page.ctx)
  if (read.kind === 'refused') return page.refuse(read)
  const { form } = read
  const text = (name: string) => (form[`reserve-${name}`] ?? '').trim()
  const wish = check(newReserve, {
    id: text('id'),
    product: text('product'),
    ...(text('feature') === '' ? {} : { feature: text('feature') }),
    seats: number(text('seats')),
  })
  const outcome = isRefusal(wish) ? wish : await parts.reserves.put(wish.id, withoutId(wish))
  if (outcome.kind === 'refused') return refuseForm(page, parts, 'reserve', form, outcome)
  const id = isRefusal(wish) ? '' : wish.id
  const kept = parts.reserves.list().find((one) => one.id === id)
  page.leadTo('/configuration/sites', {
    kind: kept?.missing === undefined ? 'good' : 'warning',
    key: 'said.reserve_kept',
    args: { id, taken: kept?.taken ?? 0, asked: kept?.seats ?? 0 },
  })
}

export async function giveSiteOrder(page: Page, parts: Parts, order: SiteOrder): Promise<void> {
  const read = await readForm(page.ctx)
  if (read.kind === 'refused') return page.refuse(read)
  const id = page.param('id')
  const { sites } = parts
  if (order === 'token') {
    const outcome = await sites.renewToken(id)
    if (outcome.kind === 'refused') return page.refuse(outcome)
    const site = sites.get(id)
    if (!site) return page.showProblem('unknown_site', page.language.t('sites.gone'))
    return showSite(page, parts, site, writeForms(page, parts, { site: { values: valuesOf(site) } }), outcome.token)
  }
  const outcome = await (order === 'recycle' ? sites.recycle(id) : sites.remove(id))
  if (outcome.kind === 'refused') return page.refuse(outcome)
  const isRecycled = order === 'recycle'
  page.leadTo(isRecycled ? siteAddress(id) : '/configuration/sites', {
    kind: 'good',
    key: isRecycled ? 'said.site_recycled' : 'said.site_removed',
    args: { id: id.slice(0, 64) },
  })
}

async function refuseForm(
  page: Page,
  parts: Parts,
  which: 'site' | 'reserve',
  values: Form,
  refusal: Refusal,
): Promise<void> {
  const problems = readFieldProblems(refusal)
  if (problems.length === 0) return page.refuse(refusal)
  await showSites(page, parts, writeForms(page, parts, { [which]: { values, problems } }))
}

function refuseField(field: string, message: string): Refusal {
  return { kind: 'refused', code: 'invalid_request', detail: message, facts: { fields: [{ field, message }] } }
}

function withoutId<T extends { readonly id: string }>({ id: _, ...rest }: T): Omit<T, 'id'> {
  return rest
}

function check<T extends z.ZodType>(schema: T, value: unknown): z.output<T> | Refusal {
  const result = schema.safeParse(value, { error: describeIssue })
  return result.success ? result.data : refuseFields(result.error)
}

/** An empty field is one that was not given; what is no number is refused with the text that was typed. */
function number(text: string): unknown {
  return text === '' ? undefined : Number(text)
}

function readSite(form: Form) {
  const text = (name: string) => (form[name] ?? '').trim()
  const minutes = number(text('inactivityMinutes'))
  return {
    id: text('id'),
    serverProduct: text('serverProduct'),
    clientProduct: text('clientProduct'),
    seats: number(text('seats')),
    recycle: { cron: text('cron'), zone: text('zone') },
    ...(minutes === undefined ? {} : { inactivityMinutes: minutes }),
  }
}

function valuesOf({ serverProduct, clientProduct, seats, recycle, inactivityMinutes }: Site): Form {
  return {
    serverProduct,
    clientProduct,
    seats: String(seats),
    inactivityMinutes: String(inactivityMinutes),
    cron: recycle.cron,
    zone: recycle.zone,
  }
}

function writeForms(
  page: Page,
  parts: Parts,
  { site = { values: {} }, reserve = { values: {} } }: { readonly site?: Typed; readonly reserve?: Typed },
): SiteForms {
  const { language, zone } = page
  const { t } = language
  const products = parts.products.list().map(({ id }) => id)
  const field = (
    typed: Typed,
    prefix: string,
    name: string,
    label: string,
    more: Partial<SiteField> = {},
  ): SiteField => {
    const problem = typed.problems?.find((one) => one.field.split('.').at(-1) === name)
    return {
      id: prefix + name,
      name: prefix + name,
      label,
      type: 'text',
      value: typed.values[prefix + name] ?? '',
      error: problem?.message,
      ...more,
      ...(typed.values[prefix + name] === undefined ? {} : { value: typed.values[prefix + name] as string }),
    }
  }
  const suggestions = { suggestions: products }
  const seats = { type: 'number' as const, min: 1, max: 1000, required: true }
  const minutes = { type: 'number' as const, min: 1, max: 10_080, value: '240', unit: t('sites.minutes') }
  const siteFields = [
    field(site, '', 'id', t('sites.id'), { hint: t('sites.id_hint'), required: true }),
    field(site, '', 'serverProduct', t('sites.server_product'), {
      hint: t('sites.server_product_hint'),
      required: true,
      ...suggestions,
    }),
    field(site, '', 'clientProduct', t('sites.client_product'), {
      hint: t('sites.client_product_hint'),
      required: true,
      ...suggestions,
    }),
    field(site, '', 'seats', t('sites.seats'), seats),
    field(site, '', 'inactivityMinutes', t('sites.inactivity'), { ...minutes, hint: t('sites.inactivity_hint') }),
    field(site, '', 'cron', t('sites.cron'), { hint: t('sites.cron_hint'), value: '30 4 * * *' }),
    field(site, '', 'zone', t('sites.zone'), { hint: t('sites.zone_hint'), value: zone }),
  ]
  const reserveFields = [
    field(reserve, 'reserve-', 'id', t('sites.id'), { hint: t('sites.reserve_id_hint'), required: true }),
    field(reserve, 'reserve-', 'product', t('sites.product'), { required: true, ...suggestions }),
    field(reserve, 'reserve-', 'feature', t('sites.feature'), { hint: t('sites.feature_hint') }),
    field(reserve, 'reserve-', 'seats', t('sites.reserve_seats'), seats),
  ]
  const errors = listErrors(
    [...siteFields, ...reserveFields],
    [...(site.problems ?? []), ...(reserve.problems ?? [])],
    language,
  )
  return { site: siteFields, reserve: reserveFields, ...(errors === undefined ? {} : { errors }) }
}
