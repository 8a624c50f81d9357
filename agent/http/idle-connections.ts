/**
 * TLS connections that wait for their next request: how long each of them may, and which go first where there is no room for
 * more. Owns which ones wait. Must not import owners.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Seconds for which a connection is kept after an agent has proved itself on it: for two renewals of a usual lease, each up to a
 * tenth late, so that an agent that holds a seat needs no new connection for it.
 */
const agentSeconds = 450

/** The answer announces it, and what an answer announces is kept. */
export function keepForAgent(response: ServerResponse): void {
  response.setHeader('Keep-Alive', `timeout=${agentSeconds}`)
}

export class IdleConnections {
  /** The one that waits for longest first. */
  readonly #waiting = new Set<Socket>()

  /** To be called for each request, before it is answered. */
  take({ socket }: IncomingMessage, response: ServerResponse): void {
    this.#waiting.delete(socket)
    response.once('finish', () => {
      const seconds = /^timeout=(\d{1,4})$/.exec(String(response.getHeader('keep-alive')))?.[1]
      // the server has set its own time a moment ago
      if (seconds !== undefined) socket.setTimeout(Number(seconds) * 1000)
      if (!socket.destroyed) this.#waiting.add(socket)
    })
  }

  /** To be called when a connection is over. */
  forget(socket: Socket): void {
    this.#waiting.delete(socket)
  }

  /** Closes the one that waits for longest of those that came in at an address. @returns whether there was one */
  closeOldest(address: string | undefined): boolean {
    for (const socket of this.#waiting) {
      if (socket.localAddress !== address) continue
      this.#waiting.delete(socket)
      socket.destroy()
      return true
    }
    return false
  }
}
