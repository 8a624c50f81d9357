/**
 * The pages as the application mounts them: their router, and how a problem is shown as one of them.
 * Must not import owners.
 */
import Router from '@koa/router'
import type { Context, Middleware } from 'koa'
import { type ErrorCode, errorTable } from '../errors.ts'
import type { Problem } from './api/shapes.ts'
import { createPages, type PageOptions } from './ui/pages.ts'
import type { Parts } from './ui/parts.ts'

export interface PageServer {
  readonly pages: Middleware
  readonly renderProblem: (ctx: Context, problem: Problem) => Promise<void>
}

export async function createPageServer(options: PageOptions, parts: Parts): Promise<PageServer> {
  const pages = await createPages(options)
  const router = new Router({ sensitive: true, strict: true })
  pages.install(router, parts)
  const serve = router.routes()
  return {
    pages: (ctx, next) => serve(ctx as Parameters<typeof serve>[0], next),
    renderProblem: (ctx, problem) =>
      pages.showProblem(ctx, parts, codeOf(problem.code), problem.detail, problem.requestId),
  }
}

function codeOf(code: string): ErrorCode {
  return Object.hasOwn(errorTable, code) ? (code as ErrorCode) : 'internal_error'
}
