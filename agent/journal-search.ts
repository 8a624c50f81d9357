/**
 * Looks entries of the journal up for people: the newest first, by type, product, user, text and time, a bounded number of entries
 * at a time, so that no page reads the whole journal. Owns nothing.
 */
import type { JournalEntry } from './domain/journal.ts'
import type { Journal } from './journal.ts'

export interface JournalWish {
  /** A type such as `session.opened`, or its first part. */
  readonly type?: string | undefined
  /** `vendor/product`, or a part of it. */
  readonly product?: string | undefined
  /** What account, e-mail address or who ordered it contain. */
  readonly user?: string | undefined
  /** Words that must all occur in what the entry says. */
  readonly text?: string | undefined
  /** Wall times in ms; from inclusive, until exclusive. */
  readonly from?: number | undefined
  readonly until?: number | undefined
}

export interface JournalPage {
  readonly entries: readonly JournalEntry[]
  /** Sequence number to go on from; undefined at the beginning of the journal. */
  readonly older: number | undefined
  /** How many entries were looked at. */
  readonly looked: number
}

/** Entries that one page looks at, at most. */
const mostLooked = 4000
/** Entries that are looked at in one go: some 10 ms. */
const entriesPerTurn = 200

export interface JournalSearchOptions {
  readonly journal: Pick<Journal, 'read'>
  /** Sequence number of the newest entry. */
  readonly newest: () => number
  /** Lets others have their turn; called every few entries. */
  readonly pause?: () => Promise<void>
  /** Entries that one page looks at, at most; 4,000 when left out. */
  readonly most?: number
}

export class JournalSearch {
  readonly #journal: Pick<Journal, 'read'>
  readonly #newest: () => number
  readonly #pause: () => Promise<void>
  readonly #most: number

  constructor({ journal, newest, pause = () => Promise.resolve(), most = mostLooked }: JournalSearchOptions) {
    this.#journal = journal
    this.#newest = newest
    this.#pause = pause
    this.#most = most
  }

  /** @param to sequence number of the newest entry that may be on it */
  async page(wish: JournalWish, limit: number, to?: number): Promise<JournalPage> {
    const start = Math.min(to ?? Number.MAX_SAFE_INTEGER, await this.#findEnd(wish.until))
    const fits = matcher(wish)
    const entries: JournalEntry[] = []
    let looked = 0
    if (start >= 1)
      for await (const entry of this.#journal.read({ to: start, order: 'newest-first' }, this.#most + 1)) {
        if (wish.from !== undefined && entry.at < wish.from) return { entries, older: undefined, looked }
        if (entries.length >= limit || looked >= this.#most) return { entries, older: entry.sequence, looked }
        looked += 1
        if (fits(entry)) entries.push(entry)
        if (looked % entriesPerTurn === 0) await this.#pause()
      }
    return { entries, older: undefined, looked }
  }

  async get(sequence: number): Promise<JournalEntry | undefined> {
    for await (const entry of this.#journal.read({ from: sequence, to: sequence, order: 'oldest-first' }, 1))
      return entry
    return undefined
  }

  /** Every entry that fits, the oldest first; read as it is taken. */
  async *all(wish: JournalWish): AsyncIterable<JournalEntry> {
    const from = wish.from === undefined ? 1 : (await this.#findEnd(wish.from)) + 1
    const to = await this.#findEnd(wish.until)
    const fits = matcher(wish)
    if (to < from) return
    let looked = 0
    for await (const entry of this.#journal.read({ from, to, order: 'oldest-first' }, Number.MAX_SAFE_INTEGER)) {
      if (fits(entry)) yield entry
      looked += 1
      if (looked % entriesPerTurn === 0) await this.#pause()
    }
  }

  /** The newest entry before a time. Entries are in the order of time but for clocks that were set. */
  async #findEnd(until: number | undefined): Promise<number> {
    const newest = this.#newest()
    if (until === undefined) return newest
    let low = 0
    let high = newest
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      const entry = await this.get(middle)
      if (entry !== undefined && entry.at >= until) high = middle - 1
      else low = middle
    }
    return low
  }
}

function matcher({ type, product, user, text }: JournalWish): (entry: JournalEntry) => boolean {
  const wantedProduct = product?.toLowerCase()
  const wantedUser = user?.toLowerCase()
  const words = text?.toLowerCase().split(/\s+/).filter(Boolean) ?? []
  return (entry) => {
    if (type !== undefined && entry.type !== type && !entry.type.startsWith(`${type}.`)) return false
    if (wantedProduct !== undefined && !String(entry.facts.product ?? '').includes(wantedProduct)) return false
    const personal = entry.personal?.texts ?? {}
    if (wantedUser !== undefined) {
      const names = [personal.account, personal.email, personal.by, entry.facts.by]
      if (!names.some((name) => typeof name === 'string' && name.toLowerCase().includes(wantedUser))) return false
    }
    if (words.length === 0) return true
    const all = [entry.type, ...Object.values(entry.facts), ...Object.values(personal)].join('\n').toLowerCase()
    return words.every((word) => all.includes(word))
  }
}
