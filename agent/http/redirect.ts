/**
 * The answer to plain HTTP from other machines: where to go with TLS, and nothing else. Must not import owners.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { isOwnHost, parseHost } from './host.ts'

/** @param names own names of this machine, in lower case */
export function createRedirect(names: () => ReadonlySet<string>): RequestListener {
  return (incoming: IncomingMessage, response: ServerResponse) => {
    const { headers, url = '' } = incoming
    const host = parseHost(headers.host ?? '')
    const isTarget = url.startsWith('/') && !url.startsWith('//') && /^[\x21-\x7e]{1,2048}$/.test(url)
    response.setHeader('Connection', 'close')
    response.setHeader('Cache-Control', 'no-store')
    if (host === undefined || !isTarget || !isOwnHost(host, names())) response.statusCode = 421
    else {
      const name = host.kind === 'ipv6' ? `[${host.name}]` : host.name
      response.statusCode = 308
      response.setHeader('Location', `https://${name}${host.port === undefined ? '' : `:${host.port}`}${url}`)
    }
    response.end()
  }
}
