/**
 * The pages on a small server of their own: the router, static files, the headers of the real one, an events stream and
 * the error page. What guards requests is tested where it is made.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { PassThrough } from 'node:stream'
import Router from '@koa/router'
import { send } from '@koa/send'
import Koa from 'koa'
import { createPages, type PageOptions, type Pages } from '../../../agent/http/ui/pages.ts'
import type { Parts } from '../../../agent/http/ui/parts.ts'

/** Compiled tests run from build/test/http/ui. */
export const root = path.resolve(import.meta.dirname, '../../../..')
export const options: PageOptions = {
  views: path.join(root, 'views'),
  public: path.join(root, 'public'),
  strict: true,
  zone: 'Europe/Berlin',
}

export const policy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; " +
  "base-uri 'none'; frame-ancestors 'none'"

export interface PageServer {
  readonly address: string
  readonly pages: Pages
  /** Tells the open pages that something of this kind happened. */
  tell(event: string): void
  /** How many event streams are open. */
  streams(): number
  /** Ends the event streams, as a restart would. */
  cut(): void
  close(): Promise<void>
}

/** Templates are compiled once for all servers of a process. */
let shared: Promise<Pages> | undefined

export async function startPageServer(parts: Parts): Promise<PageServer> {
  shared ??= createPages(options)
  const pages = await shared
  const router = new Router({ sensitive: true, strict: true })
  const streams = new Set<PassThrough>()
  pages.install(router, parts)
  router.get('/public/:name', async (ctx) => {
    await send(ctx, String(ctx.params.name), { root: options.public })
  })
  router.get('/api/v1/events', (ctx) => {
    const stream = new PassThrough()
    streams.add(stream)
    stream.on('close', () => streams.delete(stream))
    ctx.type = 'text/event-stream'
    ctx.body = stream
    stream.write(': hello\nretry: 100\n\n')
  })
  const app = new Koa()
  app.silent = true
  app.use(async (ctx, next) => {
    ctx.set('Content-Security-Policy', policy)
    ctx.state.requestId = 'req-1'
    ctx.state.channel = 'loopback'
    try {
      await next()
      if (ctx.status === 404 && ctx.body === undefined) await pages.showProblem(ctx, parts, 'not_found', 'No page.')
    } catch {
      await pages.showProblem(ctx, parts, 'internal_error', 'Something unexpected happened.', 'req-1')
    }
  })
  app.use(router.routes())
  const handle = app.callback()
  const server = createServer((request, response) => void handle(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    pages,
    tell: (event) => {
      for (const stream of streams) stream.write(`event: ${event}\ndata: {}\n\n`)
    },
    streams: () => streams.size,
    cut: () => {
      for (const stream of streams) stream.destroy()
    },
    close: async () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
