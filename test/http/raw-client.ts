/** Talks to a port in bytes, for requests that no client library would send. */
import { connect } from 'node:net'

export interface RawAnswer {
  readonly status: number
  /** In lower case; several of one name are joined. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface RawOptions {
  readonly address?: string
  /** Leave out to wait until the other side closes. */
  readonly until?: (text: string) => boolean
  readonly deadline?: number
}

/** Sends the pieces and answers with everything that came back; an empty text when the connection was just closed. */
export function sendRaw(port: number, pieces: string | readonly string[], options: RawOptions = {}): Promise<string> {
  const { address = '127.0.0.1', until, deadline = 10_000 } = options
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(port, address)
    const timer = setTimeout(() => {
      socket.destroy()
      reject(new Error(`no end of the answer within ${deadline} ms: ${text.slice(0, 200)}`))
    }, deadline)
    const finish = () => {
      clearTimeout(timer)
      socket.destroy()
      resolve(text)
    }
    socket.setEncoding('latin1')
    socket.on('data', (piece: string) => {
      text += piece
      if (until?.(text)) finish()
    })
    socket.on('close', finish)
    socket.on('error', finish)
    for (const piece of typeof pieces === 'string' ? [pieces] : pieces) socket.write(piece, 'latin1')
  })
}

/** Reads one answer; `undefined` when there is none. */
export function readAnswer(text: string): RawAnswer | undefined {
  const match = /^HTTP\/1\.1 (\d{3})[^\r\n]*\r\n/.exec(text)
  if (match === null) return undefined
  const end = text.indexOf('\r\n\r\n')
  const headers: Record<string, string> = {}
  for (const line of text.slice(match[0].length, end).split('\r\n')) {
    const at = line.indexOf(':')
    const name = line.slice(0, at).toLowerCase()
    const value = line.slice(at + 1).trim()
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`
  }
  return { status: Number(match[1]), headers, body: text.slice(end + 4) }
}

export interface RawRequest {
  readonly method?: string
  readonly path?: string
  readonly version?: string
  readonly headers?: readonly (readonly [string, string])[]
  readonly body?: string
}

/** One request on a connection of its own. A Host header is added unless one is among the headers or `host` is null. */
export async function request(
  port: number,
  { method = 'GET', path = '/', version = '1.1', headers = [], body = '' }: RawRequest,
  host: string | null = `localhost:${port}`,
  options: RawOptions = {},
): Promise<RawAnswer | undefined> {
  const lines = [`${method} ${path} HTTP/${version}`]
  if (host !== null) lines.push(`Host: ${host}`)
  for (const [name, value] of headers) lines.push(`${name}: ${value}`)
  if (body !== '') lines.push(`Content-Length: ${Buffer.byteLength(body, 'latin1')}`)
  lines.push('Connection: close', '', '')
  return readAnswer(await sendRaw(port, lines.join('\r\n') + body, options))
}

export function codeOf(answer: RawAnswer | undefined): unknown {
  try {
    return (JSON.parse(answer?.body ?? '') as { code?: unknown }).code
  } catch {
    return undefined
  }
}
