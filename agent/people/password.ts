/**
 * Hashes passwords with scrypt (N = 2^15, r = 8, p = 3; 32 MB and some 200 ms each), at most two at a time.
 * Must not import owners.
 */
import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'
import { type Refusal, refuse } from '../errors.ts'

export interface Passwords {
  /** A text that says how it was made, and the hash. */
  hash(password: string): Promise<{ readonly kind: 'hashed'; readonly text: string } | Refusal>
  verify(password: string, text: string): Promise<{ readonly kind: 'verified'; readonly right: boolean } | Refusal>
}

const cost = { ln: 15, r: 8, p: 3 }
const mostAtOnce = 2
/** Whoever comes when so many wait is sent away: the queue must not become a way to use up memory. */
const mostWaiting = 16
const shape = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9_-]{22,64})\$([A-Za-z0-9_-]{43,128})$/

type Derive = (password: string, salt: Buffer, length: number, options: ScryptOptions) => Promise<Buffer>

function deriveByScrypt(password: string, salt: Buffer, length: number, options: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, length, options, (error, key) => (error === null ? resolve(key) : reject(error)))
  })
}

export class ScryptPasswords implements Passwords {
  readonly #deriveKey: Derive
  #running = 0
  readonly #waiting: (() => void)[] = []

  constructor(derive: Derive = deriveByScrypt) {
    this.#deriveKey = derive
  }

  async hash(password: string): Promise<{ readonly kind: 'hashed'; readonly text: string } | Refusal> {
    const salt = randomBytes(16)
    const hash = await this.#derive(password, salt, 32, cost)
    if ('kind' in hash) return hash
    const { ln, r, p } = cost
    const text = `$scrypt$ln=${ln},r=${r},p=${p}$${salt.toString('base64url')}$${hash.bytes.toString('base64url')}`
    return { kind: 'hashed', text }
  }

  async verify(
    password: string,
    text: string,
  ): Promise<{ readonly kind: 'verified'; readonly right: boolean } | Refusal> {
    const match = shape.exec(text)
    if (match === null) throw new Error('the stored password hash has an unknown form')
    const [, ln, r, p, salt = '', expected = ''] = match
    const wanted = Buffer.from(expected, 'base64url')
    const made = { ln: Number(ln), r: Number(r), p: Number(p) }
    const hash = await this.#derive(password, Buffer.from(salt, 'base64url'), wanted.length, made)
    return 'kind' in hash ? hash : { kind: 'verified', right: timingSafeEqual(hash.bytes, wanted) }
  }

  async #derive(
    password: string,
    salt: Buffer,
    length: number,
    { ln, r, p }: typeof cost,
  ): Promise<{ readonly bytes: Buffer } | Refusal> {
    if (this.#running >= mostAtOnce) {
      if (this.#waiting.length >= mostWaiting)
        return refuse('too_many_requests', 'Too many passwords are being checked at the moment.', { retryIn: 5 })
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    } else this.#running++
    try {
      const options: ScryptOptions = { N: 2 ** ln, r, p, maxmem: 2 * 128 * 2 ** ln * r }
      // The same characters can be typed as different code points.
      const bytes = await this.#deriveKey(password.normalize('NFC'), salt, length, options)
      return { bytes }
    } finally {
      // The place goes to the one who waits longest, else it is given up.
      const next = this.#waiting.shift()
      if (next === undefined) this.#running--
      else next()
    }
  }
}
