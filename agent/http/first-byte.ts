/**
 * Tells TLS from plain HTTP by the first byte of a connection, and drops those that do not send one in time. Owns connections
 * until their first byte. Must not import owners.
 */
import type { Socket } from 'node:net'
import type { Cancel, Timers } from '../clock.ts'

/** A TLS record that begins a handshake; no HTTP method begins so. */
const handshake = 0x16

interface Waiting {
  /** How many looks it has outlived. */
  age: number
}

export class FirstByte {
  readonly #timers: Timers
  readonly #look: number
  readonly #waiting = new Map<Socket, Waiting>()
  #cancel: Cancel | undefined

  /** @param patience ms; a connection is dropped after at most twice this time */
  constructor(timers: Timers, patience: number) {
    this.#timers = timers
    this.#look = patience
  }

  /** Reads nothing away: who gets the connection finds the byte in it. */
  read(socket: Socket, then: (isTls: boolean) => void): void {
    const forget = () => {
      this.#forget(socket)
      socket.off('readable', onReadable)
      socket.off('close', forget)
      socket.off('error', onError)
    }
    // a connection that is reset before it has said anything
    const onError = () => socket.destroy()
    const onReadable = () => {
      const piece: unknown = socket.read()
      if (piece === null) {
        // the end
        if (socket.readableEnded || socket.destroyed) forget()
        return
      }
      forget()
      if (!Buffer.isBuffer(piece)) return
      socket.unshift(piece)
      then(piece[0] === handshake)
    }
    this.#waiting.set(socket, { age: 0 })
    this.#cancel ??= this.#timers.every(this.#look, () => this.#dropOld())
    socket.on('readable', onReadable)
    socket.once('close', forget)
    socket.on('error', onError)
  }

  dropAll(): void {
    for (const socket of [...this.#waiting.keys()]) {
      socket.destroy()
      this.#forget(socket)
    }
  }

  #dropOld(): void {
    for (const [socket, waiting] of [...this.#waiting]) {
      waiting.age++
      if (waiting.age <= 1) continue
      socket.destroy()
      this.#forget(socket)
    }
  }

  #forget(socket: Socket): void {
    this.#waiting.delete(socket)
    if (this.#waiting.size > 0) return
    this.#cancel?.()
    this.#cancel = undefined
  }
}
