/**
 * Getting to know whoever answers at a place: connection, greeting, proof of identity, version; step by step, with what went
 * wrong where. Must not import http.
 */
import type { TLSSocket } from 'node:tls'
import type { Clock, Timers } from '../clock.ts'
import { openDocument } from '../domain/documents/document.ts'
import { keyId, shortGroups, verifyingKey } from '../domain/documents/keys.ts'
import { contentDigest } from '../domain/http-signature.ts'
import { answerHeader, type Evidence, nonceHeader, readAnswer } from '../domain/peer-signature.ts'
import { type Place, showPlace } from '../domain/place.ts'
import type { Unreachable } from './manager-link.ts'
import { type Connect, connectSecurely, hostHeader } from './peer-connection.ts'
import { type Exchange, exchange, headerOf, type Outgoing } from './peer-exchange.ts'
import { type Hello, helloSchema, peerVersions } from './wire.ts'

export interface Step {
  readonly step: Unreachable['step']
  readonly outcome: 'done' | 'failed'
  /** ms that it took. */
  readonly ms: number
  readonly detail: string
}

/** An agent that has proved who it is. */
export interface Met {
  readonly kind: 'met'
  readonly hello: Hello
  /** `host:port`. */
  readonly address: string
  readonly place: Place
  /** base64url SHA-256 of its certificate. */
  readonly certificate: string
  /** The version of the interface that both speak. */
  readonly version: number
  /** ms from the greeting to its answer. */
  readonly latency: number
  /** Its wall clock less ours, in ms, half the latency taken into account. */
  readonly clockDifference: number
  readonly steps: readonly Step[]
  /** Where it stands, signed. */
  readonly evidence: Evidence
}

export type Meeting = Met | (Unreachable & { readonly steps: readonly Step[] })

export interface MeetingParts {
  readonly connect: Connect
  readonly clock: Pick<Clock, 'atMost' | 'wall'>
  readonly timers: Timers
  readonly randomId: () => string
  /** Of this agent: meeting oneself is no meeting. */
  readonly self: string
  /** Told of each step before it is tried. */
  readonly onStep?: (step: Step['step']) => void
}

/** The connections that are open to an agent whose certificate was proved. */
export interface Kept {
  readonly certificate: string
  readonly send: (outgoing: Outgoing, limit: number, signal: AbortSignal) => Promise<Exchange>
}

const mostHello = 256 * 1024
const order: readonly Step['step'][] = ['name', 'connect', 'tls', 'identity', 'version', 'answer']
/** ms after which the next address is tried beside the one that has not answered yet. */
const stagger = 400

/** ms after which an agent that is greeted by too many is greeted again, as it says itself. */
const busyPause = 1000
/** Detail of meeting oneself. */
export const itself = 'this is the agent itself'
const busy = 'too many greet it from this address at the moment'

/**
 * Where too many come from one address, as from an office behind a router, it waits for its turn until `signal`.
 * @param expected id of the agent that should be there; undefined for whoever it is
 * @param kept where the greeting goes over a connection that is there already
 */
export async function meetAt(
  parts: MeetingParts,
  place: Place,
  signal: AbortSignal,
  expected?: string,
  kept?: Kept,
): Promise<Meeting> {
  let refused: Meeting | undefined
  for (;;) {
    const meeting = await greetAt(parts, place, signal, expected, kept)
    if (meeting.kind === 'met') return meeting
    if (isBusy(meeting)) refused = meeting
    else return signal.aborted ? (refused ?? meeting) : meeting
    await passOrAbort(parts.timers, busyPause, signal)
    if (signal.aborted) return refused
  }
}

export function isBusy(meeting: Meeting): boolean {
  return meeting.steps.at(-1)?.detail === busy
}

/** Resolves after `ms` or with the signal. */
export function passOrAbort(timers: Timers, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      cancel()
      signal.removeEventListener('abort', end)
      resolve()
    }
    const cancel = timers.after(ms, end)
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
  })
}

/** One greeting, as for `meetAt`. */
export async function greetAt(
  parts: MeetingParts,
  place: Place,
  signal: AbortSignal,
  expected?: string,
  kept?: Kept,
): Promise<Meeting> {
  const { clock } = parts
  const steps: Step[] = []
  let since = clock.atMost()
  const done = (step: Step['step'], detail: string): void => {
    const now = clock.atMost()
    steps.push({ step, outcome: 'done', ms: now - since, detail })
    since = now
    parts.onStep?.(order[order.indexOf(step) + 1] ?? 'answer')
  }
  const fail = (step: Step['step'], detail: string): Meeting => {
    steps.push({ step, outcome: 'failed', ms: clock.atMost() - since, detail })
    return { kind: 'unreachable', unsent: true, step, detail: `${showPlace(place)}: ${detail}.`, steps }
  }

  let socket: TLSSocket | undefined
  let over = kept
  if (over === undefined) {
    const connected = await parts.connect(place, signal)
    if (connected.kind === 'failed') return fail(connected.step, connected.detail)
    done('connect', connected.socket.remoteAddress ?? place.host)
    const secured = await connectSecurely(async () => connected, place, signal)
    if (secured.kind === 'failed') return fail('tls', secured.detail)
    const own = secured.socket
    socket = own
    over = {
      certificate: secured.certificate,
      send: (outgoing, limit, until) => exchange(outgoing, { socket: own, signal: until, limit }),
    }
    done('tls', own.getProtocol() ?? 'TLS')
  }
  try {
    const nonce = parts.randomId()
    const greeting = {
      method: 'GET',
      path: '/peer/v1/hello',
      headers: { [nonceHeader]: nonce, host: hostHeader(place) },
    }
    const said = await over.send(greeting, mostHello, signal)
    if (said.kind === 'broken') return fail('answer', said.detail)
    // That it is busy says nothing of who it is.
    if (said.status === 429) return fail('answer', busy)
    if (said.status === 503) return fail('answer', 'it takes no requests at the moment')
    const latency = clock.atMost() - since
    const proof = prove(said, nonce, over.certificate)
    if (proof.kind === 'wrong') return fail('identity', proof.detail)
    const { hello, evidence } = proof
    if (hello.agent === parts.self) return fail('identity', itself)
    if (expected !== undefined && hello.agent !== expected)
      return fail('identity', `another agent answers there: ${hello.name} (${shortGroups(hello.agent)})`)
    done('identity', shortGroups(hello.agent))
    const version = Math.max(0, ...peerVersions.filter((one) => hello.versions.includes(one)))
    if (version === 0) return fail('version', explainVersions(hello))
    done('version', String(version))
    const clockDifference = hello.time - (clock.wall() - latency / 2)
    const address = showPlace(place)
    const { certificate } = over
    return { kind: 'met', hello, address, place, certificate, version, latency, clockDifference, steps, evidence }
  } finally {
    socket?.destroy()
  }
}

/** The first of the places where the expected agent proves itself; else what went furthest. */
export function meetAnywhere(
  parts: MeetingParts,
  places: readonly Place[],
  signal: AbortSignal,
  expected: string,
): Promise<Meeting> {
  return new Promise((resolve) => {
    const others = new AbortController()
    const both = AbortSignal.any([signal, others.signal])
    let failure: Meeting & { kind: 'unreachable' } = {
      kind: 'unreachable',
      unsent: true,
      step: 'name',
      detail: 'No address of it is known.',
      steps: [],
    }
    let next = 0
    let open = 0
    const begin = (): void => {
      const place = places[next]
      if (place === undefined || others.signal.aborted) return
      next++
      open++
      const cancel = parts.timers.after(stagger, begin)
      void meetAt(parts, place, both, expected).then((meeting) => {
        open--
        cancel()
        if (others.signal.aborted) return
        if (meeting.kind === 'met') {
          others.abort()
          resolve(meeting)
          return
        }
        if (failure.steps.length === 0 || order.indexOf(meeting.step) > order.indexOf(failure.step)) failure = meeting
        begin()
        if (open === 0) resolve(failure)
      })
    }
    begin()
    if (open === 0) resolve(failure)
  })
}

type Proof =
  | { readonly kind: 'proved'; readonly hello: Hello; readonly evidence: Evidence }
  | { readonly kind: 'wrong'; readonly detail: string }

function wrong(detail: string): Proof {
  return { kind: 'wrong', detail }
}

/** The agent's key signs this very answer, and the statement that the certificate of the connection is its own. */
function prove(said: Extract<Exchange, { kind: 'said' }>, nonce: string, certificate: string): Proof {
  const parsed = helloSchema.safeParse(said.json)
  if (said.status !== 200 || !parsed.success) return wrong('what answers there is no agent')
  const hello = parsed.data
  if (keyId(hello.key) !== hello.agent) return wrong('its key is not that of its id')
  const key = verifyingKey(hello.key)
  const message = {
    status: said.status,
    digest: contentDigest(said.body),
    to: { nonce },
    facts: headerOf(said, answerHeader),
  }
  const signed = { input: headerOf(said, 'signature-input'), signature: headerOf(said, 'signature') }
  const evidence = message.digest === headerOf(said, 'content-digest') ? readAnswer(message, signed, key) : undefined
  if (evidence === undefined) return wrong('the answer is not signed with its key')
  const statement = openDocument(hello.statement, 'leasehold-statement', key)
  if (statement.kind === 'refused') return wrong('its statement about the certificate is not signed by it')
  if (statement.payload.certificate !== certificate)
    return wrong('the certificate of the connection is not the one that its key names')
  // measured by its own clock, which it has just signed: ours may be wrong
  if (statement.payload.exp * 1000 <= evidence.time) return wrong('its statement about the certificate is out of date')
  return { kind: 'proved', hello, evidence }
}

function explainVersions({ name, versions }: Hello): string {
  const theirs = versions.join(', ')
  const newer = Math.min(...versions) > Math.max(...peerVersions)
  return `${name} speaks version ${theirs} of the interface between agents and this agent ${peerVersions.join(', ')}; update ${newer ? 'this agent' : name}`
}
