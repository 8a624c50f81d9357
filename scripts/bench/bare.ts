/**
 * What the agent is measured against: node:http that parses the same body as JSON and answers 200 bytes of JSON.
 * A program of its own; prints its port. Imports nothing of ours.
 */
import { createServer } from 'node:http'

const answer = Buffer.from(JSON.stringify({ id: 'bare', filler: 'x'.repeat(200 - '{"id":"bare","filler":""}'.length) }))

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    if (chunks.length > 0) JSON.parse(Buffer.concat(chunks).toString())
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length })
    response.end(answer)
  })
})
server.keepAliveTimeout = 65_000
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  if (typeof address === 'object' && address !== null) process.stdout.write(`${address.port}\n`)
})
