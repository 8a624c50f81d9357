/**
 * Configuration > Basic Settings > Import: a `hasplm.ini` is looked at, line by line, and brought in when that is confirmed.
 * Must not import owners.
 */
import type { ImportedConfiguration } from '../api/agent-shapes.ts'
import { readForm } from './form.ts'
import { describeRefusal, type Page } from './page.ts'
import type { Parts } from './parts.ts'
import { nameValue } from './settings-form.ts'
import { listTabs, tabAddresses } from './settings-page.ts'

interface ShownImport {
  readonly text?: string
  readonly error?: string
  readonly refused?: ReturnType<typeof describeRefusal>
  readonly imported?: ImportedConfiguration
}

export async function showImport(page: Page, shown: ShownImport = {}, status = 200): Promise<void> {
  const { language } = page
  const { t } = language
  await page.show(
    'pages/configuration-import',
    {
      title: t('import.title'),
      trail: [{ text: t('navigation.basic'), address: tabAddresses.basic }],
      tabs: listTabs('basic', language),
      text: shown.text ?? '',
      error: shown.error,
      refused: shown.refused,
      imported: shown.imported && writeImported(shown.imported, page),
      wrong: status !== 200,
    },
    status,
  )
}

function writeImported({ applied, settings, leftOut }: ImportedConfiguration, { language }: Page) {
  const { t } = language
  const changing = settings.filter(({ changes }) => changes).length
  return {
    applied,
    changing,
    title: applied ? t('import.applied', { count: changing }) : t('import.preview', { count: changing }),
    settings: settings.map(({ name, label, from, to, changes, lines }) => ({
      name,
      label: language.translate(`setting.${name}.label`, label),
      from: nameValue({ name }, from, language),
      to: nameValue({ name }, to, language),
      changes,
      lines: lines.map(({ line, written }) => ({ line, written })),
    })),
    leftOut: leftOut.map(({ line, written, reason, text, detail }) => ({
      line,
      written,
      text: language.translate(`import_reason.${reason}`, text),
      detail: detail ?? '',
    })),
  }
}

export async function takeImport(page: Page, parts: Parts): Promise<void> {
  const { t } = page.language
  const read = await readForm(page.ctx)
  if (read.kind === 'refused') return page.refuse(read)
  const { form } = read
  const text = form.file?.trim() ? form.file : (form.text ?? '')
  if (text.trim() === '') return showImport(page, { error: t('import.nothing') }, 422)
  const outcome = await parts.import.read(text, form.step === 'apply', page.asker)
  if (outcome.kind === 'refused') {
    const refused = describeRefusal(outcome, page.language)
    return showImport(page, { text, refused, error: outcome.detail }, 422)
  }
  await showImport(page, { text, imported: outcome.imported })
}
