/**
 * Hands a text block that is on a page back as a file, so that saving it works with scripts off.
 * Must not import owners.
 */
import { refuse } from '../../errors.ts'
import { readForm } from './form.ts'
import type { Page } from './page.ts'

export async function downloadBlock(page: Page): Promise<void> {
  const read = await readForm(page.ctx)
  if (read.kind === 'refused') return page.refuse(read)
  const text = read.form.text ?? ''
  if (!text.startsWith('-----BEGIN LEASEHOLD '))
    return page.refuse(refuse('not_a_document', page.language.t('block.none')))
  const filename = (read.form.filename ?? '').replace(/[^\w.-]/g, '').slice(0, 80) || 'leasehold.txt'
  const { ctx } = page
  ctx.status = 200
  ctx.set('Cache-Control', 'no-store')
  ctx.attachment(filename)
  ctx.type = 'text/plain; charset=utf-8'
  ctx.body = text.replace(/\r\n/g, '\n')
}
