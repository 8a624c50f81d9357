/**
 * The Koa application, and the order in which a request passes what stands before its answer. The order is here and nowhere else:
 * errors > request id > connection (audience, HTTP version, proxies, Host) > headers > static files > API or pages > nothing here.
 * Must not import owners.
 */
import type { RequestListener } from 'node:http'
import Router from '@koa/router'
import { send } from '@koa/send'
import Koa, { type Context, type Middleware, type Next } from 'koa'
import { type Refusal, refuse } from '../errors.ts'
import type { Problem } from './api/shapes.ts'
import { checkConnection } from './guards.ts'
import { createHotHandler } from './hot.ts'
import { checkOrigin, isBrowser, isSafe } from './origin.ts'
import { pageHeaders, plainProblemPage } from './page-headers.ts'
import { perform, type Surroundings } from './perform.ts'
import { describeProblem, failureOf, isUnexpected, problemReply } from './problem.ts'
import { sendReply } from './reply.ts'
import { viewRequest } from './request-view.ts'
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
}

/** Everything that answers requests: the hot path, and Koa behind it. */
export function createRequestListener(parts: AppParts): RequestListener {
  return createHotHandler(parts.routes, parts, parts.newRequestId, createApp(parts))
}

export function createApp(parts: AppParts): RequestListener {
  const app = new Koa()
  app.silent = true
  app.on('error', (error: unknown) => parts.log.error('request failed', { error }))
  app.use(answerErrors(parts))
  app.use(nameRequest(parts))
  app.use(guardConnection)
  app.use(setHeaders)
  if (parts.publicFolder !== undefined) app.use(serveFiles(parts.publicFolder))
  app.use(serveApi(parts))
  if (parts.pages !== undefined) {
    app.use(guardPages)
    app.use(parts.pages)
  }
  app.use(() => Promise.reject(new Refused(refuse('not_found', 'There is no page and no call of this name.'))))
  const handle = app.callback()
  return (incoming, response) => {
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

function isApi(path: string): boolean {
  return path.startsWith('/api/')
}

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

const guardConnection: Middleware = (ctx, next) => {
  const refused = checkConnection(viewRequest(ctx.req))
  if (refused !== undefined) throw new Refused(refused, { plain: true })
  const target = ctx.req.url ?? ''
  if (!target.startsWith('/'))
    throw new Refused(refuse('malformed_request', 'The target of the request is not a path.'))
  if (!isDecodable(ctx.path))
    throw new Refused(refuse('malformed_request', 'The address has a % that stands for nothing.'))
  return next()
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

function serveApi(parts: AppParts): Middleware {
  const router = new Router({ sensitive: true, strict: true })
  for (const route of parts.routes)
    router.register(route.path.replaceAll(/\{(\w+)\}/g, ':$1'), [route.method], async (ctx) => {
      ctx.respond = false
      const asked = {
        params: ctx.params as Record<string, string>,
        search: ctx.querystring,
        requestId: () => requestIdOf(ctx),
      }
      const reply = await perform(route, ctx.req, ctx.res, viewRequest(ctx.req), asked, parts)
      if (reply === undefined) ctx.res.destroy()
      else await sendReply(ctx.res, reply)
    })
  const serve = router.routes()
  return (ctx, next) => {
    if (!isApi(ctx.path)) return next()
    return serve(ctx as Parameters<typeof serve>[0], () => {
      const allowed = allowedMethods(router, ctx.path)
      if (allowed.length === 0) throw new Refused(refuse('not_found', 'The interface has no call of this name.'))
      throw new Refused(methodNotAllowed(), { headers: { Allow: allowed.join(', ') } })
    })
  }
}

function allowedMethods(router: Router, path: string): string[] {
  const methods = router.match(path, 'GET').path.flatMap((layer) => layer.methods)
  return [...new Set(methods)].sort()
}

/** Pages are changed by their own forms only. Programs use the API, so a form without a sign of a browser is refused too. */
const guardPages: Middleware = (ctx, next) => {
  if (isSafe(ctx.method)) return next()
  const view = viewRequest(ctx.req)
  const refused = isBrowser(view.headers)
    ? checkOrigin(view)
    : refuse('cross_origin', 'Forms come from the pages of this agent; programs use the API.')
  if (refused !== undefined) throw new Refused(refused)
  return next()
}
