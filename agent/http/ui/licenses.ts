/**
 * Licenses: the list, adding by text or file, and everything that one license says. Must not import owners.
 */
import { readForm } from './form.ts'
import { writeLicenseRow } from './license-rows.ts'
import { describeRefusal, type Page } from './page.ts'
import type { Parts } from './parts.ts'
import { chooseFormat, writeTable } from './table.ts'
import { lookAround } from './whereabouts.ts'

export async function showLicenses(page: Page, parts: Parts): Promise<void> {
  const { language, ctx } = page
  const licenses = parts.licenses.list()
  const format = chooseFormat(page)
  if (format === 'json') {
    ctx.set('Cache-Control', 'no-store')
    ctx.body = { items: licenses, total: licenses.length }
    return
  }
  if (format === 'csv') {
    ctx.set('Cache-Control', 'no-store')
    ctx.type = 'text/csv; charset=utf-8'
    ctx.attachment('licenses.csv')
    ctx.body = writeTable(
      ['id', 'state', 'kind', 'vendor', 'product', 'seats', 'used', 'beginsAt', 'endsAt', 'manager'],
      licenses.flatMap((license) =>
        license.products.map((product) => [
          license.id,
          license.state,
          license.kind,
          license.vendor.name,
          product.product,
          product.seats,
          product.used,
          license.beginsAt,
          license.endsAt,
          license.manager.name,
        ]),
      ),
    )
    return
  }
  const where = lookAround(parts, language)
  await page.show('pages/licenses', {
    title: language.t('navigation.licenses'),
    rows: licenses.map((license) => writeLicenseRow(license, page, where)),
    refresh: parts.frame().refreshSeconds,
  })
}

export function showAddLicense(page: Page): Promise<void> {
  return page.show('pages/license-add', addLocals(page, ''))
}

function addLocals(page: Page, text: string) {
  const { t } = page.language
  return {
    title: t('add.title'),
    trail: [{ text: t('navigation.licenses'), address: '/licenses' }],
    text,
    refused: undefined,
    error: undefined,
  }
}

export async function addLicense(page: Page, parts: Parts): Promise<void> {
  const { t } = page.language
  const read = await readForm(page.ctx)
  if (read.kind === 'refused') return page.refuse(read)
  const { form } = read
  // A chosen file wins over a text that was left in the field.
  const text = form.file?.trim() ? form.file : (form.text ?? '')
  if (text.trim() === '') {
    return page.show('pages/license-add', { ...addLocals(page, ''), wrong: true, error: t('add.nothing') }, 422)
  }
  const outcome = await parts.licenses.add({ text, trust: form.trust === 'yes' })
  if (outcome.kind === 'added') {
    const [first] = outcome.licenses
    const waiting = outcome.licenses.find(({ state, actions }) => state === 'not_activated' && actions.length > 0)
    const one = waiting ?? (outcome.licenses.length === 1 ? first : undefined)
    const address = one === undefined ? '/licenses' : `/licenses/${encodeURIComponent(one.id)}`
    page.leadTo(waiting === undefined ? address : `${address}/activate`, {
      kind: 'good',
      key: waiting === undefined ? 'said.added' : 'said.added_activate',
      args: { count: outcome.licenses.length },
    })
    return
  }
  if (outcome.code === 'untrusted_vendor') {
    await page.show(
      'pages/license-trust',
      {
        ...addLocals(page, text),
        title: t('trust.title'),
        vendor: String(outcome.facts?.vendor ?? ''),
        fingerprint: String(outcome.facts?.fingerprint ?? ''),
        detail: outcome.detail,
      },
      409,
    )
    return
  }
  const refused = describeRefusal(outcome, page.language)
  await page.show('pages/license-add', { ...addLocals(page, text), wrong: true, refused, error: refused.title }, 422)
}

export async function showLicense(page: Page, parts: Parts): Promise<void> {
  const { language, time } = page
  const { t } = language
  const license = parts.licenses.get(page.param('id'))
  if (license === undefined) return page.showProblem('unknown_license', t('licenses.gone'))
  const row = writeLicenseRow(license, page, lookAround(parts, language))
  const show = (at: string | undefined) => (at === undefined ? undefined : time.show(at))
  await page.show('pages/license', {
    title: row.name,
    trail: [{ text: t('navigation.licenses'), address: '/licenses' }],
    row,
    license,
    times: {
      begins: show(license.beginsAt),
      issued: show(license.issuedAt),
      installed: show(license.installedAt),
      activated: show(license.activation.activatedAt),
      activationEnds: show(license.activation.endsAt),
    },
    links: Object.entries(license.links).filter(([, address]) => address.startsWith('https://')),
    sessions: `/sessions?${new URLSearchParams({ license: license.id })}`,
  })
}
