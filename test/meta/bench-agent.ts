/**
 * A stand-in for the agent that answers the calls of the benchmark, and takes the verbs of its command line,
 * so that the benchmark is tested without the time a real one needs. Imports nothing of ours.
 */
import { writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'

const keys = new Set<string>()
let licenses = 0

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await text(request)
  const id = request.url?.split('/')[4] ?? ''
  const reply = (status: number, value?: object): void => {
    if (value === undefined) response.writeHead(status).end()
    else response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
  }
  const key = request.headers['idempotency-key']
  if (request.url === '/api/v1/ready') return reply(200, {})
  if (request.url === '/api/v1/licenses' && request.method === 'POST') {
    licenses += JSON.parse(body).trust === true ? 1 : 0
    return reply(201, {})
  }
  if (request.url === '/api/v1/licenses') return reply(200, { items: licenses > 0 ? [{ id: 'license-1' }] : [] })
  if (request.method === 'POST') {
    if (typeof key !== 'string' || key.length < 16 || keys.has(key) || JSON.parse(body).product !== 'bench/load')
      return reply(400, {})
    keys.add(key)
    return reply(201, { id: key, key: `key of ${key}` })
  }
  if (request.url?.startsWith('/api/v1/sessions?')) return reply(200, { items: [], total: keys.size })
  if (request.url === '/sessions') return reply(200, { page: keys.size })
  // The real agent keeps its sessions over a restart; this one takes any that has its own key.
  if (`key of ${id}` !== request.headers['session-key']) return reply(401, {})
  if (request.method === 'PUT') return reply(200, { id })
  reply(204)
}

const [verb, ...rest] = process.argv.slice(2)
if (verb === 'serve') {
  const server = createServer((request, response) => void answer(request, response))
  server.listen(Number(process.env.LEASEHOLD_NETWORK_PORT))
  process.once('SIGTERM', () => process.exit(0))
} else {
  const out = rest.indexOf('--out')
  if (out >= 0) writeFileSync(rest[out + 1] ?? '', 'a block')
}
