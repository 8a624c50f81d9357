/**
 * The journal as a chain: entries, their hashes, and the check that nothing was changed or left out (R34).
 * Personal fields enter the chain as salted hashes with the text beside it, so that the text can be forgotten later
 * and the chain still holds. Pure; imports nothing of ours.
 */
import { hash } from 'node:crypto'

export type JournalFact = string | number | boolean | null | readonly string[]

/**
 * The personal facts of an entry: the chain covers `hash` = SHA-256 over salt and texts; `salt` and `texts` may be forgotten,
 * together, without breaking the chain.
 */
export interface PersonalFacts {
  readonly hash: string
  readonly salt?: string
  readonly texts?: Readonly<Record<string, string>>
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
  readonly personal?: PersonalFacts
  /** base64url SHA-256 over the hash of the entry before this one and all of the above but salt and texts. */
  readonly hash: string
}

/** An entry as the store is given it: with its JSON text, which is put together while it is hashed. */
export interface ChainedEntry extends JournalEntry {
  /** Exactly the members of `JournalEntry`. */
  readonly json: string
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
  return hash('sha256', text, 'base64url')
}

/** @param texts as JSON */
function hashPersonal(salt: string, texts: string): string {
  return hashText(`[${JSON.stringify(salt)},${texts}]`)
}

/**
 * On the path of every change: each part is made JSON once, for the hash and for the text that is stored.
 * @param at a whole number of ms
 * @param salt fresh random text; comes in from outside since the domain has no randomness
 */
export function chainEntry(head: JournalHead, happening: Happening, at: number, salt: () => string): ChainedEntry {
  const { type, instance, facts } = happening
  const sequence = head.sequence + 1
  const person = sealPersonal(happening.personal, salt)
  const place = JSON.stringify(instance)
  const kind = JSON.stringify(type)
  const told = JSON.stringify(facts)
  const hash = hashText(`["${head.hash}",${sequence},${at},${place},${kind},${told},"${person?.facts.hash ?? ''}"]`)
  const json = `{"sequence":${sequence},"at":${at},"instance":${place},"type":${kind},"facts":${told}${person?.json ?? ''},"hash":"${hash}"}`
  if (person === undefined) return { sequence, at, instance, type, facts, hash, json }
  return { sequence, at, instance, type, facts, personal: person.facts, hash, json }
}

function sealPersonal(
  texts: Happening['personal'],
  salt: () => string,
): { readonly facts: PersonalFacts; readonly json: string } | undefined {
  if (texts === undefined) return undefined
  const told = JSON.stringify(texts)
  if (told === '{}') return undefined
  const grain = salt()
  const hash = hashPersonal(grain, told)
  return {
    facts: { hash, salt: grain, texts },
    json: `,"personal":{"hash":"${hash}","salt":${JSON.stringify(grain)},"texts":${told}}`,
  }
}

export type ChainCheck =
  | { readonly kind: 'good'; readonly head: JournalHead }
  | { readonly kind: 'broken'; readonly sequence: number; readonly reason: 'gap' | 'altered' | 'personal_altered' }

/** What `chainEntry` puts together, of an entry that was read. */
function hashEntry(previous: string, { sequence, at, instance, type, facts, personal }: JournalEntry): string {
  return hashText(JSON.stringify([previous, sequence, at, instance, type, facts, personal?.hash ?? '']))
}

/** Checks one entry against the head before it. */
export function checkEntry(head: JournalHead, entry: JournalEntry): ChainCheck {
  if (entry.sequence !== head.sequence + 1) return { kind: 'broken', sequence: head.sequence + 1, reason: 'gap' }
  if (hashEntry(head.hash, entry) !== entry.hash) return { kind: 'broken', sequence: entry.sequence, reason: 'altered' }
  const personal = entry.personal
  if (
    personal?.texts !== undefined &&
    hashPersonal(personal.salt ?? '', JSON.stringify(personal.texts)) !== personal.hash
  )
    return { kind: 'broken', sequence: entry.sequence, reason: 'personal_altered' }
  return { kind: 'good', head: { sequence: entry.sequence, hash: entry.hash } }
}
