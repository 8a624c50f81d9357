/**
 * A visitor of the pages for their tests: keeps cookies as a browser would, and follows no redirect.
 */
import type { ExecutionContext } from 'ava'
import { type PageServer, startPageServer } from './page-app.ts'
import type { Size } from './sample-data.ts'
import { createSampleParts, type SampleParts } from './sample-parts.ts'

export interface Visitor {
  readonly parts: SampleParts
  readonly server: PageServer
  /** Follows no redirect; keeps cookies as a browser would. */
  get(address: string, headers?: Record<string, string>): Promise<Visited>
  post(address: string, fields: Record<string, string> | FormData): Promise<Visited>
}
export interface Visited {
  readonly status: number
  readonly to: string | null
  readonly text: string
  readonly headers: Headers
}

export async function visit(t: ExecutionContext, size: Size = 'some'): Promise<Visitor> {
  const parts = createSampleParts(size)
  const server = await startPageServer(parts)
  t.teardown(() => server.close())
  const cookies = new Map<string, string>()
  async function ask(address: string, init: RequestInit): Promise<Visited> {
    const headers = new Headers(init.headers)
    if (cookies.size > 0) headers.set('cookie', [...cookies].map(([name, value]) => `${name}=${value}`).join('; '))
    const response = await fetch(server.address + address, { ...init, headers, redirect: 'manual' })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '') cookies.delete(name)
      else cookies.set(name, value)
    }
    const { status } = response
    return { status, to: response.headers.get('location'), text: await response.text(), headers: response.headers }
  }
  return {
    parts,
    server,
    get: (address, headers = {}) => ask(address, { headers: { accept: 'text/html', ...headers } }),
    post: (address, fields) =>
      ask(address, { method: 'POST', body: fields instanceof FormData ? fields : new URLSearchParams(fields) }),
  }
}
