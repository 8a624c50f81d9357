/**
 * One keep-alive HTTP/1.1 connection that asks one thing at a time and costs as little as it can, so that on a machine
 * with few cores the server is what is measured. Not for anything but the benchmark. Imports nothing of ours.
 */
import { connect, type Socket } from 'node:net'

export interface Answer {
  readonly status: number
  readonly body: string
}

export class Connection {
  readonly #socket: Socket
  readonly #host: string
  #received = ''
  #broken: Error | undefined
  #settle: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined

  private constructor(socket: Socket, port: number) {
    this.#socket = socket
    this.#host = `localhost:${port}`
    socket.setNoDelay(true)
    // Answers of the agent are ASCII where the benchmark reads them.
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => this.#take(text))
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => this.#fail(new Error('the server closed the connection')))
  }

  static async open(port: number): Promise<Connection> {
    const socket = connect(port, '127.0.0.1')
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    return new Connection(socket, port)
  }

  /** @param headers lines that end with CR LF, or '' */
  ask(method: string, path: string, headers: string, body: string): Promise<Answer> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken)
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
      const type = body === '' ? '' : `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`
      this.#socket.write(`${method} ${path} HTTP/1.1\r\nhost: ${this.#host}\r\n${headers}${type}\r\n${body}`)
    })
  }

  close(): void {
    this.#settle = undefined
    this.#socket.destroy()
  }

  #take(text: string): void {
    this.#received = this.#received === '' ? text : this.#received + text
    const end = this.#received.indexOf('\r\n\r\n')
    if (end < 0) return
    const head = this.#received.slice(0, end).toLowerCase()
    const status = Number(head.slice(9, 12))
    const start = end + 4
    const length = readLength(head, status)
    const body = length === undefined ? joinChunks(this.#received, start) : takeText(this.#received, start, length)
    if (body === undefined) return
    this.#received = ''
    const settle = this.#settle
    this.#settle = undefined
    settle?.resolve({ status, body })
  }

  #fail(error: Error): void {
    this.#broken ??= error
    const settle = this.#settle
    this.#settle = undefined
    settle?.reject(error)
  }
}

/** Undefined for a body that comes in chunks. */
function readLength(head: string, status: number): number | undefined {
  if (status === 204 || status === 304) return 0
  const at = head.indexOf('\r\ncontent-length:')
  return at < 0 ? undefined : Number.parseInt(head.slice(at + 17), 10)
}

/** Undefined while some of it is still on its way; so is `joinChunks`. */
function takeText(text: string, start: number, length: number): string | undefined {
  return text.length < start + length ? undefined : text.slice(start, start + length)
}

function joinChunks(text: string, start: number): string | undefined {
  let joined = ''
  let at = start
  for (;;) {
    const line = text.indexOf('\r\n', at)
    if (line < 0) return undefined
    const length = Number.parseInt(text.slice(at, line), 16)
    const chunk = takeText(text, line + 2, length + 2)
    if (chunk === undefined) return undefined
    if (length === 0) return joined
    joined += chunk.slice(0, length)
    at = line + 2 + length + 2
  }
}
