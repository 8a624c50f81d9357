/**
 * One request for a page: who asks, in which language, and how to answer with a view, a redirect or a refusal.
 * Must not import owners or controllers.
 */

import type { Context } from 'koa'
import { type ErrorCode, errorTable, type Refusal } from '../../errors.ts'
import type { Language, Languages, TextArguments } from '../../language.ts'
import type { HealthProblem } from '../api/agent-shapes.ts'
import { readLanguage, readTheme, type Saying, say, takeSaying } from './cookies.ts'
import { listNavigation } from './navigation.ts'
import type { Reach } from './network-parts.ts'
import { sayAs } from './owner-words.ts'
import type { Asker, Parts } from './parts.ts'
import { createTimeWords, type TimeWords } from './time.ts'

export interface Step {
  readonly text: string
  readonly address: string
}

/** What writing something for people needs of a page. */
export type PageWords = Pick<Page, 'language' | 'time'>

export interface Page {
  readonly ctx: Context
  readonly asker: Asker
  readonly language: Language
  readonly time: TimeWords
  /** Time zone that times are shown in. */
  readonly zone: string
  /** Path of the address, decoded parameters not included. */
  readonly path: string
  /** A parameter of the route's path. */
  param(name: string): string
  query(): Readonly<Record<string, string>>
  /** Renders a view inside the frame. */
  show(view: string, locals: ViewLocals, status?: number): Promise<void>
  /** After a change: leads to a page (303), which says the sentence once. */
  leadTo(address: string, words?: Saying): void
  /** The page that says what is the matter; without a request id it shows the one in `ctx.state`. */
  showProblem(code: ErrorCode, detail: string, requestId?: string): Promise<void>
  refuse(refusal: Refusal): Promise<void>
}

export interface ViewLocals {
  readonly title: string
  /** Pages above this one, from the second level on. */
  readonly trail?: readonly Step[]
  /** The form on it was refused: said in the title of the window. */
  readonly wrong?: boolean
  readonly [name: string]: unknown
}

export interface Surroundings {
  readonly languages: Languages
  /** Time zone that times are shown in; the agent's pages are opened on its own machine. */
  readonly zone: string
}

const badges = {
  ok: { kind: 'good', icon: 'check' },
  notice: { kind: 'notice', icon: 'info' },
  warning: { kind: 'warning', icon: 'warning' },
  error: { kind: 'error', icon: 'error' },
} as const

export function findWorst(problems: readonly HealthProblem[]): keyof typeof badges {
  for (const severity of ['error', 'warning', 'notice'] as const)
    if (problems.some((problem) => problem.severity === severity)) return severity
  return 'ok'
}

export function openPage(ctx: Context, parts: Parts, { languages, zone }: Surroundings): Page {
  const facts = parts.frame()
  const asker = readAsker(ctx)
  const language = chooseLanguage(ctx, languages, facts.language)
  const time = createTimeWords(language.tag, zone, parts.now())
  const page: Page = {
    ctx,
    asker,
    language,
    time,
    zone,
    path: ctx.path,
    param: (name) => (ctx.params as Record<string, string>)[name] ?? '',
    query: () => readQuery(ctx),
    show: async (view, locals, status = 200) => {
      const said = takeSaying(ctx)
      const state = findWorst(parts.health.problems())
      const frame = {
        ...facts,
        language: language.tag,
        direction: language.direction,
        languages: languages.all,
        theme: readTheme(ctx),
        address: ctx.method === 'GET' ? ctx.path + ctx.search : '/',
        reach: parts.network.reach().map((reach) => writeReach(reach, language)),
        state: { ...badges[state], text: language.t(`health.${state}`) },
        navigation: listNavigation(ctx.path, language),
        protected: parts.administrator.protected(),
        signedIn: await parts.administrator.signedIn(asker),
        said: said === undefined ? undefined : { kind: said.kind, text: language.t(said.key, said.args) },
      }
      const defaults = { trail: undefined, wrong: false, now: time.show(parts.now()) }
      const words = { t: language.t, number: language.number, when: time.show, day: time.day, duration: time.duration }
      ctx.status = status
      ctx.set('Cache-Control', 'no-store')
      ctx.vary('Accept-Language, Cookie')
      await ctx.render(view, { ...defaults, ...locals, ...words, frame })
    },
    leadTo: (address, words) => {
      if (words !== undefined) say(ctx, words)
      ctx.redirect(address)
      ctx.status = 303
    },
    showProblem: async (code, detail, requestId = readRequestId(ctx)) => {
      const { status } = errorTable[code]
      const help = language.t(`error.${code}.help`)
      const problem = { code, detail: sayAs(language, detail), help, status, requestId }
      await page.show('pages/problem', { title: language.t(`error.${code}.title`), problem }, status)
    },
    refuse: (refusal) => page.showProblem(refusal.code, refusal.detail),
  }
  return page
}

/** What can be reached from other machines, in a sentence. */
function writeReach({ who, places }: Reach, { t }: Language): string {
  return t(`reach.${who}`, { places: places.join(', ') })
}

/** Where nobody says how a request came in, it has no rights of this machine. */
function readAsker(ctx: Context): Asker {
  const { channel, address } = ctx.state as { readonly channel?: Asker['channel']; readonly address?: string }
  return { cookies: ctx.get('cookie'), address: address ?? ctx.ip, channel: channel ?? 'tls' }
}

function chooseLanguage(ctx: Context, languages: Languages, configured: string | undefined): Language {
  const chosen = readLanguage(ctx) ?? configured
  if (chosen !== undefined) return languages.get(chosen)
  return languages.accept(ctx.get('accept-language')) ?? languages.get(undefined)
}

function readRequestId(ctx: Context): string {
  const id: unknown = ctx.state.requestId
  return typeof id === 'string' ? id : ''
}

function readQuery(ctx: Context): Record<string, string> {
  const query: Record<string, string> = Object.create(null) as Record<string, string>
  for (const [name, value] of new URLSearchParams(ctx.querystring)) query[name] ??= value
  return query
}

/** What a code means, in words; a code of a later version stays as it is. */
export function nameCode(code: string, { t }: Pick<Language, 't'>): string {
  return code in errorTable ? t(`error.${code}.title`) : code
}

/** What a refusal says on the page where it happened: title and help of its code, and what exactly. */
export function describeRefusal(refusal: Refusal, language: Language) {
  const args: TextArguments = {}
  return {
    kind: 'error' as const,
    title: language.t(`error.${refusal.code}.title`, args),
    text: sayAs(language, refusal.detail),
    help: language.t(`error.${refusal.code}.help`, args),
    code: refusal.code,
  }
}
