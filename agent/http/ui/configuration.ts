/**
 * Configuration > Basic Settings: the settings of this machine and its pages, and the password. Must not import owners.
 */
import type { Language } from '../../language.ts'
import type { FieldProblem } from '../api/shapes.ts'
import { readForm } from './form.ts'
import { describeRefusal, type Page } from './page.ts'
import type { Parts } from './parts.ts'
import { listErrors, readFieldProblems } from './settings-form.ts'
import { changeSettings, type SettingsPage, type Shown, showSettings, tabAddresses } from './settings-page.ts'

const shortestPassword = 10

interface ShownBasic extends Shown {
  readonly passwordProblems?: readonly FieldProblem[]
}

const basic: SettingsPage = {
  tab: 'basic',
  section: 'basic',
  address: tabAddresses.basic,
  view: 'pages/configuration-basic',
  has: () => true,
  more: (page, parts, shown: ShownBasic) => {
    const { language } = page
    const problems = shown.passwordProblems ?? []
    const passwordFields = writePasswordFields(parts.administrator.protected(), problems, language)
    const errors = listErrors(passwordFields, [], language)
    return { passwordFields, ...(errors === undefined ? {} : { errors, wrong: true }) }
  },
}

export async function showBasicSettings(page: Page, parts: Parts, shown: ShownBasic = {}, status = 200): Promise<void> {
  await showSettings(basic, page, parts, shown, status)
}

export async function changeBasicSettings(page: Page, parts: Parts): Promise<void> {
  await changeSettings(basic, page, parts)
}

function writePasswordFields(set: boolean, problems: readonly FieldProblem[], { t }: Language) {
  const fields = [
    { name: 'current', hint: '', autocomplete: 'current-password' },
    { name: 'password', hint: t('password.hint', { count: shortestPassword }), autocomplete: 'new-password' },
    { name: 'again', hint: '', autocomplete: 'new-password' },
  ]
  return fields
    .filter(({ name }) => set || name !== 'current')
    .map((field) => ({
      ...field,
      id: `password-${field.name}`,
      type: 'password' as const,
      label: t(`password.${field.name}`),
      error: problems.find((problem) => problem.field === field.name)?.message,
      required: true,
    }))
}

export async function changePassword(page: Page, parts: Parts): Promise<void> {
  const { t } = page.language
  const read = await readForm(page.ctx)
  if (read.kind === 'refused') return page.refuse(read)
  const { current = '', password = '', again = '' } = read.form
  const problems: FieldProblem[] = []
  if (password.length < shortestPassword)
    problems.push({ field: 'password', message: t('password.short', { count: shortestPassword }) })
  else if (password !== again) problems.push({ field: 'again', message: t('password.differ') })
  if (problems.length > 0) return showBasicSettings(page, parts, { passwordProblems: problems }, 422)
  const set = parts.administrator.protected()
  const outcome = await parts.administrator.changePassword(set ? { current, password } : { password }, page.asker)
  if (outcome.kind === 'refused') {
    const known = readFieldProblems(outcome)
    const passwordProblems =
      outcome.code === 'wrong_password' ? [{ field: 'current', message: t('password.wrong') }] : known
    if (passwordProblems.length > 0) return showBasicSettings(page, parts, { passwordProblems }, 422)
    return showBasicSettings(page, parts, { refused: describeRefusal(outcome, page.language) }, 422)
  }
  page.leadTo(basic.address, { kind: 'good', key: 'said.password_changed', args: {} })
  if (outcome.cookie !== undefined) page.ctx.append('Set-Cookie', outcome.cookie)
}
