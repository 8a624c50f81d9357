/**
 * Update/Attach: whatever block was received is pasted or uploaded, looked at, and applied. Must not import owners.
 */
import type { RecognizedDocument } from '../api/license-shapes.ts'
import { readForm } from './form.ts'
import { describeRefusal, type Page } from './page.ts'
import type { Parts } from './parts.ts'
import { drawQr } from './qr.ts'

interface ShownUpdate {
  readonly text?: string
  readonly error?: string
  readonly refused?: ReturnType<typeof describeRefusal>
  readonly documents?: readonly RecognizedDocument[]
  readonly applied?: boolean
}

export async function showUpdate(page: Page, parts: Parts, shown: ShownUpdate = {}, status = 200): Promise<void> {
  const { t } = page.language
  const documents = (shown.documents ?? []).map((one) => writeDocument(page, one, parts))
  const usable = documents.filter(({ usable: is }) => is).length
  const asksTrust = (shown.documents ?? []).some((one) => one.refused?.code === 'untrusted_vendor')
  await page.show(
    'pages/update',
    {
      title: t('navigation.update'),
      text: shown.text ?? '',
      error: shown.error,
      refused: shown.refused,
      documents,
      applied: shown.applied === true,
      usable,
      asksTrust,
      // What a recipient block is good for: seats of this agent, for the machine that it names.
      products: documents.some(({ recipient }) => recipient) ? listDetachable(parts) : [],
      count: documents.length,
      wrong: status !== 200,
    },
    status,
  )
}

/** Kinds of blocks that have words of their own in the catalogs. */
export const documentKinds = [
  'license',
  'activation-request',
  'activation',
  'recipient',
  'detachment',
  'return-receipt',
  'deactivation',
  'unknown',
] as const

function listDetachable(parts: Parts) {
  return parts.detaching
    .offers()
    .filter(({ local, detachable }) => local && detachable > 0)
    .map(({ product, title }) => ({ value: product, label: title ?? product }))
}

function writeDocument({ language }: Page, document: RecognizedDocument, parts: Parts) {
  const { t } = language
  const { refused, license, type, detachment, block, id } = document
  const known = documentKinds.find((one) => one === type)
  return {
    type: known === undefined ? type : t(`document.${known}`),
    summary: document.summary,
    effect: document.effect,
    fingerprint: document.fingerprint,
    applied: document.applied,
    usable: !document.applied && (refused === undefined || refused.code === 'untrusted_vendor'),
    trust: refused?.code === 'untrusted_vendor',
    license:
      document.applied && license !== undefined && detachment === undefined
        ? `/licenses/${encodeURIComponent(license)}`
        : undefined,
    detachment:
      detachment === undefined || parts.detaching.get(detachment) === undefined
        ? undefined
        : `/detached/${encodeURIComponent(detachment)}`,
    recipient: type === 'recipient',
    block:
      block === undefined
        ? undefined
        : {
            id: `answer-${id ?? ''}`,
            label: t('update.answer'),
            text: block,
            filename: 'return-receipt.txt',
            qr: drawQr(block),
          },
    // It is nothing to apply, and nothing is wrong with it.
    refused:
      refused === undefined || type === 'recipient'
        ? undefined
        : {
            title: language.translate(`error.${refused.code}.title`, t(`error.${refused.code}.title`)),
            detail: refused.detail,
            code: refused.code,
          },
  }
}

export async function takeUpdate(page: Page, parts: Parts): Promise<void> {
  const { t } = page.language
  const read = await readForm(page.ctx)
  if (read.kind === 'refused') return page.refuse(read)
  const { form } = read
  const text = form.file?.trim() ? form.file : (form.text ?? '')
  if (text.trim() === '') return showUpdate(page, parts, { error: t('update.nothing') }, 422)
  const apply = form.step === 'apply'
  const trust = form.trust === 'yes'
  const outcome = await parts.documents.process(text, { apply, trust })
  if (outcome.kind === 'refused') {
    const refused = describeRefusal(outcome, page.language)
    return showUpdate(page, parts, { text, refused, error: refused.title }, 422)
  }
  await showUpdate(page, parts, { text, documents: outcome.documents, applied: apply })
}
