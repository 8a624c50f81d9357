/**
 * An agent as a manager sees it, without the program around it: a key, an address and a name of its own, leases that it asks for
 * and renews by the real client of the agents' interface, and the stream of news. Keeps no records, so that many fit in a process.
 */
import { generateKeyPairSync } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { connect } from 'node:net'
import { signingKey } from '../../agent/domain/documents/keys.ts'
import type { ProductName } from '../../agent/domain/product-name.ts'
import { Health } from '../../agent/health.ts'
import { ManagerCalls } from '../../agent/peers/manager-calls.ts'
import type { LeaseReply, ManagerLink, RenewalsReply } from '../../agent/peers/manager-link.ts'
import { PeerBook } from '../../agent/peers/peer-book.ts'
import { PeerClient } from '../../agent/peers/peer-client.ts'
import type { Connect } from '../../agent/peers/peer-connection.ts'
import { createRandomTexts } from '../../agent/random-texts.ts'
import { JoinedClock, systemSources, systemTimers } from '../../agent/system-clock.ts'
import type { Writes } from '../../agent/writes.ts'

export interface Manager {
  readonly id: string
  readonly address: string
}

const clock = new JoinedClock(systemSources())
const randomId = createRandomTexts(16)
const callTimeout = 30_000

/** Everything is done as soon as it is decided; nothing is kept. */
const noRecords: Writes = {
  submit(decide) {
    const effects: (() => void)[] = []
    const ignore = (): void => undefined
    const answer = decide({ put: ignore, delete: ignore, journal: ignore, after: (effect) => effects.push(effect) })
    for (const effect of effects) effect()
    return Promise.resolve(answer)
  },
}

export class SimulatedAgent {
  readonly leases: string[] = []
  /** TLS connections that it opened. */
  connections = 0
  readonly #id: string
  readonly #name: string
  readonly #client: PeerClient
  readonly #calls: ManagerCalls
  #link: ManagerLink | undefined

  /** @param number tells it from others; gives it an address of its own in 127.0.0.0/8 */
  constructor(number: number) {
    const agent = signingKey(generateKeyPairSync('ed25519').privateKey)
    this.#id = agent.id
    this.#name = `SIM-${number}`
    const address = `127.100.${Math.floor(number / 200)}.${(number % 200) + 1}`
    this.#client = new PeerClient({
      agent,
      name: () => this.#name,
      startId: randomId(),
      startCounter: () => 1,
      clock,
      timers: systemTimers,
      randomId,
      book: new PeerBook({
        writes: noRecords,
        clock,
        timers: systemTimers,
        asksForApproval: () => false,
        health: new Health(clock),
        onTrouble: (error) => {
          throw error
        },
      }),
      connect: (place, signal) => {
        this.connections += 1
        return connectFrom(address, place, signal)
      },
    })
    const random = Math.random
    this.#calls = new ManagerCalls({ calls: this.#client, clock, timers: systemTimers, random, self: this.#id })
  }

  /** Who answers there. */
  async find(address: string): Promise<Manager> {
    const met = await this.#client.meet(address, { timeout: callTimeout })
    if (met.kind === 'unreachable') throw new Error(met.detail)
    return { id: met.hello.agent, address }
  }

  /** Opens the stream of news, as an agent does that holds something from there. */
  async join({ id, address }: Manager): Promise<void> {
    const link = this.#calls.linkTo({ id, name: 'manager', addresses: [address] })
    this.#link = link
    const late = AbortSignal.timeout(callTimeout)
    setMaxListeners(0, late)
    await new Promise<void>((resolve, reject) => {
      late.addEventListener('abort', () => reject(new Error(`${this.#name} could not open its stream`)), { once: true })
      link.follow({ onEvent: () => undefined, onUp: resolve })
    })
  }

  /** Asks for one more seat, and keeps it. */
  async obtain(product: ProductName): Promise<void> {
    const id = randomId()
    const reply = await this.#linked().ask(
      id,
      {
        product,
        seats: 1,
        purpose: 'session',
        agent: this.#id,
        who: { account: `user-${this.leases.length}`, host: this.#name, application: 'bench' },
        machine: this.#name,
        chain: [this.#id],
      },
      { timeout: callTimeout },
    )
    if (reply.kind !== 'granted') throw new Error(`${this.#name} got no lease: ${describeReply(reply)}`)
    this.leases.push(id)
  }

  /** Renews all of its leases in one call. @returns what went wrong, by name */
  async renew(): Promise<readonly string[]> {
    const reply = await this.#linked().renew(this.leases, { timeout: callTimeout })
    if (reply.kind !== 'answered') return [describeReply(reply)]
    const renewed = reply.answer.results.filter(({ outcome }) => outcome === 'renewed').length
    const others = reply.answer.results.flatMap(({ outcome }) => (outcome === 'renewed' ? [] : [outcome]))
    const missing = this.leases.length - renewed - others.length
    return [...others, ...Array.from({ length: missing }, () => 'no answer')]
  }

  close(): void {
    this.#calls.close()
    this.#client.close()
  }

  #linked(): ManagerLink {
    if (this.#link === undefined) throw new Error(`${this.#name} has not joined a manager`)
    return this.#link
  }
}

function describeReply(reply: Exclude<LeaseReply | RenewalsReply, { kind: 'granted' | 'answered' }>): string {
  if (reply.kind === 'unreachable') return reply.detail
  return reply.kind === 'refused' ? reply.problem.code : reply.kind
}

/** What an address may ask of a manager before it is known is limited, so each agent needs its own. */
function connectFrom(address: string, ...[place, signal]: Parameters<Connect>): ReturnType<Connect> {
  return new Promise((resolve) => {
    const socket = connect({ ...place, localAddress: address, noDelay: true })
    const finish = (outcome: Awaited<ReturnType<Connect>>): void => {
      signal.removeEventListener('abort', onAbort)
      resolve(outcome)
    }
    const onAbort = (): void => {
      socket.destroy(new Error('nothing answered in time'))
    }
    socket.once('connect', () => finish({ kind: 'connected', socket }))
    // Stays for the life of the socket: what comes later is for TLS, which sees it, too.
    socket.on('error', ({ message }) => finish({ kind: 'failed', step: 'connect', detail: message }))
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
  })
}
