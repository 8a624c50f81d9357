/**
 * The library for applications (`leasehold/client`): asks the agent of this machine for a seat and hands out a session that
 * keeps itself. Owns nothing but the stream of news that all sessions of this process share. Talks to loopback only, and
 * imports nothing of the agent.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import os from 'node:os'
import path from 'node:path'
import process from 'node:process'
import type { Clock, Timers } from '../clock.ts'
import { type PublicJwk, publicJwk, verifyingKey } from '../domain/documents/keys.ts'
import { JoinedClock, quietTimers, systemSources, systemTimers } from '../system-clock.ts'
import { readAccount } from './account.ts'
import { AgentNews } from './agent-news.ts'
import type { Explanation } from './answers.ts'
import { type CallAgent, connectAgent, loopbackAddress } from './call-agent.ts'
import { LiveSession } from './live-session.ts'
import { beatPatience } from './pulse.ts'
import { type AskOutcome, askForSeat, giveSeatBack, obtainSeat, type SeatParts, type SeatRequest } from './seat.ts'
import type { Session, SessionEnd } from './session.ts'
import { SessionProofs } from './session-proof.ts'

export type { PublicJwk } from '../domain/documents/keys.ts'
export type { Explanation } from './answers.ts'
export type {
  Session,
  SessionEnd,
  SessionEndReason,
  SessionProof,
  SessionSource,
  SessionState,
  Verification,
} from './session.ts'

export interface OpenSessionOptions {
  /** `vendor/product`, or the product alone while one vendor has it. */
  readonly product: string
  readonly feature?: string
  /** 1 when left out. */
  readonly seats?: number
  /** Who uses the seat; the account that the process runs as when left out. */
  readonly user?: { readonly account?: string; readonly email?: string; readonly displayName?: string }
  /** Name of the machine, for people; that of this one when left out. */
  readonly host?: string
  /** Name and version of the application, for people. */
  readonly application?: string
  /**
   * The process whose end frees the seat within seconds; this one when left out. `false` where the agent can't see it, as in
   * a container with process ids of its own: then the seat is free when its time is over.
   */
  readonly process?: { readonly id: number; readonly name?: string } | false
  /** Seconds to wait in line when all seats are in use; none when left out. */
  readonly wait?: number
  /** Ends the waiting; what was granted meanwhile is given back. */
  readonly signal?: AbortSignal
  /** `reported`: the seat ends after the agent's idle time without `touch()`. `heartbeat` when left out: no idle end. */
  readonly activity?: 'heartbeat' | 'reported'
  /** Public key of the vendor, as in `vendor.json`: the seat must prove itself to it, now and at every heartbeat. */
  readonly vendorKey?: PublicJwk
  /** Take no seat that can't be proved; every single one of `seats`. Needs `vendorKey`. */
  readonly requireProof?: boolean
  /**
   * Called once when the session ends otherwise than by `close()`. End the use of the seat in it: the agent is told when it has
   * returned. `session.secondsLeft` says how long that may take.
   */
  readonly onEnd?: (end: SessionEnd) => void | Promise<void>
  /** Port of the agent; 1947 when left out. */
  readonly port?: number
  /** Address of loopback; 127.0.0.1 when left out. No other is taken. */
  readonly address?: string
  /** The process lives as long as the session does. Else, when left out, keeping the seat keeps no process alive. */
  readonly keepsProcessAlive?: boolean
}

/** Why there is no seat. An expected outcome, never thrown. */
export interface Refused {
  readonly kind: 'refused'
  /**
   * Stable. What the agent refused with (`no_seats`, `license_expired` …), `agent_not_running`, `no_answer`, `not_an_agent`,
   * `stopped`, or the reason for which the session ended before it began (`proof_invalid` …).
   */
  readonly code: string
  /** A sentence for people. */
  readonly detail: string
  readonly help?: string
  /** Seconds after which it is worth trying again. */
  readonly retryIn?: number
  /** Who holds the seats, when the next one is due, which rule refused. */
  readonly explanation?: Explanation
}

export type OpenOutcome = { readonly kind: 'opened'; readonly session: Session } | Refused

/** What comes in from outside, for tests. */
export interface SessionSurroundings {
  readonly clock: Clock
  readonly timers: Timers
  readonly call: CallAgent
}

const usualPort = 1947
/** Most characters of a name that an agent takes. */
const longestName = 255

/**
 * Asks for a seat. A request whose answer was lost is repeated with the same id, so it never takes two.
 * @throws TypeError for options that no agent could answer: an address that is not loopback, a key that is none
 */
export async function openSession(
  options: OpenSessionOptions,
  surroundings: Partial<SessionSurroundings> = {},
): Promise<OpenOutcome> {
  const place = placeOf(options)
  const clock = surroundings.clock ?? systemClock()
  const timers = surroundings.timers ?? (options.keepsProcessAlive ? systemTimers : quietTimers)
  const call = surroundings.call ?? connectAgent({ ...place, tokens: [] })
  const parts: SeatParts = { call, clock, timers: surroundings.timers ?? systemTimers, newId: randomUUID }
  const bare = describeRequest(options)
  const proofs = proofsFor(options, bare)
  const request = proofs === undefined ? bare : { ...bare, nonce: proofs.binding, vendorKey: proofs.vendor }

  const sentAt = clock.atMost()
  const asked = await ask(parts, request, options)
  if (asked.kind !== 'opened') return describeRefusal(asked, place.port)
  const { seat, answer } = asked
  const { requireProof = false, onEnd } = options
  const news = surroundings.call === undefined ? sharedNews(place, call) : new AgentNews(call, timers)
  const session = new LiveSession({ ...parts, timers, request, seat, news, proofs, requireProof, onEnd })
  const end = await session.begin(answer, sentAt)
  return end === undefined ? { kind: 'opened', session } : { kind: 'refused', code: end.reason, detail: end.detail }
}

/** Asks until there is a seat, a clear no, or a stop. After a stop it is found out whether a seat was granted all the same. */
async function ask(
  parts: SeatParts,
  request: SeatRequest,
  { wait = 0, signal }: OpenSessionOptions,
): Promise<AskOutcome> {
  const id = parts.newId()
  const own = { ...parts, newId: () => id }
  const asked = await obtainSeat(own, request, wait, signal ?? new AbortController().signal)
  if (asked.kind !== 'stopped' && !signal?.aborted) return asked
  const granted = asked.kind === 'stopped' ? await askForSeat(own, request, id, 0, new AbortController().signal) : asked
  if (granted.kind === 'opened') await giveSeatBack(own, granted.seat, beatPatience)
  return { kind: 'stopped' }
}

function placeOf({ port = usualPort, address = '127.0.0.1' }: OpenSessionOptions): { port: number; address: string } {
  const loopback = loopbackAddress(address)
  if (loopback === undefined) throw new TypeError(`“${address}” is not an address of this machine's loopback`)
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new TypeError(`${port} is not a port`)
  return { port, address: loopback }
}

function describeRequest(options: OpenSessionOptions): SeatRequest {
  const { product, feature, seats = 1, application, activity } = options
  const account = readAccount(process)
  const user = options.user ?? (account === undefined ? undefined : { account })
  const own = { id: process.pid, name: path.basename(process.argv[1] ?? process.execPath).slice(0, longestName) }
  const asked = options.process ?? own
  return {
    product,
    ...(feature === undefined ? {} : { feature }),
    seats,
    ...(user === undefined ? {} : { user }),
    host: options.host ?? os.hostname().slice(0, longestName),
    ...(asked === false ? {} : { process: asked }),
    ...(application === undefined ? {} : { application }),
    ...(activity === undefined ? {} : { activity }),
  }
}

function proofsFor({ vendorKey, requireProof = false }: OpenSessionOptions, request: SeatRequest) {
  if (vendorKey === undefined) {
    if (requireProof) throw new TypeError('requireProof needs the vendorKey that proofs are checked with')
    return undefined
  }
  const read = publicJwk.safeParse(vendorKey)
  if (!read.success)
    throw new TypeError('vendorKey is not the public key of a vendor: { kty: "OKP", crv: "Ed25519", x }')
  const newNonce = (): string => randomBytes(24).toString('base64url')
  return new SessionProofs({ vendor: verifyingKey(read.data), request, newNonce, strict: requireProof })
}

function describeRefusal(asked: Exclude<AskOutcome, { kind: 'opened' }>, port: number): Refused {
  const refuse = (code: string, detail: string): Refused => ({ kind: 'refused', code, detail })
  switch (asked.kind) {
    case 'refused': {
      const { code, detail, help, retryIn, explanation } = asked.problem
      return {
        ...refuse(code, detail),
        ...(help === undefined ? {} : { help }),
        ...(retryIn === undefined ? {} : { retryIn }),
        ...(explanation === undefined ? {} : { explanation }),
      }
    }
    case 'no-agent':
      return refuse('agent_not_running', `No Leasehold agent answers on port ${port} of this machine.`)
    case 'no-answer':
      return refuse('no_answer', `The agent on port ${port} did not answer: ${asked.detail}.`)
    case 'foreign':
      return refuse(
        'not_an_agent',
        `What answers on port ${port} of this machine is no Leasehold agent: ${asked.detail}.`,
      )
    case 'stopped':
      return refuse('stopped', 'The application stopped waiting.')
  }
}

let clockOfProcess: Clock | undefined

/** One for all sessions, so that their readings can be compared. */
function systemClock(): Clock {
  clockOfProcess ??= new JoinedClock(systemSources())
  return clockOfProcess
}

const newsOfPlaces = new Map<string, AgentNews>()

/** An agent has a limited number of streams, so a process takes one, however many sessions it has. */
function sharedNews(
  { address, port }: { readonly address: string; readonly port: number },
  call: CallAgent,
): AgentNews {
  const name = `${address} ${port}`
  const news = newsOfPlaces.get(name) ?? new AgentNews(call, quietTimers)
  newsOfPlaces.set(name, news)
  return news
}
