/**
 * What happens to an installed license: activate by exchanging blocks, deactivate with a receipt, remove.
 * Must not import owners.
 */
import { readForm } from './form.ts'
import { type LicenseRow, writeLicenseRow } from './license-rows.ts'
import { describeRefusal, type Page } from './page.ts'
import type { Parts } from './parts.ts'
import { drawQr } from './qr.ts'
import { lookAround } from './whereabouts.ts'

function findLicense(page: Page, parts: Parts) {
  const license = parts.licenses.get(page.param('id'))
  if (license === undefined) return undefined
  const row = writeLicenseRow(license, page, lookAround(parts, page.language))
  const trail = [
    { text: page.language.t('navigation.licenses'), address: '/licenses' },
    { text: row.name, address: row.address },
  ]
  return { license, row, trail }
}

interface ActivationPage {
  readonly request?: { readonly text: string; readonly fingerprint: string | undefined }
  readonly text?: string
  readonly refused?: ReturnType<typeof describeRefusal>
  readonly error?: string
}

export async function showActivate(page: Page, parts: Parts, shown: ActivationPage = {}, status = 200): Promise<void> {
  const { t } = page.language
  const found = findLicense(page, parts)
  if (found === undefined) return page.showProblem('unknown_license', t('licenses.gone'))
  const { row, trail, license } = found
  await page.show(
    'pages/license-activate',
    {
      title: t('activate.title', { name: row.name }),
      trail,
      row,
      url: license.activation.url?.startsWith('https://') ? license.activation.url : undefined,
      filename: `activation-request-${license.id.replace(/[^\w-]/g, '').slice(0, 40)}.txt`,
      request: shown.request && { ...shown.request, qr: drawQr(shown.request.text) },
      text: shown.text ?? '',
      refused: shown.refused,
      error: shown.error,
      wrong: status !== 200,
    },
    status,
  )
}

/** Two forms of one page: `step=request` makes the block for the vendor, `step=answer` applies the vendor's block. */
export async function activate(page: Page, parts: Parts): Promise<void> {
  const { language } = page
  const id = page.param('id')
  const read = await readForm(page.ctx)
  if (read.kind === 'refused') return page.refuse(read)
  if (read.form.step === 'request') {
    const made = await parts.licenses.requestActivation(id)
    if (made.kind === 'refused') return page.refuse(made)
    return showActivate(page, parts, { request: { text: made.request, fingerprint: made.fingerprint } })
  }
  const text = read.form.file?.trim() ? read.form.file : (read.form.text ?? '')
  if (text.trim() === '') return showActivate(page, parts, { error: language.t('activate.nothing') }, 422)
  const outcome = await parts.licenses.activate(id, text)
  if (outcome.kind === 'activated') {
    page.leadTo(`/licenses/${encodeURIComponent(id)}`, { kind: 'good', key: 'said.activated', args: {} })
    return
  }
  if (outcome.code === 'unknown_license') return page.refuse(outcome)
  const refused = describeRefusal(outcome, language)
  await showActivate(page, parts, { text, refused, error: refused.title }, 422)
}

export async function askDeactivate(page: Page, parts: Parts): Promise<void> {
  const { t } = page.language
  const found = findLicense(page, parts)
  if (found === undefined) return page.showProblem('unknown_license', t('licenses.gone'))
  await showDeactivate(page, found, [t('deactivate.consequence', { name: found.row.name })], false)
}

async function showDeactivate(
  page: Page,
  { row, trail }: { readonly row: LicenseRow; readonly trail: readonly { text: string; address: string }[] },
  texts: readonly string[],
  overlap: boolean,
  status = 200,
): Promise<void> {
  const { t } = page.language
  await page.show(
    'pages/confirm',
    {
      title: t('deactivate.title', { name: row.name }),
      trail,
      confirm: {
        texts,
        action: `${row.address}/deactivate`,
        cancel: row.address,
        button: overlap ? t('deactivate.button_overlap') : t('deactivate.button'),
        hidden: overlap ? { name: 'overlap', value: 'yes' } : undefined,
      },
    },
    status,
  )
}

export async function deactivate(page: Page, parts: Parts): Promise<void> {
  const { language, time } = page
  const { t } = language
  const found = findLicense(page, parts)
  if (found === undefined) return page.showProblem('unknown_license', t('licenses.gone'))
  const read = await readForm(page.ctx)
  if (read.kind === 'refused') return page.refuse(read)
  const { row, trail, license } = found
  const outcome = await parts.licenses.deactivate(license.id, read.form.overlap === 'yes')
  if (outcome.kind === 'refused') {
    if (outcome.code !== 'license_in_use' && outcome.code !== 'seats_detached') return page.refuse(outcome)
    return showDeactivate(page, found, [outcome.detail, t('deactivate.overlap')], true, 409)
  }
  if (outcome.kind === 'deactivating') {
    const args = { time: time.show(outcome.freeAt).exact }
    // It waits for the last seat; who can't wait may have the receipt now, where the license allows that.
    if (license.overlapAllowed)
      return showDeactivate(page, found, [t('said.deactivating', args), t('deactivate.overlap')], true, 202)
    page.leadTo(row.address, { kind: 'notice', key: 'said.deactivating', args })
    return
  }
  await page.show('pages/license-receipt', {
    title: t('receipt.title', { name: row.name }),
    trail,
    receipt: outcome.receipt,
    qr: drawQr(outcome.receipt),
    filename: `deactivation-${license.id.replace(/[^\w-]/g, '').slice(0, 40)}.txt`,
    row,
  })
}

export async function askRemove(page: Page, parts: Parts): Promise<void> {
  const { t } = page.language
  const found = findLicense(page, parts)
  if (found === undefined) return page.showProblem('unknown_license', t('licenses.gone'))
  const { row, trail } = found
  const used = found.license.products.reduce((sum, product) => sum + product.used, 0)
  await page.show('pages/confirm', {
    title: t('remove.title', { name: row.name }),
    trail,
    confirm: {
      texts: [
        t('remove.consequence', { name: row.name }),
        used > 0 ? t('remove.used', { count: used }) : t('remove.unused'),
      ],
      action: `${row.address}/remove`,
      cancel: row.address,
      button: t('remove.button'),
    },
  })
}

export async function remove(page: Page, parts: Parts): Promise<void> {
  const outcome = await parts.licenses.remove(page.param('id'))
  if (outcome.kind === 'refused') return page.refuse(outcome)
  page.leadTo('/licenses', { kind: 'good', key: 'said.removed', args: {} })
}
