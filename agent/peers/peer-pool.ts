/**
 * Connections to one agent that are kept, opened by the channel, and why one could not be opened. Must not import http of ours.
 */
import { Agent, type ClientRequestArgs } from 'node:http'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'

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

/** Connections that are kept and used again, the last one first. */
export class Pool extends Agent {
  readonly #open: (signal: AbortSignal) => Promise<TLSSocket>

  constructor(most: number, open: (signal: AbortSignal) => Promise<TLSSocket>) {
    super({ keepAlive: true, maxSockets: most, maxFreeSockets: most, scheduling: 'lifo' })
    this.#open = open
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
