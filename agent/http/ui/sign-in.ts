/**
 * Signing in and out of the pages, and the appearance that a visitor chooses. Must not import owners.
 */
import { z } from 'zod'
import type { Languages } from '../../language.ts'
import { keepAppearance, themes } from './cookies.ts'
import { readForm } from './form.ts'
import { describeRefusal, type Page } from './page.ts'
import type { Parts } from './parts.ts'

/** A place on this agent to go on to; anything that could lead elsewhere becomes the start page. */
export function readLocalAddress(text: string | undefined): string {
  if (text === undefined || !/^\/(?![/\\])/.test(text) || text.length > 2048) return '/'
  try {
    const here = 'http://localhost'
    const url = new URL(text, here)
    return url.origin === here ? url.pathname + url.search + url.hash : '/'
  } catch {
    return '/'
  }
}

export function showSignIn(
  page: Page,
  next: string,
  refused?: ReturnType<typeof describeRefusal>,
  status = 200,
): Promise<void> {
  return page.show(
    'pages/sign-in',
    { title: page.language.t('signin.title'), next: readLocalAddress(next), refused, wrong: refused !== undefined },
    status,
  )
}

/** @param next where to go on after a form was refused for it */
export async function askToSignIn(page: Page, next = '/'): Promise<void> {
  const { ctx } = page
  if (ctx.method === 'GET' || ctx.method === 'HEAD') {
    page.leadTo(`/sign-in?${new URLSearchParams({ next: ctx.path + ctx.search })}`)
    return
  }
  const { t } = page.language
  const refused = {
    kind: 'error' as const,
    title: t('error.sign_in_needed.title'),
    text: t('signin.again'),
    help: '',
    code: 'sign_in_needed' as const,
  }
  await showSignIn(page, next, refused, 401)
}

export async function signIn(page: Page, parts: Parts): Promise<void> {
  const read = await readForm(page.ctx)
  if (read.kind === 'refused') return page.refuse(read)
  const next = readLocalAddress(read.form.next)
  const outcome = await parts.administrator.signIn(read.form.password ?? '', page.asker)
  if (outcome.kind === 'refused') {
    const status = outcome.code === 'too_many_requests' ? 429 : 401
    const retryIn = outcome.facts?.retryIn
    if (typeof retryIn === 'number') page.ctx.set('Retry-After', String(retryIn))
    return showSignIn(page, next, describeRefusal(outcome, page.language), status)
  }
  page.leadTo(next)
  page.ctx.append('Set-Cookie', outcome.cookie)
}

export async function signOut(page: Page, parts: Parts): Promise<void> {
  const cookie = await parts.administrator.signOut(page.asker)
  page.leadTo('/', { kind: 'good', key: 'said.signed_out', args: {} })
  page.ctx.append('Set-Cookie', cookie)
}

export async function changeAppearance(page: Page, languages: Languages): Promise<void> {
  const read = await readForm(page.ctx)
  if (read.kind === 'refused') return page.refuse(read)
  const theme = z.enum(themes).optional().catch(undefined).parse(read.form.theme)
  const language = languages.all.find(({ tag }) => tag === read.form.language)?.tag
  keepAppearance(page.ctx, {
    ...(theme === undefined ? {} : { theme }),
    ...(language === undefined ? {} : { language }),
  })
  page.leadTo(readLocalAddress(read.form.back))
}
