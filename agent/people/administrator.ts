/**
 * The administrator of this agent: the password, sign-ins, and the limit on attempts. Owns the records 'credential' and
 * 'sign-in'. Knows nothing of cookies, requests or pages; must not import http.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import type { Clock, Elapsed } from '../clock.ts'
import { type Refusal, refuse } from '../errors.ts'
import type { StoredRecord } from '../store/store.ts'
import type { RecordOwner, Transaction, Writes } from '../writes.ts'
import { Attempts } from './attempts.ts'
import type { Passwords } from './password.ts'

const lifetime = 12 * 60 * 60 * 1000
const idleTime = 60 * 60 * 1000
/** How often the last use of a sign-in is stored, for a restart. */
const noteEvery = 5 * 60 * 1000
const passwordKey = 'administrator'

/** `epoch` is drawn anew with every password: a sign-in of another epoch is void, also one decided in the same batch. */
const credentialRecord = z.strictObject({ hash: z.string(), epoch: z.string() })
const signInRecord = z.strictObject({ epoch: z.string(), endsAt: z.number(), usedAt: z.number() })
type Credential = z.infer<typeof credentialRecord>

interface SignIn {
  readonly epoch: string
  /** Wall time in ms, for the record. */
  readonly endsAt: number
  readonly over: Elapsed
  usedAt: Elapsed
  notedAt: Elapsed
}

interface Loading {
  credential: Credential | undefined
  readonly signIns: Map<string, SignIn>
}

/** `token` is the right of the person; it is nowhere else but in the answer. `endsAt` is wall time in ms. */
export interface Signed {
  readonly token: string
  readonly endsAt: number
  readonly idleSeconds: number
}

export interface AdministratorParts {
  readonly writes: Writes
  readonly clock: Clock
  readonly passwords: Passwords
  readonly random: (bytes: number) => Buffer
}

export class Administrator implements RecordOwner {
  readonly kinds = ['credential', 'sign-in'] as const
  readonly #parts: AdministratorParts
  readonly #attempts: Attempts
  #signIns = new Map<string, SignIn>()
  #credential: Credential | undefined
  #loading: Loading = { credential: undefined, signIns: new Map() }

  constructor(parts: AdministratorParts) {
    this.#parts = parts
    this.#attempts = new Attempts(parts.clock)
  }

  /** What is known stays in force until all records are there again: else nobody would be asked for a password meanwhile. */
  reset(): void {
    this.#loading = { credential: undefined, signIns: new Map() }
  }

  restore(record: StoredRecord): void {
    if (record.kind === 'credential') {
      if (record.key === passwordKey) this.#loading.credential = credentialRecord.parse(record.value)
      return
    }
    const { epoch, endsAt, usedAt } = signInRecord.parse(record.value)
    const { clock } = this.#parts
    const wall = clock.wall()
    const now = clock.atMost()
    // Never longer than a fresh one, whatever the wall clock says now.
    const used = Math.min(Math.max(wall - usedAt, 0), idleTime)
    const over = now + Math.min(endsAt - wall, lifetime)
    this.#loading.signIns.set(record.key, { epoch, endsAt, over, usedAt: now - used, notedAt: now - used })
  }

  ready(): void {
    this.#credential = this.#loading.credential
    this.#signIns = this.#loading.signIns
    this.#loading = { credential: undefined, signIns: new Map() }
  }

  hasPassword(): boolean {
    return this.#credential !== undefined
  }

  /** Whether the token is a live sign-in; being asked counts as use. */
  isSignedIn(token: string): boolean {
    const key = hashToken(token)
    const signIn = this.#signIns.get(key)
    if (signIn === undefined) return false
    const now = this.#parts.clock.atMost()
    if (!this.#isLive(signIn, now)) return false
    signIn.usedAt = now
    if (now - signIn.notedAt >= noteEvery) this.#noteUse(key, signIn, now)
    return true
  }

  #isLive(signIn: SignIn, now: Elapsed): boolean {
    return signIn.epoch === this.#credential?.epoch && now < signIn.over && now - signIn.usedAt < idleTime
  }

  #noteUse(key: string, signIn: SignIn, now: Elapsed): void {
    signIn.notedAt = now
    const value = { epoch: signIn.epoch, endsAt: signIn.endsAt, usedAt: this.#parts.clock.wall() }
    // A store that can't be written at the moment costs at most an earlier end after a restart.
    this.#parts.writes
      .submit((transaction) => {
        if (this.#signIns.has(key)) transaction.put('sign-in', key, value)
      })
      .catch(() => undefined)
  }

  /**
   * @param address whose attempts are counted
   * @param before a sign-in that this one takes the place of
   */
  async signIn(
    password: string,
    address: string,
    before?: string,
  ): Promise<({ readonly kind: 'signed-in' } & Signed) | Refusal> {
    const credential = this.#credential
    if (credential === undefined) return refuse('password_needed', 'There is no password to sign in with.')
    const checked = await this.#checkPassword(credential, password, address)
    if (checked !== undefined) return checked
    const token = this.#parts.random(32).toString('base64url')
    return this.#parts.writes.submit((transaction) => {
      if (this.#credential?.epoch !== credential.epoch)
        return refuse('wrong_password', 'The password was changed a moment ago.')
      if (before !== undefined) this.#end(transaction, hashToken(before))
      this.#dropOver(transaction)
      transaction.journal({ type: 'agent.signed_in', facts: {}, personal: { address } })
      return { kind: 'signed-in', ...this.#begin(transaction, token, credential.epoch) }
    })
  }

  async signOut(token: string): Promise<void> {
    const key = hashToken(token)
    if (!this.#signIns.has(key)) return
    await this.#parts.writes.submit((transaction) => this.#end(transaction, key))
  }

  /**
   * Sets or changes the password. All sign-ins end; who changed it is signed in anew.
   * @param change `reset` needs no current password: for the command line of the service's user
   */
  async changePassword(
    change: { readonly current?: string | undefined; readonly password: string; readonly reset: boolean },
    address: string,
  ): Promise<({ readonly kind: 'changed' } & Signed) | Refusal> {
    const before = this.#credential
    if (before !== undefined && !change.reset) {
      const checked = await this.#checkPassword(before, change.current ?? '', address)
      if (checked !== undefined) return checked
    }
    const hash = await this.#parts.passwords.hash(change.password)
    if (hash.kind === 'refused') return hash
    const credential: Credential = { hash: hash.text, epoch: this.#parts.random(16).toString('base64url') }
    const token = this.#parts.random(32).toString('base64url')
    return this.#parts.writes.submit((transaction) => {
      if (this.#credential?.epoch !== before?.epoch && !change.reset)
        return refuse('wrong_password', 'The password was changed a moment ago.')
      for (const key of this.#signIns.keys()) this.#end(transaction, key)
      transaction.put('credential', passwordKey, credential)
      transaction.after(() => {
        this.#credential = credential
      })
      const type = before === undefined ? 'agent.password_set' : 'agent.password_changed'
      transaction.journal({ type, facts: { reset: change.reset }, personal: { address } })
      return { kind: 'changed', ...this.#begin(transaction, token, credential.epoch) }
    })
  }

  /** An attempt counts before its outcome is known, so that many at once get no more tries than one after another. */
  async #checkPassword(credential: Credential, password: string, address: string): Promise<Refusal | undefined> {
    const attempt = this.#attempts.begin(address)
    if (attempt.kind === 'refused') return attempt
    const outcome = await this.#parts.passwords.verify(password, credential.hash)
    if (outcome.kind === 'refused') {
      attempt.forget()
      return outcome
    }
    if (!outcome.right) return refuse('wrong_password', 'The password is not the one that is set.')
    attempt.forget()
    return undefined
  }

  #begin(transaction: Transaction, token: string, epoch: string): Signed {
    const { clock } = this.#parts
    const key = hashToken(token)
    const usedAt = clock.wall()
    const endsAt = usedAt + lifetime
    transaction.put('sign-in', key, { epoch, endsAt, usedAt })
    transaction.after(() => {
      const now = clock.atMost()
      this.#signIns.set(key, { epoch, endsAt, over: now + lifetime, usedAt: now, notedAt: now })
    })
    return { token, endsAt, idleSeconds: idleTime / 1000 }
  }

  #end(transaction: Transaction, key: string): void {
    transaction.delete('sign-in', key)
    transaction.after(() => {
      this.#signIns.delete(key)
    })
  }

  #dropOver(transaction: Transaction): void {
    const now = this.#parts.clock.atMost()
    for (const [key, signIn] of this.#signIns) if (!this.#isLive(signIn, now)) this.#end(transaction, key)
  }
}

/** Tokens have 256 random bits, so a plain hash is enough. */
function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('base64url')
}

/** Takes the same time wherever the difference is. */
export function isSameSecret(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(expected))
}
