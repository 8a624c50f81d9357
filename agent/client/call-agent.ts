/**
 * One call to the agent of this machine: plain HTTP to loopback, with a deadline and a size, and every outcome as a value.
 * Owns nothing. Must not import anything of the agent.
 */
import { type IncomingMessage, request } from 'node:http'
import { isIPv4 } from 'node:net'
import { type Problem, problem } from './answers.ts'

export interface AgentCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** From the root, with the query. */
  readonly path: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** ms until the call is given up; 30 s when left out. */
  readonly patience?: number
  /** Closes the connection. */
  readonly signal?: AbortSignal
  /** Takes the body of a good answer piece by piece, instead of keeping it. */
  readonly sink?: (piece: Buffer) => Promise<void> | void
  /** Waiting for the answer does not keep the process alive. */
  readonly quiet?: boolean
}

export type AgentReply =
  | {
      readonly kind: 'answered'
      readonly status: number
      /** The body as it came. */
      readonly text: string
      /** The body as JSON; undefined where there is none. */
      readonly value: unknown
    }
  | { readonly kind: 'refused'; readonly problem: Problem; readonly text: string }
  /** Nothing listens, so nothing was done. */
  | { readonly kind: 'no-agent' }
  /** The connection broke or the time was over: what was asked may have been done. */
  | { readonly kind: 'no-answer'; readonly detail: string }
  /** Something answers that is no agent. */
  | { readonly kind: 'foreign'; readonly detail: string }
  /** The caller's signal ended it. */
  | { readonly kind: 'stopped' }

export type CallAgent = (call: AgentCall) => Promise<AgentReply>

export interface AgentAccess {
  readonly port: number
  /** An address of loopback; 127.0.0.1 when left out. */
  readonly address?: string
  /** What may prove who asks, best first; each is tried where the one before is not known to the agent. */
  readonly tokens: readonly string[]
}

const usualPatience = 30_000
const mostBytes = 64 * 1024 * 1024

/** The address of loopback that is meant; undefined for a host that is none. A name is not looked up: it may lead anywhere. */
export function loopbackAddress(host: string): string | undefined {
  const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase()
  if (bare === 'localhost') return '127.0.0.1'
  return bare === '::1' || (isIPv4(bare) && bare.startsWith('127.')) ? bare : undefined
}

/** @throws TypeError when the address is not one of loopback: nothing of a session leaves this machine */
export function connectAgent({ port, address: host = '127.0.0.1', tokens }: AgentAccess): CallAgent {
  const address = loopbackAddress(host)
  if (address === undefined)
    throw new TypeError(`the agent of this machine is asked, and “${host}” is not this machine`)
  let left: readonly string[] = tokens
  return async (call) => {
    for (;;) {
      const [token] = left
      const reply = await callOnce({ port, address }, token, call)
      // A key of another agent, or of an earlier start, says nothing about what may be done without it.
      if (token === undefined || reply.kind !== 'refused' || reply.problem.code !== 'sign_in_needed') return reply
      if (left[0] === token) left = left.slice(1)
    }
  }
}

interface Place {
  readonly port: number
  readonly address: string
}

async function callOnce(place: Place, token: string | undefined, call: AgentCall): Promise<AgentReply> {
  // Takes whole milliseconds only; readings of a clock have parts of them.
  const timeout = AbortSignal.timeout(Math.ceil(call.patience ?? usualPatience))
  const signal = call.signal === undefined ? timeout : AbortSignal.any([call.signal, timeout])
  try {
    const response = await send(place, token, call, signal)
    const status = response.statusCode ?? 0
    if (call.sink !== undefined && status >= 200 && status < 300) {
      for await (const piece of response) await call.sink(piece as Buffer)
      return { kind: 'answered', status, text: '', value: undefined }
    }
    return understand(response, status, await readText(response))
  } catch (error) {
    if (call.signal?.aborted) return { kind: 'stopped' }
    if (timeout.aborted) return { kind: 'no-answer', detail: 'the time for an answer is over' }
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (code === 'ECONNREFUSED') return { kind: 'no-agent' }
    if (code.startsWith('HPE_')) return { kind: 'foreign', detail: 'it does not speak HTTP' }
    return { kind: 'no-answer', detail: error instanceof Error ? error.message : String(error) }
  }
}

function send(place: Place, token: string | undefined, call: AgentCall, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const body = call.body === undefined ? undefined : Buffer.from(JSON.stringify(call.body))
    const outgoing = request(
      {
        host: place.address,
        port: place.port,
        method: call.method,
        path: call.path,
        agent: false,
        signal,
        headers: {
          Accept: 'application/json',
          ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'Content-Type': 'application/json', 'Content-Length': body.length }),
          ...call.headers,
        },
      },
      resolve,
    )
    outgoing.on('error', reject)
    // what answers is no answer, such as 101; of no effect once there was one
    outgoing.on('close', () => reject(new Error('the connection was closed without an answer')))
    if (call.quiet) outgoing.on('socket', (socket) => socket.unref())
    outgoing.end(body)
  })
}

async function readText(response: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = []
  let length = 0
  for await (const piece of response) {
    length += (piece as Buffer).length
    if (length > mostBytes) throw new Error('the answer is too long')
    pieces.push(piece as Buffer)
  }
  return Buffer.concat(pieces).toString('utf8')
}

function understand(response: IncomingMessage, status: number, text: string): AgentReply {
  if (status === 204) return { kind: 'answered', status, text, value: undefined }
  const type = response.headers['content-type'] ?? ''
  const value = /^application\/(problem\+)?json\b/.test(type) ? parse(text) : undefined
  if (value === undefined) return { kind: 'foreign', detail: `its answer has the status ${status} and is not JSON` }
  if (status >= 200 && status < 300) return { kind: 'answered', status, text, value }
  const refused = problem.safeParse(value)
  if (refused.success) return { kind: 'refused', problem: refused.data, text }
  return { kind: 'foreign', detail: `its answer has the status ${status} and no code` }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
