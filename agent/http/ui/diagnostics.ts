/**
 * Diagnostics: what the agent knows of itself, to look at, copy and send on. Must not import owners.
 */
import type { Page } from './page.ts'
import type { Parts } from './parts.ts'
import { drawQr } from './qr.ts'
import { chooseFormat } from './table.ts'

/** Sections and facts that have words of their own in the catalogs. */
export const sectionNames = ['agent', 'clock', 'store', 'paths', 'network', 'counters', 'health'] as const
export const factNames = [
  'version',
  'id',
  'name',
  'started',
  'process',
  'node',
  'platform',
  'wall',
  'floor',
  'skew',
  'boot',
  'sinceBoot',
  'running',
  'zone',
  'state',
  'revision',
  'starts',
  'entries',
  'data',
  'store',
  'configuration',
  'port',
  'addresses',
  'sessions',
  'licenses',
  'refusals',
  'watchers',
  'memory',
] as const

export async function showDiagnostics(page: Page, parts: Parts): Promise<void> {
  const { ctx, language } = page
  const { t } = language
  const sections = parts.diagnostics.sections()
  if (page.query().format === 'text') {
    ctx.set('Cache-Control', 'no-store')
    ctx.attachment('leasehold-diagnostics.txt')
    ctx.type = 'text/plain; charset=utf-8'
    ctx.body = parts.diagnostics.text()
    return
  }
  if (chooseFormat(page) === 'json') {
    ctx.set('Cache-Control', 'no-store')
    ctx.body = Object.fromEntries(
      sections.map(({ name, facts }) => [name, Object.fromEntries(facts.map((fact) => [fact.name, fact.value]))]),
    )
    return
  }
  await page.show('pages/diagnostics', {
    title: t('navigation.diagnostics'),
    sections: sections.map(({ name, facts }) => ({
      name,
      title: nameSection(name, t),
      facts: facts.map((fact) => ({
        name: nameFact(fact.name, t),
        value: fact.value,
      })),
    })),
    text: parts.diagnostics.text(),
    recipient: writeRecipient(parts, page),
  })
}

function writeRecipient(parts: Parts, { language, time }: Page) {
  const { recipient, fingerprint, time: at, zone } = parts.detaching.recipient()
  return {
    clock: language.t('diagnostics.recipient_time', { time: time.spell(at, zone) }),
    block: {
      id: 'recipient',
      label: language.t('diagnostics.recipient'),
      text: recipient,
      filename: 'recipient.txt',
      fingerprint,
      qr: drawQr(recipient),
    },
  }
}

function nameSection(name: string, t: Page['language']['t']): string {
  const known = sectionNames.find((one) => one === name)
  return known === undefined ? name : t(`diagnostics.${known}`)
}

function nameFact(name: string, t: Page['language']['t']): string {
  const known = factNames.find((one) => one === name)
  return known === undefined ? name : t(`diagnostics.fact_${known}`)
}
