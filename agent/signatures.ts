/**
 * Signatures of this agent. One takes as long as all the rest of a request, so several that are wanted at a time are made in a
 * thread beside the main one, all of them for one message there and one back: waking a thread for each would cost as much as
 * signing. Owns that thread, which is begun when it is first needed. Must not know what is signed.
 */
import { type KeyObject, sign } from 'node:crypto'
import { Worker } from 'node:worker_threads'

const signatureBytes = 64

interface Wanted {
  readonly text: string
  readonly resolve: (signature: Buffer) => void
  readonly reject: (error: unknown) => void
}

export class Signatures {
  readonly #key: KeyObject
  /** Wanted in this turn of the event loop. */
  #wanted: Wanted[] = []
  /** Given to the thread, in that order. */
  #given: Wanted[][] = []
  #thread: Worker | undefined
  /** Beginning takes as long as a thousand signatures, so nobody waits for it. */
  #isReady = false
  #isClosed = false

  /** @param key a private Ed25519 key */
  constructor(key: KeyObject) {
    this.#key = key
  }

  sign(text: string): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#wanted.push({ text, resolve, reject })
      // After all that is answered in this turn, so that what one batch of sessions wants is signed together.
      if (this.#wanted.length === 1) process.nextTick(() => this.#begin())
    })
  }

  /** Ends the thread; what is still wanted is signed without it. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#thread?.terminate()
  }

  #begin(): void {
    const wanted = this.#wanted
    this.#wanted = []
    if (wanted.length > 1 && !this.#isClosed) this.#thread ??= this.#start()
    if (wanted.length > 1 && this.#thread !== undefined && this.#isReady) this.#give(this.#thread, wanted)
    else this.#signHere(wanted)
  }

  #signHere(wanted: readonly Wanted[]): void {
    for (const { text, resolve, reject } of wanted)
      try {
        resolve(sign(null, Buffer.from(text), this.#key))
      } catch (error) {
        reject(error)
      }
  }

  #give(thread: Worker, wanted: Wanted[]): void {
    this.#given.push(wanted)
    thread.ref()
    thread.postMessage(wanted.map((one) => one.text))
  }

  #start(): Worker {
    const thread = new Worker(new URL('./signing-thread.js', import.meta.url), { workerData: this.#key })
    // The process may end while nothing is being signed.
    thread.unref()
    thread.on('online', () => {
      this.#isReady = true
    })
    thread.on('message', (signatures: Uint8Array) => this.#take(thread, Buffer.from(signatures.buffer)))
    // Both mean that nothing more comes from it; the next that is wanted begins another.
    thread.on('error', () => this.#lose(thread))
    thread.on('exit', () => this.#lose(thread))
    return thread
  }

  #take(thread: Worker, signatures: Buffer): void {
    const wanted = this.#given.shift() ?? []
    if (this.#given.length === 0) thread.unref()
    for (const [index, { resolve }] of wanted.entries())
      resolve(signatures.subarray(index * signatureBytes, (index + 1) * signatureBytes))
  }

  #lose(thread: Worker): void {
    if (this.#thread !== thread) return
    this.#thread = undefined
    this.#isReady = false
    for (const wanted of this.#given.splice(0)) this.#signHere(wanted)
  }
}
