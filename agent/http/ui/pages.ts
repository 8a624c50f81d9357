/**
 * All pages in one table: method, address, guard, controller; and how they are put on a router.
 * The only module of the pages that others import, beside the types of `parts.ts`. Must not import owners.
 */
import path from 'node:path'
import type { Router } from '@koa/router'
import type { Context } from 'koa'
import type { ErrorCode } from '../../errors.ts'
import { createLanguages, readCatalogs } from '../../language.ts'
import { detachmentActions } from '../api/detachment-shapes.ts'
import { createRenderer, createTemplates, type TemplateOptions, type Templates } from '../render.ts'
import { activate, askDeactivate, askRemove, deactivate, remove, showActivate } from './activation.ts'
import { downloadBlock } from './blocks.ts'
import { askDisconnectComputer, disconnectComputer, showComputers } from './computers.ts'
import { changeBasicSettings, changePassword, showBasicSettings } from './configuration.ts'
import { connect, showConnect } from './connect.ts'
import { showDetach, takeDetach, takeDetachFor } from './detach.ts'
import { changeDetachable, changeProductDetaching, showDetachable, showProductDetaching } from './detachable.ts'
import { acceptClock, showDetached, showDetachment } from './detached.ts'
import { askAction, doAction } from './detached-actions.ts'
import { showDiagnostics } from './diagnostics.ts'
import { askDisconnect, disconnect } from './disconnect.ts'
import { showFeatures } from './features.ts'
import { showHelp } from './help.ts'
import { showHistory } from './history.ts'
import { showImport, takeImport } from './import.ts'
import { showInterface } from './interface.ts'
import { showJournal, showJournalEntry, verifyJournal } from './journal.ts'
import { addLicense, showAddLicense, showLicense, showLicenses } from './licenses.ts'
import {
  askForget,
  confirmRestored,
  forgetManager,
  judgeManager,
  showManagers,
  showSearch,
  showTest,
  startSearch,
  takeTest,
} from './managers.ts'
import { oldAddresses } from './navigation.ts'
import { changeNetwork, showNetwork, testProxy } from './network.ts'
import { installSample, showOverview } from './overview.ts'
import { openPage, type Page, type Surroundings } from './page.ts'
import type { PageGuard, Parts } from './parts.ts'
import { changeMode, leadToProduct, recountProduct, showMode, showProduct, showProducts } from './products.ts'
import { showRefused } from './refused.ts'
import { changeRemoteManagers, showRemoteManagers } from './remote-managers.ts'
import { changeRules, showRules } from './rule-pages.ts'
import { askStop, showService, startServing, stopServing, switchHandingOut } from './service.ts'
import { showSession, showSessions } from './sessions.ts'
import { askToSignIn, changeAppearance, showSignIn, signIn, signOut } from './sign-in.ts'
import { addSite, changeSite, giveSiteOrder, keepReserve, showSitePage, showSitesPage } from './site-forms.ts'
import { askDropReserve, askSiteOrder, dropReserve, siteOrders } from './sites.ts'
import { Turns } from './turns.ts'
import { showUpdate, takeUpdate } from './update.ts'

export interface PageRoute {
  readonly method: 'get' | 'post'
  readonly path: string
  readonly guard: PageGuard
  readonly handle: (page: Page, parts: Parts, surroundings: Surroundings) => Promise<void> | void
}

export const pageRoutes: readonly PageRoute[] = [
  see('/', (page, parts) => showOverview(page, parts)),
  change('/sample', installSample),
  configure('/connect', (page) => showConnect(page)),
  change('/connect', connect),
  see('/licenses', showLicenses),
  see('/licenses/add', showAddLicense),
  change('/licenses/add', addLicense),
  see('/licenses/:id', showLicense),
  see('/licenses/:id/activate', (page, parts) => showActivate(page, parts)),
  change('/licenses/:id/activate', activate),
  see('/licenses/:id/deactivate', askDeactivate),
  change('/licenses/:id/deactivate', deactivate),
  see('/licenses/:id/remove', askRemove),
  change('/licenses/:id/remove', remove),
  see('/products', showProducts),
  see('/products/:id', leadToProduct),
  see('/products/:vendor/:name', showProduct),
  see('/products/:vendor/:name/mode', (page, parts) => showMode(page, parts)),
  change('/products/:vendor/:name/mode', changeMode),
  change('/products/:vendor/:name/recount', recountProduct),
  see('/products/:vendor/:name/detach', showDetach),
  take('/products/:vendor/:name/detach', takeDetach),
  see('/features', showFeatures),
  see('/sessions', showSessions),
  see('/computers', showComputers),
  see('/computers/:id/disconnect', (page, parts) => askDisconnectComputer(page, parts, 'disconnect')),
  change('/computers/:id/disconnect', (page, parts) => disconnectComputer(page, parts, 'disconnect')),
  see('/computers/:id/free-now', (page, parts) => askDisconnectComputer(page, parts, 'free-now')),
  change('/computers/:id/free-now', (page, parts) => disconnectComputer(page, parts, 'free-now')),
  see('/sessions/:id', showSession),
  see('/sessions/:id/disconnect', (page, parts) => askDisconnect(page, parts, 'disconnect')),
  change('/sessions/:id/disconnect', (page, parts) => disconnect(page, parts, 'disconnect')),
  see('/sessions/:id/free-now', (page, parts) => askDisconnect(page, parts, 'free-now')),
  change('/sessions/:id/free-now', (page, parts) => disconnect(page, parts, 'free-now')),
  see('/detached', showDetached),
  take('/detached/new', takeDetachFor),
  change('/detached/accept-clock', acceptClock),
  see('/detached/:id', (page, parts) => showDetachment(page, parts)),
  ...detachmentActions.flatMap((action): PageRoute[] => [
    see(`/detached/:id/${action}`, (page, parts) => askAction(page, parts, action)),
    take(`/detached/:id/${action}`, (page, parts) => doAction(page, parts, action)),
  ]),
  see('/update', (page, parts) => showUpdate(page, parts)),
  change('/update', takeUpdate),
  see('/managers', showManagers),
  see('/managers/search', showSearch),
  change('/managers/search', startSearch),
  see('/managers/test', (page) => showTest(page)),
  change('/managers/test', takeTest),
  change('/managers/confirm-restored', confirmRestored),
  change('/managers/:id/approve', (page, parts) => judgeManager(page, parts, 'approved')),
  change('/managers/:id/deny', (page, parts) => judgeManager(page, parts, 'denied')),
  see('/managers/:id/forget', askForget),
  change('/managers/:id/forget', forgetManager),
  see('/service', showService),
  change('/service/handing-out', switchHandingOut),
  change('/service/start', startServing),
  see('/service/stop', askStop),
  change('/service/stop', stopServing),
  see('/journal', showJournal),
  see('/journal/verify', verifyJournal),
  see('/journal/:sequence', showJournalEntry),
  see('/history', showHistory),
  see('/refused', showRefused),
  see('/diagnostics', showDiagnostics),
  configure('/configuration', (page) => page.leadTo('/configuration/basic')),
  configure('/configuration/basic', (page, parts) => showBasicSettings(page, parts)),
  change('/configuration/basic', changeBasicSettings),
  change('/configuration/basic/password', changePassword),
  configure('/configuration/import', (page) => showImport(page)),
  change('/configuration/import', takeImport),
  configure('/configuration/remote-managers', showRemoteManagers),
  change('/configuration/remote-managers', changeRemoteManagers),
  configure('/configuration/remote-clients', (page, parts) => showRules(page, parts, 'machines')),
  change('/configuration/remote-clients', (page, parts) => changeRules(page, parts, 'machines')),
  configure('/configuration/user-restrictions', (page, parts) => showRules(page, parts, 'users')),
  change('/configuration/user-restrictions', (page, parts) => changeRules(page, parts, 'users')),
  configure('/configuration/detachable', showDetachable),
  change('/configuration/detachable', changeDetachable),
  configure('/configuration/detachable/:vendor/:name', (page, parts) => showProductDetaching(page, parts)),
  change('/configuration/detachable/:vendor/:name', changeProductDetaching),
  configure('/configuration/network', showNetwork),
  change('/configuration/network', changeNetwork),
  change('/configuration/network/proxy-test', testProxy),
  configure('/configuration/sites', showSitesPage),
  change('/configuration/sites', addSite),
  change('/configuration/sites/reserves', keepReserve),
  configure('/configuration/sites/reserves/:id/drop', askDropReserve),
  change('/configuration/sites/reserves/:id/drop', dropReserve),
  configure('/configuration/sites/:id', showSitePage),
  change('/configuration/sites/:id', changeSite),
  ...siteOrders.flatMap((order): PageRoute[] => [
    configure(`/configuration/sites/:id/${order}`, (page, parts) => askSiteOrder(page, parts, order)),
    change(`/configuration/sites/:id/${order}`, (page, parts) => giveSiteOrder(page, parts, order)),
  ]),
  { method: 'post', path: '/blocks/download', guard: 'see', handle: downloadBlock },
  { method: 'get', path: '/sign-in', guard: 'open', handle: (page) => showSignIn(page, page.query().next ?? '/') },
  { method: 'post', path: '/sign-in', guard: 'open', handle: signIn },
  { method: 'post', path: '/sign-out', guard: 'open', handle: signOut },
  {
    method: 'post',
    path: '/appearance',
    guard: 'open',
    handle: (page, _parts, { languages }) => changeAppearance(page, languages),
  },
  { method: 'get', path: '/help', guard: 'open', handle: showHelp },
  { method: 'get', path: '/help/api', guard: 'open', handle: showInterface },
  ...Object.entries(oldAddresses).map(
    ([from, to]): PageRoute => ({ method: 'get', path: from, guard: 'open', handle: (page) => page.leadTo(to) }),
  ),
]

function see(address: string, handle: PageRoute['handle']): PageRoute {
  return { method: 'get', path: address, guard: 'see', handle }
}

function take(address: string, handle: PageRoute['handle']): PageRoute {
  return { method: 'post', path: address, guard: 'take', handle }
}

function configure(address: string, handle: PageRoute['handle']): PageRoute {
  return { method: 'get', path: address, guard: 'configure', handle }
}

function change(address: string, handle: PageRoute['handle']): PageRoute {
  return { method: 'post', path: address, guard: 'change', handle }
}

export interface PageOptions extends TemplateOptions {
  /** Time zone of shown times, such as `Europe/Berlin`; without it the machine's. */
  readonly zone?: string
  /** Lets the event loop turn once, so that programs are answered between two pages. */
  readonly pause?: () => Promise<void>
}

export interface Pages {
  readonly templates: Templates
  /** Puts every page on the router (made with `strict` and `sensitive`). */
  install(router: Router, parts: Parts): void
  /**
   * Answers with the page that says what is the matter, for errors that happen outside of a page: no such address,
   * too large a body, something unexpected. The request id is shown in small print.
   */
  showProblem(ctx: Context, parts: Parts, code: ErrorCode, detail: string, requestId?: string): Promise<void>
}

/** Reads the text catalogs and prepares the templates; rejects when a catalog is wrong. */
export async function createPages(options: PageOptions): Promise<Pages> {
  const languages = createLanguages(await readCatalogs(path.join(options.views, 'locales')))
  const templates = createTemplates(options)
  const renderer = createRenderer(options.views, templates)
  const zone = options.zone ?? new Intl.DateTimeFormat().resolvedOptions().timeZone
  const surroundings: Surroundings = { languages, zone }
  const turns = new Turns(options.pause ?? (() => Promise.resolve()))
  return {
    templates,
    install: (router, parts) => {
      for (const route of pageRoutes) {
        router[route.method](route.path, renderer, async (ctx) => {
          await turns.next()
          if (ctx.res.closed) return
          const page = openPage(ctx as unknown as Context, parts, surroundings)
          if (await parts.administrator.may(route.guard, page.asker)) await route.handle(page, parts, surroundings)
          else await askToSignIn(page)
        })
      }
    },
    showProblem: async (ctx, parts, code, detail, requestId) => {
      const page = openPage(ctx, parts, surroundings)
      await renderer(ctx, () => page.showProblem(code, detail, requestId))
    },
  }
}
