/**
 * Products > Detach, in three steps: who takes the seats along, until when, and a look at what it will be before it is done.
 * What was chosen travels with the forms; nothing is kept between the steps. Must not import owners.
 */
import type { Refusal } from '../../errors.ts'
import type { DetachableProduct } from '../api/detachment-shapes.ts'
import { readDay } from './calendar.ts'
import { type DetachForm, readDetachForm, type Wished, wishOf } from './detach-form.ts'
import { writeOffer, writePlan } from './detached-rows.ts'
import { readForm } from './form.ts'
import { describeRefusal, type Page } from './page.ts'
import type { Parts } from './parts.ts'
import { productAddress } from './product-rows.ts'
import { askToSignIn } from './sign-in.ts'

interface Shown {
  readonly wished: Wished
  readonly field?: 'to' | 'agent' | 'recipient' | 'until' | 'seats' | undefined
  readonly error?: string | undefined
  readonly refused?: ReturnType<typeof describeRefusal> | undefined
}

interface Found {
  readonly id: string
  readonly title: string
  readonly address: string
  /** Of this agent, for other machines. */
  readonly own: readonly DetachableProduct[]
  /** Of other agents, for this machine. */
  readonly others: readonly DetachableProduct[]
}

/** Days that are filled in at first. */
const usualDays = 7
const day = 86_400_000

function findProduct(parts: Parts, id: string): Found | undefined {
  const offers = parts.detaching.offers().filter(({ product }) => product === id)
  const product = parts.products.list().find((one) => one.id === id)
  const title = product?.title ?? offers.find((offer) => offer.title !== undefined)?.title
  if (title === undefined || product?.name === '*') return undefined
  return {
    id,
    title,
    address: `${productAddress(id)}/detach`,
    own: offers.filter(({ local }) => local),
    others: offers.filter(({ local }) => !local),
  }
}

function findAsked(page: Page, parts: Parts): Found | undefined {
  return findProduct(parts, `${page.param('vendor')}/${page.param('name')}`)
}

function frameOf(page: Page, found: Found, step: 1 | 2 | 3) {
  const { t } = page.language
  return {
    title: t('detach.title', { product: found.title }),
    trail: [
      { text: t('navigation.products'), address: '/products' },
      { text: found.title, address: productAddress(found.id) },
    ],
    address: found.address,
    cancel: productAddress(found.id),
    step,
    stepNames: [t('detach.step_recipient'), t('detach.step_until'), t('detach.step_check')],
    product: found.id,
  }
}

/** What is wrong with one field stands there and in the summary above, else it stands above alone. */
function wrongOf({ field, error, refused }: Shown, labels: Readonly<Partial<Record<string, string>>>, page: Page) {
  const errors =
    field === undefined || error === undefined
      ? undefined
      : {
          title: page.language.t('form.wrong', { count: 1 }),
          items: [{ field, label: labels[field] ?? '', message: error }],
        }
  return { errors, refused, wrong: errors !== undefined || refused !== undefined, wrongField: field, error }
}

// ---- step 1: who takes it along

export async function showDetach(page: Page, parts: Parts): Promise<void> {
  const found = findAsked(page, parts)
  if (found === undefined) return page.showProblem('unknown_product', page.language.t('products.gone'))
  await showRecipient(page, parts, found, { wished: readDetachForm({}) })
}

async function showRecipient(page: Page, parts: Parts, found: Found, shown: Shown, status = 200): Promise<void> {
  const { language } = page
  const { t } = language
  const { wished } = shown
  const known = parts.managers.list().filter(({ approval }) => approval !== 'denied' && approval !== 'pending')
  const here = found.others.length > 0 || found.own.length === 0
  const ways = [
    ...(here ? [{ value: 'here', label: t('detach.to_here', { machine: parts.frame().machineName }) }] : []),
    ...(found.own.length > 0 && known.length > 0 ? [{ value: 'agent', label: t('detach.to_agent') }] : []),
    ...(found.own.length > 0 ? [{ value: 'block', label: t('detach.to_block') }] : []),
  ].map((way) => ({ ...way, hint: t(`detach.to_${way.value}_hint`) }))
  const chosen = ways.some(({ value }) => value === wished.to) ? wished.to : (ways[0]?.value ?? 'here')
  const labels = { agent: t('detach.agent'), recipient: t('detach.block') }
  await page.show(
    'pages/detach-recipient',
    {
      ...frameOf(page, found, 1),
      ...wrongOf(shown, labels, page),
      wished: { ...wished, seats: wished.seats ?? 1 },
      ways,
      to: chosen,
      agents: known.map(({ id, name }) => ({ value: id, label: name })),
      off: parts.detaching.enabled(found.id) ? undefined : t('detach.off', { machine: parts.frame().machineName }),
      nothing: found.own.length === 0 && found.others.length === 0,
      offers: [...found.others, ...found.own].map((offer) => writeOffer(offer, page)),
    },
    status,
  )
}

// ---- step 2: until when

async function showUntil(page: Page, parts: Parts, found: Found, shown: Shown, status = 200): Promise<void> {
  const { language, time } = page
  const { t } = language
  const { wished } = shown
  const offers = wished.to === 'here' ? found.others : found.own
  const latest = offers
    .flatMap((offer) => (offer.latest === undefined ? [] : [Date.parse(offer.latest)]))
    .sort((a, b) => a - b)
    .at(-1)
  const now = parts.now()
  const usual = Math.min(now + usualDays * day, latest ?? Number.POSITIVE_INFINITY)
  const until = wished.until || time.calendarDay(usual)
  const features = [...new Set(offers.flatMap((offer) => offer.features))].sort()
  const labels = { until: t('detach.until'), seats: t('session.seats') }
  await page.show(
    'pages/detach-until',
    {
      ...frameOf(page, found, 2),
      ...wrongOf(shown, labels, page),
      wished: { ...wished, until, seats: wished.seats ?? '' },
      recipient: nameRecipient(page, parts, wished),
      offers: offers.map((offer) => writeOffer(offer, page)),
      first: time.calendarDay(now),
      last: latest === undefined ? '' : time.calendarDay(latest),
      spelled: time.spellDay(readDay(until, page.zone) ?? usual),
      ways: [
        { value: 'date', label: t('detach.how_date') },
        { value: 'soft', label: t('detach.how_soft'), hint: t('detach.how_soft_hint') },
      ],
      features: [
        { value: '', label: t('detach.whole') },
        ...features.map((feature) => ({ value: feature, label: feature })),
      ],
      managers: [
        { value: '', label: t('detach.any_manager') },
        ...offers.map(({ manager }) => ({ value: manager.id, label: manager.name })),
      ],
      most: Math.max(1, ...offers.map(({ detachable }) => detachable)),
    },
    status,
  )
}

function nameRecipient(page: Page, parts: Parts, wished: Wished): string {
  if (wished.to === 'here') return parts.frame().machineName
  if (wished.to === 'agent') return parts.managers.list().find(({ id }) => id === wished.agent)?.name ?? wished.agent
  return page.language.t('detach.named_by_block')
}

// ---- the forms

/** From the page of a product. */
export async function takeDetach(page: Page, parts: Parts): Promise<void> {
  const read = await readForm(page.ctx)
  if (read.kind === 'refused') return page.refuse(read)
  await goOn(page, parts, findAsked(page, parts), readDetachForm(read.form))
}

/** From a recipient block on Update/Attach: the product stands in the form. */
export async function takeDetachFor(page: Page, parts: Parts): Promise<void> {
  const read = await readForm(page.ctx)
  if (read.kind === 'refused') return page.refuse(read)
  const wished = readDetachForm(read.form)
  await goOn(page, parts, findProduct(parts, wished.product), { ...wished, to: 'block' })
}

async function goOn(page: Page, parts: Parts, found: Found | undefined, wished: DetachForm): Promise<void> {
  const { t } = page.language
  if (found === undefined) return page.showProblem('unknown_product', t('products.gone'))
  // Only to this machine its people may detach on their own word.
  if (wished.to !== 'here' && !(await parts.administrator.may('change', page.asker)))
    return askToSignIn(page, found.address)
  const problem = findProblem(wished, page)
  if (wished.step === 'recipient' || problem?.step === 1) {
    const wrong = wished.step === 'recipient' ? undefined : problem
    return showRecipient(page, parts, found, { wished, ...wrong }, wrong === undefined ? 200 : 422)
  }
  if (wished.step === 'until') return showUntil(page, parts, found, { wished })
  if (problem !== undefined) return showUntil(page, parts, found, { wished, ...problem }, 422)
  const wish = wishOf(wished, found.id)
  if (wished.step === 'check') {
    const planned = await parts.detaching.plan(wish)
    if (planned.kind === 'refused') return showWhy(page, parts, found, wished, planned)
    await page.show('pages/detach-check', {
      ...frameOf(page, found, 3),
      wished,
      order: parts.detaching.order(),
      plan: writePlan(planned.plan, wish, page),
      button: wished.to === 'here' ? t('detach.button_attach') : t('detach.button'),
    })
    return
  }
  const made = await parts.detaching.detach(wish, wished.order === '' ? undefined : wished.order)
  if (made.kind === 'refused') return showWhy(page, parts, found, wished, made)
  const { detachment } = made
  const args = {
    product: found.title.slice(0, 200),
    machine: detachment.recipient.name.slice(0, 200),
    time: page.time.spell(detachment.until, detachment.zone),
  }
  const key =
    wished.to === 'here' ? 'said.attached' : wished.to === 'agent' ? 'said.detached_waits' : 'said.detached_block'
  page.leadTo(`/detached/${encodeURIComponent(detachment.id)}`, { kind: 'good', key, args })
}

/** What the forms themselves can tell. */
function findProblem({ to, agent, recipient, how, until, seats }: DetachForm, { language, zone }: Page) {
  const { t } = language
  if (to === 'agent' && agent === '') return { step: 1, field: 'agent', error: t('detach.agent_missing') } as const
  if (to === 'block' && recipient === '')
    return { step: 1, field: 'recipient', error: t('detach.block_missing') } as const
  if (how === 'date' && readDay(until, zone) === undefined)
    return { step: 2, field: 'until', error: t('detach.until_missing') } as const
  if (seats === undefined) return { step: 2, field: 'seats', error: t('form.number') } as const
  return undefined
}

const ofRecipient: readonly string[] = [
  'not_a_document',
  'bad_signature',
  'document_altered',
  'wrong_recipient',
  'unknown_peer',
  'clocks_differ',
]

/** At the step where it can be put right, with the value that would be allowed. */
async function showWhy(page: Page, parts: Parts, found: Found, wished: DetachForm, refusal: Refusal): Promise<void> {
  const { language } = page
  const { code, facts = {} } = refusal
  if (ofRecipient.includes(code)) {
    const field = wished.to === 'agent' ? 'agent' : wished.to === 'block' ? 'recipient' : undefined
    const error = language.t(`error.${code}.title`)
    return showRecipient(page, parts, found, { wished, field, error, refused: describeRefusal(refusal, language) }, 422)
  }
  const shown = writeWhy(refusal, page)
  if (shown !== undefined) return showUntil(page, parts, found, { wished, ...shown }, 422)
  const { machine } = facts
  const said = describeRefusal(refusal, language)
  const text = typeof machine === 'string' ? language.t('detach.off', { machine: machine.slice(0, 64) }) : said.text
  return showUntil(page, parts, found, { wished, refused: { ...said, text } }, 409)
}

/** What is wrong with a date or a number of seats, in the words of the page. */
export function writeWhy({ code, facts = {} }: Refusal, { language, time }: Pick<Page, 'language' | 'time'>) {
  const { t } = language
  const { latest, detachable, after } = facts
  if (code === 'too_many_seats' && typeof detachable === 'number')
    return { field: 'seats', error: t('detach.seats_at_most', { count: detachable }) } as const
  if (code === 'date_in_past')
    return {
      field: 'until',
      error: typeof after === 'string' ? t('detach.after', { time: time.spell(after) }) : t('error.date_in_past.title'),
    } as const
  if ((code === 'beyond_maximum' || code === 'beyond_license_end') && typeof latest === 'string')
    return {
      field: 'until',
      error: t('detach.latest', { why: t(`error.${code}.title`), time: time.spell(latest) }),
    } as const
  return undefined
}
