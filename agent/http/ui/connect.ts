/**
 * The first connection to a license server: an address is tested and, when an agent answers there, kept as a search parameter.
 * Must not import owners.
 */

import type { ConnectionReport } from '../api/manager-shapes.ts'
import { writeTest } from './agent-rows.ts'
import { readForm } from './form.ts'
import { sayAs } from './owner-words.ts'
import { describeRefusal, type Page } from './page.ts'
import type { Parts } from './parts.ts'

interface ShownConnect {
  readonly address?: string
  readonly test?: ConnectionReport
  readonly error?: string
  readonly refused?: ReturnType<typeof describeRefusal>
}

export async function showConnect(page: Page, shown: ShownConnect = {}, status = 200): Promise<void> {
  const { language } = page
  await page.show(
    'pages/connect',
    {
      title: language.t('connect.title'),
      address: shown.address ?? '',
      test: shown.test && writeTest(shown.test, language),
      error: shown.error,
      refused: shown.refused,
      wrong: status !== 200,
    },
    status,
  )
}

const setting = 'remote.search'

export async function connect(page: Page, parts: Parts): Promise<void> {
  const { t } = page.language
  const read = await readForm(page.ctx)
  if (read.kind === 'refused') return page.refuse(read)
  const address = (read.form.address ?? '').trim().slice(0, 300)
  if (address === '') return showConnect(page, { address, error: t('test.nothing') }, 422)
  let name = address
  // What was looked at and did not answer is kept only when that is asked for.
  if (read.form.keep !== 'yes') {
    const test = await parts.managers.test(address)
    if (test.kind === 'refused')
      return showConnect(
        page,
        { address, error: sayAs(page.language, test.detail), refused: describeRefusal(test, page.language) },
        422,
      )
    if (!test.reached) return showConnect(page, { address, test })
    name = test.agent?.name ?? address
  }
  const known = parts.configuration.describe('remote-managers').find((entry) => entry.name === setting)?.value
  const lines = Array.isArray(known) ? known : []
  if (!lines.includes(address)) {
    const outcome = await parts.configuration.change({ [setting]: [...lines, address] }, page.asker)
    if (outcome.kind === 'refused')
      return showConnect(page, { address, refused: describeRefusal(outcome, page.language) }, 422)
  }
  page.leadTo('/licenses', { kind: 'good', key: 'said.connected', args: { name } })
}
