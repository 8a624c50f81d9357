/**
 * The ledger: an append-only record of what this vendor issued, activated for which agent, and took back (I15). Each entry is a
 * file of its own that names the hash of the one before; of several processes that write the next entry exactly one succeeds and
 * the others decide again. An entry is on disk before anything is answered on it.
 */
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { hashText } from '../domain/documents/base64url.ts'
import { bytes32, documentId, seconds } from '../domain/documents/fields.ts'
import { createDurably } from './durable-file.ts'

const number = z.int().min(1).max(1_000_000_000)

const eventSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('issued'), license: documentId, text: z.string() }),
  z.strictObject({
    kind: z.literal('activated'),
    license: documentId,
    agent: bytes32,
    number,
    nonce: z.string(),
    /** Compact text of the activation, so that a repeated request gets the same answer. */
    answer: z.string(),
    /** Agents whose activation was passed over by order, without a receipt. */
    forced: z.array(bytes32).optional(),
  }),
  z.strictObject({
    kind: z.literal('deactivated'),
    license: documentId,
    agent: bytes32,
    number,
    /** Compact text of the receipt. */
    receipt: z.string(),
  }),
])
export type LedgerEvent = z.output<typeof eventSchema>

const entrySchema = z.strictObject({
  v: z.literal(1),
  sequence: z.int().min(1),
  at: seconds,
  /** base64url SHA-256 of the file before; empty for the first. */
  previous: z.union([bytes32, z.literal('')]),
  event: eventSchema,
})

/** What became of the latest activation of one agent. */
export interface AgentActivation {
  readonly number: number
  readonly state: 'active' | 'returned' | 'passed_over'
}

/** What the ledger knows of one license. */
export interface LicenseHistory {
  /** Compact text; absent when only activations are known. */
  text?: string
  /** Of the latest activation, whoever has it; 0 = none yet. */
  lastNumber: number
  readonly agents: Map<string, AgentActivation>
  /** Answers by nonce of the request. */
  readonly answers: Map<string, { readonly agent: string; readonly number: number; readonly answer: string }>
}

/** What a decision writes, and answers once that is on disk. */
export interface Decision<T> {
  readonly event?: LedgerEvent
  readonly answer: T
}

/** A file of the ledger is damaged, changed or missing. Nothing is guessed: it has to be restored. */
export class LedgerDamage extends Error {
  readonly file: string

  constructor(file: string, why: string) {
    super(`The ledger is damaged at ${file}: ${why}. Restore it from a backup.`)
    this.name = 'LedgerDamage'
    this.file = file
  }
}

const readAtOnce = 64
const entryName = /^\d{8}\.json$/

function nameOf(sequence: number): string {
  return `${String(sequence).padStart(8, '0')}.json`
}

export class Ledger {
  readonly #folder: string
  readonly #licenses = new Map<string, LicenseHistory>()
  #sequence = 0
  #previous = ''
  /** One decision after another: what the next one decides on is what this one wrote. */
  #queue: Promise<unknown> = Promise.resolve()

  private constructor(folder: string) {
    this.#folder = folder
  }

  /** @throws LedgerDamage */
  static async open(folder: string): Promise<Ledger> {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const ledger = new Ledger(folder)
    await ledger.#readOn()
    return ledger
  }

  get length(): number {
    return this.#sequence
  }

  find(license: string): Readonly<LicenseHistory> | undefined {
    return this.#licenses.get(license)
  }

  /**
   * Decides on what the ledger says now and writes the event it decides on. `decide` may be called several times: again whenever
   * another process wrote in the meantime.
   * @param at seconds since 1970
   * @throws LedgerDamage
   */
  record<T>(at: number, decide: () => Decision<T>): Promise<T> {
    const written = this.#queue.then(() => this.#write(at, decide))
    this.#queue = written.catch(() => undefined)
    return written
  }

  async #write<T>(at: number, decide: () => Decision<T>): Promise<T> {
    for (;;) {
      const { event, answer } = decide()
      if (event === undefined) return answer
      const entry = { v: 1, sequence: this.#sequence + 1, at, previous: this.#previous, event } as const
      const text = `${JSON.stringify(entry)}\n`
      if (await createDurably(join(this.#folder, nameOf(entry.sequence)), text, 0o600)) {
        this.#apply(text, nameOf(entry.sequence))
        return answer
      }
      await this.#readOn()
    }
  }

  async #readOn(): Promise<void> {
    const names = (await readdir(this.#folder)).filter((name) => entryName.test(name)).sort()
    while (this.#sequence < names.length) {
      const part = names.slice(this.#sequence, this.#sequence + readAtOnce)
      const texts = await Promise.all(part.map((name) => readFile(join(this.#folder, name), 'utf8')))
      for (const [at, text] of texts.entries()) {
        const name = part[at] ?? ''
        if (name !== nameOf(this.#sequence + 1)) throw new LedgerDamage(nameOf(this.#sequence + 1), 'it is missing')
        this.#apply(text, name)
      }
    }
    if (names.length < this.#sequence) throw new LedgerDamage(nameOf(names.length + 1), 'it is missing')
  }

  #apply(text: string, file: string): void {
    const entry = this.#parse(text, file)
    if (entry.sequence !== this.#sequence + 1) throw new LedgerDamage(file, `it says it is entry ${entry.sequence}`)
    if (entry.previous !== this.#previous) throw new LedgerDamage(file, 'the entry before it was changed')
    this.#sequence = entry.sequence
    this.#previous = hashText(text)
    applyEvent(this.#licenses, entry.event)
  }

  #parse(text: string, file: string): z.output<typeof entrySchema> {
    try {
      return entrySchema.parse(JSON.parse(text))
    } catch {
      throw new LedgerDamage(file, 'it can not be read')
    }
  }
}

function applyEvent(licenses: Map<string, LicenseHistory>, event: LedgerEvent): void {
  const history: LicenseHistory = licenses.get(event.license) ?? {
    lastNumber: 0,
    agents: new Map(),
    answers: new Map(),
  }
  licenses.set(event.license, history)
  switch (event.kind) {
    case 'issued':
      history.text = event.text
      break
    case 'activated':
      history.lastNumber = Math.max(history.lastNumber, event.number)
      for (const agent of event.forced ?? []) {
        const before = history.agents.get(agent)
        if (before !== undefined) history.agents.set(agent, { ...before, state: 'passed_over' })
      }
      history.agents.set(event.agent, { number: event.number, state: 'active' })
      history.answers.set(event.nonce, { agent: event.agent, number: event.number, answer: event.answer })
      break
    case 'deactivated':
      history.agents.set(event.agent, { number: event.number, state: 'returned' })
      break
  }
}
