/**
 * The journal as a chain: entries, their hashes, and the check that nothing was changed or left out (R34).
 * Personal fields enter the chain as salted hashes with the text beside it, so that the text can be forgotten later
 * and the chain still holds. Pure; imports nothing of ours.
 */
import { createHash } from 'node:crypto'

export type JournalFact = string | number | boolean | null | readonly string[]

/** A personal fact: the chain covers `hash` = SHA-256 over salt and text; `salt` and `text` may be forgotten. */
export interface PersonalFact {
  readonly hash: string
  readonly salt?: string
  readonly text?: string
}

export interface JournalEntry {
  /** 1, 2, 3 … without a gap. */
  readonly sequence: number
  /** Wall time in ms since 1970, for people; order is by sequence. */
  readonly at: number
  readonly instance: string
  /** `session.opened` and so on. */
  readonly type: string
  readonly facts: Readonly<Record<string, JournalFact>>
  readonly personal: Readonly<Record<string, PersonalFact>>
  /** base64url SHA-256 over the entry before this one's hash and all of the above but salts and texts. */
  readonly hash: string
}

export interface JournalHead {
  readonly sequence: number
  readonly hash: string
}

export const emptyHead: JournalHead = { sequence: 0, hash: '' }

/** What happened, as an owner says it; the writer numbers and chains it. */
export interface Happening {
  readonly type: string
  readonly instance: string
  readonly facts: Readonly<Record<string, JournalFact>>
  readonly personal?: Readonly<Record<string, string>>
}

function hashText(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

function hashPersonal(salt: string, text: string): string {
  return hashText(JSON.stringify([salt, text]))
}

function hashEntry(previous: string, entry: Omit<JournalEntry, 'hash'>): string {
  const personal = Object.entries(entry.personal).map(([name, fact]) => [name, fact.hash])
  return hashText(
    JSON.stringify([
      previous,
      entry.sequence,
      entry.at,
      entry.instance,
      entry.type,
      Object.entries(entry.facts),
      personal,
    ]),
  )
}

/** @param salt fresh random text per entry; comes in from outside since the domain has no randomness */
export function chainEntry(head: JournalHead, happening: Happening, at: number, salt: () => string): JournalEntry {
  const personal: Record<string, PersonalFact> = {}
  for (const [name, text] of Object.entries(happening.personal ?? {})) {
    const grain = salt()
    personal[name] = { hash: hashPersonal(grain, text), salt: grain, text }
  }
  const entry = {
    sequence: head.sequence + 1,
    at,
    instance: happening.instance,
    type: happening.type,
    facts: happening.facts,
    personal,
  }
  return { ...entry, hash: hashEntry(head.hash, entry) }
}

export type ChainCheck =
  | { readonly kind: 'good'; readonly head: JournalHead }
  | { readonly kind: 'broken'; readonly sequence: number; readonly reason: 'gap' | 'altered' | 'personal_altered' }

/** Checks one entry against the head before it. */
export function checkEntry(head: JournalHead, entry: JournalEntry): ChainCheck {
  if (entry.sequence !== head.sequence + 1) return { kind: 'broken', sequence: head.sequence + 1, reason: 'gap' }
  if (hashEntry(head.hash, entry) !== entry.hash) return { kind: 'broken', sequence: entry.sequence, reason: 'altered' }
  for (const fact of Object.values(entry.personal)) {
    if (fact.text !== undefined && hashPersonal(fact.salt ?? '', fact.text) !== fact.hash)
      return { kind: 'broken', sequence: entry.sequence, reason: 'personal_altered' }
  }
  return { kind: 'good', head: { sequence: entry.sequence, hash: entry.hash } }
}
