/**
 * The Koa application, and the order in which a request passes what stands before its answer. The order is here and nowhere else:
 * errors > request id > connection (audience, HTTP version, proxies, Host) > headers > static files > agents, API or pages >
 * nothing here.
 * Must not import owners.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import Router from '@koa/router'
import { send } from '@koa/send'
import Koa, { type Context, type Middleware, type Next } from 'koa'
import { type Refusal, refuse } from '../errors.ts'
import type { Problem } from './api/shapes.ts'
import { checkConnection, checkRemote, type Outside } from './guards.ts'
import { createHotHandler } from './hot.ts'
import { checkOrigin, isBrowser, isSafe } from './origin.ts'
import { pageHeaders, plainProblemPage } from './page-headers.ts'
import { type Door, performForPeer } from './peer-perform.ts'
import { perform, type Surroundings } from './perform.ts'
import { describeProblem, failureOf, isUnexpected, problemReply } from './problem.ts'
import { applyProxies } from './proxies.ts'
import { sendReply } from './reply.ts'
import { audienceOf, type Channel, plainAddress, type RequestView, viewRequest } from './request-view.ts'
import type { Route } from './route.ts'

export interface AppParts extends Surroundings {
  readonly routes: readonly Route[]
  readonly newRequestId: () => string
  /** The pages; what they leave alone is not found. They find `requestId` in `ctx.state`, read and limit their forms, and ask for sign-ins. */
  readonly pages?: Middleware
  /** Shows a problem as a page of the agent; where it is missing or fails, a plain page stands in. */
  readonly renderProblem?: (ctx: Context, problem: Problem) => Promise<void>
  /** Files under `/public/`. */
  readonly publicFolder?: string
  /** What agents ask, under `/peer/`; without it they are told that there is nothing. */
  readonly peers?: { readonly routes: readonly Route[]; readonly door: Door }
  /** What holds for requests that do not come in on loopback; without it they are refused. */
  readonly outside?: () => Outside & {
    /** Whether an address is that of a reverse proxy whose word on where a request comes from counts. */
    readonly isProxy: (address: string) => boolean
  }
}

/** Takes a request with how it came in. */
export type ChannelListener = (incoming: IncomingMessage, response: ServerResponse, channel: Channel) => void

/** Everything that answers requests: the hot path of loopback, and Koa behind it. */
export function createRequestListener(parts: AppParts): ChannelListener {
  const app = createApp(parts)
  const onLoopback = (incoming: IncomingMessage, response: ServerResponse) => app(incoming, response, 'loopback')
  const hot = createHotHandler(parts.routes, parts, parts.newRequestId, onLoopback)
  return (incoming, response, channel) => {
    if (channel === 'loopback') hot(incoming, response)
    else app(incoming, response, channel)
  }
}

export function createApp(parts: AppParts): ChannelListener {
  const channels = new WeakMap<IncomingMessage, Channel>()
  const viewOf = (ctx: Context): RequestView => {
    const channel = channels.get(ctx.req)
    if (channel === undefined) throw new Error('a request came in on no channel')
    const view = viewRequest(ctx.req, channel)
    return channel === 'loopback' ? view : applyProxies(view, parts.outside?.().isProxy)
  }
  const app = new Koa()
  app.silent = true
  app.on('error', (error: unknown) => parts.log.error('request failed', { error }))
  app.use(answerErrors(parts))
  app.use(nameRequest(parts))
  app.use(guardConnection(parts, viewOf))
  app.use(setHeaders)
  app.use(secureCookies)
  if (parts.publicFolder !== undefined) app.use(serveFiles(parts.publicFolder))
  const { routes: peerRoutes = [], door } = parts.peers ?? {}
  app.use(serveRoutes(peerPrefix, peerRoutes, answerPeers(parts, door, viewOf)))
  app.use(serveRoutes(apiPrefix, parts.routes, answerApi(parts, viewOf)))
  if (parts.pages !== undefined) {
    app.use(guardPages(parts, viewOf))
    app.use(parts.pages)
  }
  app.use(() => Promise.reject(new Refused(refuse('not_found', 'There is no page and no call of this name.'))))
  const handle = app.callback()
  return (incoming, response, channel) => {
    channels.set(incoming, channel)
    handle(incoming, response).catch((error: unknown) => parts.log.error('request failed', { error }))
  }
}

/** Carries a refusal up to the place that answers it. */
class Refused extends Error {
  readonly refusal: Refusal
  readonly headers: Record<string, string>
  /** The pages of the agent must not be shown to whoever this is. */
  readonly plain: boolean

  constructor(
    refusal: Refusal,
    { headers = {}, plain = false }: { headers?: Record<string, string>; plain?: boolean } = {},
  ) {
    super(refusal.detail)
    this.refusal = refusal
    this.headers = headers
    this.plain = plain
  }
}

const apiPrefix = '/api/'
const peerPrefix = '/peer/'

function isApi(path: string): boolean {
  return path.startsWith(apiPrefix) || path.startsWith(peerPrefix)
}

type ViewOf = (ctx: Context) => RequestView

function requestIdOf(ctx: Context): string {
  return String(ctx.state.requestId)
}

function answerErrors(parts: AppParts): Middleware {
  return async (ctx: Context, next: Next) => {
    try {
      await next()
    } catch (error) {
      const refused = error instanceof Refused ? error : new Refused(failureOf(error))
      const requestId = requestIdOf(ctx)
      if (error !== refused && isUnexpected(error)) parts.log.error('request failed', { error, requestId })
      if (ctx.res.headersSent) {
        ctx.res.destroy()
        return
      }
      const { refusal, headers } = refused
      if (isApi(ctx.path) || ctx.accepts('json', 'html') !== 'html') {
        ctx.respond = false
        for (const name of ctx.res.getHeaderNames()) ctx.res.removeHeader(name)
        await sendReply(ctx.res, problemReply(refusal, requestId, { ...headers }))
        return
      }
      await showProblem(
        ctx,
        describeProblem(refusal, requestId),
        refused.plain ? undefined : parts.renderProblem,
        parts,
      )
      ctx.set(headers)
    }
  }
}

async function showProblem(
  ctx: Context,
  problem: Problem,
  render: AppParts['renderProblem'],
  { log }: AppParts,
): Promise<void> {
  ctx.set(pageHeaders)
  ctx.status = problem.status
  if (render !== undefined)
    try {
      await render(ctx, problem)
      ctx.status = problem.status
      return
    } catch (error) {
      log.error('error page failed', { error, requestId: problem.requestId })
    }
  ctx.type = 'text/html; charset=utf-8'
  ctx.body = plainProblemPage(problem)
  ctx.status = problem.status
}

function nameRequest(parts: AppParts): Middleware {
  return (ctx, next) => {
    ctx.state.requestId = parts.newRequestId()
    return next()
  }
}

function guardConnection(parts: AppParts, viewOf: ViewOf): Middleware {
  return (ctx, next) => {
    const view = viewOf(ctx)
    // for the pages, which know nothing of connections
    ctx.state.channel = view.channel
    ctx.state.address = plainAddress(view.remoteAddress)
    ctx.request.ip = plainAddress(view.remoteAddress)
    const refused = checkConnection(view, parts.outside?.())
    if (refused !== undefined) throw new Refused(refused, { plain: true })
    const target = ctx.req.url ?? ''
    if (!target.startsWith('/'))
      throw new Refused(refuse('malformed_request', 'The target of the request is not a path.'))
    if (!isDecodable(ctx.path))
      throw new Refused(refuse('malformed_request', 'The address has a % that stands for nothing.'))
    return next()
  }
}

function isDecodable(path: string): boolean {
  try {
    return !decodeURIComponent(path).includes('\0')
  } catch {
    return false
  }
}

const setHeaders: Middleware = (ctx, next) => {
  // Calls of the API write their own (sendReply).
  if (!isApi(ctx.path)) {
    ctx.set(pageHeaders)
    ctx.set('X-Request-Id', requestIdOf(ctx))
  }
  return next()
}

/** What came encrypted stays encrypted: no cookie of it goes over plain HTTP. */
const secureCookies: Middleware = async (ctx, next) => {
  await next()
  if (ctx.state.channel === 'loopback' || ctx.headerSent) return
  const cookies = [ctx.response.get('Set-Cookie')].flat().filter((cookie) => cookie !== '')
  if (cookies.length > 0)
    ctx.set(
      'Set-Cookie',
      cookies.map((cookie) => (/;\s*secure\b/i.test(cookie) ? cookie : `${cookie}; Secure`)),
    )
}

const filesPrefix = '/public/'

function serveFiles(root: string): Middleware {
  return async (ctx, next) => {
    if (!ctx.path.startsWith(filesPrefix)) return next()
    if (!isSafe(ctx.method)) throw new Refused(methodNotAllowed(), { headers: { Allow: 'GET, HEAD' } })
    const name = ctx.path.slice(filesPrefix.length)
    let sent: unknown
    try {
      if (name !== '') sent = await send(ctx, name, { root })
    } catch (error) {
      const { status } = error as { status?: unknown }
      if (typeof status !== 'number' || status >= 500) throw error
    }
    if (sent === undefined) throw new Refused(refuse('not_found', 'There is no such file.'))
    // Addresses with a piece of the file's hash never change what they mean.
    ctx.set('Cache-Control', ctx.querystring.startsWith('v=') ? 'public, max-age=31536000, immutable' : 'no-cache')
    if (ctx.fresh) ctx.status = 304
  }
}

function methodNotAllowed(): Refusal {
  return refuse('method_not_allowed', 'The address is right, the method is not.')
}

type Answerer = (route: Route, ctx: Context, params: Readonly<Record<string, string>>) => Promise<void>

function serveRoutes(prefix: string, routes: readonly Route[], answer: Answerer): Middleware {
  const router = new Router({ sensitive: true, strict: true })
  for (const route of routes)
    router.register(route.path.replaceAll(/\{(\w+)\}/g, ':$1'), [route.method], async (ctx) => {
      ctx.respond = false
      await answer(route, ctx as unknown as Context, ctx.params as Record<string, string>)
    })
  const serve = router.routes()
  return (ctx, next) => {
    if (!ctx.path.startsWith(prefix)) return next()
    return serve(ctx as Parameters<typeof serve>[0], () => {
      const allowed = allowedMethods(router, ctx.path)
      if (allowed.length === 0) throw new Refused(refuse('not_found', 'The interface has no call of this name.'))
      throw new Refused(methodNotAllowed(), { headers: { Allow: allowed.join(', ') } })
    })
  }
}

function answerApi(parts: AppParts, viewOf: ViewOf): Answerer {
  return async (route, ctx, params) => {
    const asked = { params, search: ctx.querystring, requestId: () => requestIdOf(ctx) }
    const reply = await perform(route, ctx.req, ctx.res, viewOf(ctx), asked, parts)
    if (reply === undefined) ctx.res.destroy()
    else await sendReply(ctx.res, reply)
  }
}

function answerPeers(parts: AppParts, door: Door | undefined, viewOf: ViewOf): Answerer {
  return async (route, ctx, params) => {
    const view = viewOf(ctx)
    if (door === undefined || audienceOf(view) !== 'peer')
      throw new Refused(refuse('tls_needed', 'This is for agents, which connect with TLS.'))
    const asked = { params, search: ctx.querystring, requestId: () => requestIdOf(ctx) }
    await performForPeer(route, ctx.req, ctx.res, view, asked, { ...parts, door })
  }
}

function allowedMethods(router: Router, path: string): string[] {
  const methods = router.match(path, 'GET').path.flatMap((layer) => layer.methods)
  return [...new Set(methods)].sort()
}

/**
 * Pages are changed by their own forms only. Programs use the API, so a form without a sign of a browser is refused too. From
 * elsewhere all but the page for signing in asks for a sign-in.
 */
function guardPages(parts: AppParts, viewOf: ViewOf): Middleware {
  return (ctx, next) => {
    const view = viewOf(ctx)
    ctx.state.channel = view.channel
    if (!isSafe(ctx.method)) {
      const refused = isBrowser(view.headers)
        ? checkOrigin(view)
        : refuse('cross_origin', 'Forms come from the pages of this agent; programs use the API.')
      if (refused !== undefined) throw new Refused(refused)
    }
    if (view.channel === 'loopback' || ctx.path === signInPage) return next()
    const authority = checkRemote('page', view, parts.access)
    if (typeof authority === 'string') return next()
    if (!isSafe(ctx.method) || authority.code !== 'sign_in_needed') throw new Refused(authority)
    ctx.redirect(`${signInPage}?${new URLSearchParams({ next: ctx.path + ctx.search })}`)
    return undefined
  }
}

const signInPage = '/sign-in'
