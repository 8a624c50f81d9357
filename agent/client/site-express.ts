/**
 * The site kit as middleware for Express. Owns nothing; imports no Express.
 */
import type { SiteDecider, SiteRefusal } from './site-decision.ts'

/** What is used of Express. */
export interface ExpressRequest {
  readonly path: string
}
export interface ExpressResponse {
  readonly locals: Record<string, unknown>
  status(code: number): this
  set(name: string, value: string): unknown
  json(body: unknown): unknown
  send(body: string): unknown
  redirect(to: string): unknown
}
export type ExpressNext = (error?: unknown) => void

/**
 * Lets a request on if its user may see the page, with `response.locals.siteAccess` `full`, `administration` or `open`.
 * @param signInOf the id that `signIn` gave, from the cookie or session of the request
 * @param refused shows a page that says why there is no seat; plain text when left out
 */
export function expressSite<Request extends ExpressRequest, Response extends ExpressResponse>(
  kit: SiteDecider,
  signInOf: (request: Request) => string | undefined,
  refused?: (request: Request, response: Response, decision: SiteRefusal) => void,
): (request: Request, response: Response, next: ExpressNext) => void {
  return (request, response, next) => {
    kit.decide(request.path, signInOf(request)).then((decision) => {
      if (decision.kind === 'pass') {
        response.locals.siteAccess = decision.access
        next()
        return
      }
      response.set('Cache-Control', 'no-store')
      if (decision.kind === 'redirect') {
        response.redirect(decision.to)
        return
      }
      response.status(decision.status)
      if (decision.retryIn !== undefined) response.set('Retry-After', String(decision.retryIn))
      if (decision.isApi) response.json({ code: decision.code, detail: decision.detail })
      else if (refused) refused(request, response, decision)
      else {
        // Without a type the text would be taken for a page.
        response.set('Content-Type', 'text/plain; charset=utf-8')
        response.send(decision.detail)
      }
    }, next)
  }
}
