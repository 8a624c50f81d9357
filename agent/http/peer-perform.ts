/**
 * Takes one request of an agent through its route: no browsers, the signature over the raw body, then type, JSON, schemas,
 * handler; the answer is signed (R13). Must not import owners but the door.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { evidenceHeader, nonceHeader, requestHeader } from '../domain/peer-signature.ts'
import { type Refusal, refuse } from '../errors.ts'
import type { Admission, PeerDoor } from '../peers/peer-door.ts'
import { readBody } from './body.ts'
import { checkJsonType } from './guards.ts'
import { keepForAgent } from './idle-connections.ts'
import { parseJson } from './json.ts'
import { isBrowser } from './origin.ts'
import { type Asked, readQuery, type Surroundings, signalClose } from './perform.ts'
import { failureOf, isRefusal, isUnexpected, problemReply } from './problem.ts'
import { type Reply, sendReply } from './reply.ts'
import { plainAddress, type RequestView } from './request-view.ts'
import type { Call, Route } from './route.ts'

export type Door = Pick<PeerDoor, 'admit' | 'greet' | 'sign'>

/** What the signature of an answer is bound to. */
type To = Parameters<Door['sign']>[2]

/** Answers by itself; rejects only when the answer could not be written. */
export async function performForPeer(
  route: Route,
  incoming: IncomingMessage,
  response: ServerResponse,
  view: RequestView,
  asked: Asked,
  surroundings: Surroundings & { readonly door: Door },
): Promise<void> {
  const { door } = surroundings
  const turnAway = (refusal: Refusal, to?: To): void =>
    sendAnswer(response, problemReply(refusal, asked.requestId()), to === undefined ? undefined : { door, to })
  if (isBrowser(view.headers)) return turnAway(refuse('cross_origin', 'This is for agents, not for browsers.'))
  const address = plainAddress(view.remoteAddress)
  if (route.guard === 'greeting') {
    const refused = door.greet(address)
    if (refused !== undefined) return turnAway(refused)
    const reply = await handle(route, callOf(view, response, asked, address, undefined), asked, surroundings)
    return sendAnswer(response, reply, { door, to: { nonce: headerOf(view, nonceHeader) } })
  }
  const body = await readBody(incoming, route.bodyLimit)
  if (body.kind === 'gone') {
    response.destroy()
    return undefined
  }
  if (body.kind === 'refused') return turnAway(body)
  const to = { signature: headerOf(view, 'signature') }
  const admission = await admit(door, view, address, body.bytes)
  if (admission.kind === 'turned-away') return turnAway(admission.refusal, admission.signed ? to : undefined)
  const call = { ...callOf(view, response, asked, address, body.bytes), peer: admission.caller }
  keepForAgent(response)
  return sendAnswer(response, await handle(route, call, asked, surroundings), { door, to })
}

/** A store that can't be written keeps new agents out, not the answer from being given. */
async function admit(door: Door, view: RequestView, address: string, body: Buffer): Promise<Admission> {
  try {
    return await door.admit({
      method: view.method,
      target: view.url,
      address,
      body,
      digest: headerOf(view, 'content-digest'),
      facts: headerOf(view, requestHeader),
      signatureInput: headerOf(view, 'signature-input'),
      signature: headerOf(view, 'signature'),
      via: headerOf(view, 'via'),
      evidence: headerOf(view, evidenceHeader),
    })
  } catch (error) {
    return { kind: 'turned-away', refusal: failureOf(error), signed: true }
  }
}

interface RawCall extends Omit<Call, 'body'> {
  readonly bytes: Buffer | undefined
  readonly type: Refusal | undefined
}

function callOf(
  view: RequestView,
  response: ServerResponse,
  asked: Asked,
  address: string,
  bytes: Buffer | undefined,
): RawCall {
  return {
    params: asked.params,
    query: readQuery(asked.search),
    headers: view.headers,
    address,
    authority: 'nobody',
    channel: view.channel,
    closed: () => signalClose(response),
    bytes,
    type: bytes === undefined || bytes.length === 0 ? undefined : checkJsonType(view),
  }
}

async function handle(
  route: Route,
  { bytes, type, ...call }: RawCall,
  asked: Asked,
  { log }: Surroundings,
): Promise<Reply> {
  try {
    if (type !== undefined) return problemReply(type, asked.requestId())
    let body: unknown
    if (bytes !== undefined && bytes.length > 0) {
      const parsed = parseJson(bytes)
      if (parsed.kind === 'refused') return problemReply(parsed, asked.requestId())
      body = parsed.value
    }
    const outcome = await route.handle({ ...call, body })
    return isRefusal(outcome) ? problemReply(outcome, asked.requestId()) : outcome
  } catch (error) {
    const requestId = asked.requestId()
    if (isUnexpected(error)) log.error('request failed', { error, requestId, route: `${route.method} ${route.path}` })
    return problemReply(failureOf(error), requestId)
  }
}

function headerOf({ headers }: RequestView, name: string): string {
  const value = headers[name]
  return typeof value === 'string' ? value : ''
}

function sendAnswer(
  response: ServerResponse,
  reply: Reply,
  signer: { readonly door: Door; readonly to: To } | undefined,
): void {
  const { content, status } = reply
  if (content !== undefined && content.kind !== 'json') {
    // events are trusted by the channel; that it was opened is signed
    const signed = signer?.door.sign(status, undefined, signer.to) ?? {}
    void sendReply(response, { ...reply, headers: { ...reply.headers, ...signed } })
    return
  }
  const text = content === undefined ? '' : JSON.stringify(content.value)
  const headers: Record<string, string> = {
    'cache-control': 'no-store',
    ...reply.headers,
    ...signer?.door.sign(status, text, signer.to),
  }
  if (content !== undefined) {
    headers['content-type'] = content.type ?? 'application/json'
    headers['content-length'] = String(Buffer.byteLength(text))
  }
  // what is left of a body that nobody read must not be taken for the next request
  if (!response.req.complete) headers.connection = 'close'
  response.writeHead(status, headers)
  response.end(text)
}
