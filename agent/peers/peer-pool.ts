/**
 * Connections to one agent that are kept, opened by the channel, and why one could not be opened. Must not import http of ours.
 */
import { Agent, type ClientRequestArgs } from 'node:http'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { keepAliveDelay } from './peer-connection.ts'

/** ms; requests bring their own deadline, this is for one that has none. */
const connectTime = 10_000

/** The connection leads to another certificate than before. */
export class OtherCertificate extends Error {}

export class ConnectionFailure extends Error {
  readonly step: 'name' | 'connect' | 'tls'

  constructor(step: 'name' | 'connect' | 'tls', detail: string) {
    super(detail)
    this.step = step
  }
}

/** ms for which one spare connection is kept at most; the other side says how long it keeps it. */
const spareTime = 15 * 60_000
/** ms for those beside it, which a burst of requests left. */
const surplusTime = 15_000

/**
 * Connections that are kept and used again, the last one first, so that those that are not needed any more stay idle and are
 * closed soon.
 */
export class Pool extends Agent {
  readonly #open: (signal: AbortSignal) => Promise<TLSSocket>
  readonly #surplus: number

  /** @param surplus ms for which connections beside the spare one are kept */
  constructor(most: number, open: (signal: AbortSignal) => Promise<TLSSocket>, surplus = surplusTime) {
    super({
      keepAlive: true,
      keepAliveMsecs: keepAliveDelay,
      maxSockets: most,
      maxFreeSockets: most,
      scheduling: 'lifo',
      timeout: spareTime,
    })
    this.#open = open
    this.#surplus = surplus
  }

  /** Node takes what the other side announces into account, and tells the system to look whether the other side is there. */
  override keepSocketAlive(socket: TLSSocket): boolean {
    const isKept = (super.keepSocketAlive as (socket: Duplex) => unknown)(socket) !== false
    if (isKept && this.#idle().length > 0) socket.setTimeout(Math.min(socket.timeout || this.#surplus, this.#surplus))
    return isKept
  }

  /** Closes those that wait for a request. */
  dropIdle(): void {
    for (const socket of this.#idle()) socket.destroy()
  }

  #idle(): readonly Duplex[] {
    return Object.values(this.freeSockets).flatMap((sockets) => sockets ?? [])
  }

  override createConnection(
    { signal = AbortSignal.timeout(connectTime) }: ClientRequestArgs,
    callback: (error: Error | null, socket: Duplex) => void = () => undefined,
  ): undefined {
    this.#open(signal).then(
      (socket) => callback(null, socket),
      // there is no socket then, whatever the types say
      (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), undefined as never),
    )
  }
}
