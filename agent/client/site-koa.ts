/**
 * The site kit as middleware for Koa. Owns nothing; imports no Koa.
 */
import type { SiteDecider, SiteRefusal } from './site-decision.ts'

/** What is used of Koa's context. */
export interface KoaContext {
  readonly path: string
  status: number
  body: unknown
  readonly state: Record<string, unknown>
  set(name: string, value: string): void
  redirect(to: string): void
}

/**
 * Lets a request on if its user may see the page, with `ctx.state.siteAccess` `full`, `administration` or `open`.
 * @param signInOf the id that `signIn` gave, from the cookie or session of the request
 * @param refused shows a page that says why there is no seat; plain text when left out
 */
export function koaSite<Context extends KoaContext>(
  kit: SiteDecider,
  signInOf: (context: Context) => string | undefined,
  refused?: (context: Context, decision: SiteRefusal) => Promise<void> | void,
): (context: Context, next: () => Promise<unknown>) => Promise<void> {
  return async (context, next) => {
    const decision = await kit.decide(context.path, signInOf(context))
    if (decision.kind === 'pass') {
      context.state.siteAccess = decision.access
      await next()
      return
    }
    context.set('Cache-Control', 'no-store')
    if (decision.kind === 'redirect') {
      context.redirect(decision.to)
      return
    }
    context.status = decision.status
    if (decision.retryIn !== undefined) context.set('Retry-After', String(decision.retryIn))
    if (decision.isApi) context.body = { code: decision.code, detail: decision.detail }
    else if (refused) await refused(context, decision)
    else context.body = decision.detail
  }
}
