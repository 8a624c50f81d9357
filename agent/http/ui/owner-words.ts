/**
 * What owners and other agents say in English sentences, in the language of the page: the sentences are in tables beside this file, with
 * the names, numbers, dates and reasons that stand in them. What is not known there is shown as it is. Must not import owners.
 */
import type { Language } from '../../language.ts'
import { blockSentences } from './owner-words-blocks.ts'
import { detachingSentences } from './owner-words-detaching.ts'
import { networkReasons, networkSentences } from './owner-words-network.ts'
import { seatSentences } from './owner-words-seats.ts'
import type { TimeWords } from './time.ts'

/** Key of the text in the catalogs, under `owner.`, and the English sentence; `reason` is one of these again, `kind` one of document. */
export const ownerSentences: readonly (readonly [key: string, english: RegExp])[] = [
  ...networkSentences,
  ...networkReasons,
  ...detachingSentences,
  ...blockSentences,
  ...seatSentences,
]

type Words = Pick<Language, 'tag' | 'translate'>
type Spelling = Pick<TimeWords, 'spell'>

const longest = 2_000
const mostNested = 2
const mostParts = 20
const mostSentences = 8

/**
 * @param said what an owner says: one sentence or more, or a reason
 * @param time spells the dates in it; absent: they stay as they are
 */
export function sayAs(words: Words, said: string, time?: Spelling): string {
  // English has texts of its own only where a date is spelled.
  if (said === '' || said.length > longest || (words.tag === 'en' && time === undefined)) return said
  return say({ words, time, nested: 0 }, said) ?? said
}

/** For views that mark what stays English. */
export interface Told {
  readonly text: string
  /** `en` where the page is in another language and this is not. */
  readonly lang: 'en' | undefined
}

export function tellAs(words: Words, said: string, time?: Spelling): Told {
  const text = sayAs(words, said, time)
  return { text, lang: words.tag !== 'en' && text === said && said !== '' ? 'en' : undefined }
}

interface Saying {
  readonly words: Words
  readonly time: Spelling | undefined
  /** How many others this is a reason of. */
  readonly nested: number
}

function say(saying: Saying, said: string): string | undefined {
  return sayWhole(saying, said) ?? sayParts(saying, said) ?? sayInTurn(saying, said) ?? sayAfterName(saying, said)
}

/** `10.0.0.5:1947: nothing listens there; 10.0.0.6:1947: no answer within 2 s.` */
function sayParts(saying: Saying, said: string): string | undefined {
  if (!said.endsWith('.')) return undefined
  const parts = said.slice(0, -1).split('; ')
  if (parts.length > mostParts) return undefined
  const own = parts.map((part) => {
    const [, place = '', reason = ''] = /^(\S+): (.+)$/s.exec(part) ?? []
    const known = reason === '' ? undefined : sayWhole(saying, reason)
    return known === undefined ? sayWhole(saying, part) : `${place}: ${known}`
  })
  return own.includes(undefined) ? undefined : `${own.join('; ')}.`
}

/** `LIC-1: There is no site shop here.` */
function sayAfterName(saying: Saying, said: string): string | undefined {
  const end = said.indexOf(': ')
  if (end < 1 || moreThanName.test(said.slice(0, end))) return undefined
  const rest = sayNested(saying, said.slice(end + 2))
  return rest && `${said.slice(0, end)}: ${rest}`
}

/** Several sentences, some of which are written as one in the tables. */
function sayInTurn(saying: Saying, said: string): string | undefined {
  const parts = said.split(/(?<=\.) /)
  if (parts.length < 2 || parts.length > mostSentences) return undefined
  const own: string[] = []
  let from = 0
  for (let to = parts.length; from < parts.length; to -= 1) {
    if (to === from) return undefined
    const known = sayWhole(saying, parts.slice(from, to).join(' '))
    if (known === undefined) continue
    own.push(known)
    from = to
    to = parts.length + 1
  }
  return own.join(' ')
}

function sayNested(saying: Saying, said: string): string | undefined {
  return saying.nested < mostNested ? say({ ...saying, nested: saying.nested + 1 }, said) : undefined
}

function sayWhole(saying: Saying, said: string): string | undefined {
  const { translate } = saying.words
  for (const [key, english] of ownerSentences) {
    const found = english.exec(said)
    if (found === null) continue
    const { groups = {} } = found
    if (groups.name !== undefined && moreThanName.test(groups.name)) continue
    const args: Record<string, string> = {}
    for (const [name, value = ''] of Object.entries(groups)) args[name] = sayArgument(saying, name, value)
    // An English sentence is not filled in: what others call themselves may look like a place in it.
    return translate(`owner.${key}`, '', args) || undefined
  }
  return undefined
}

function sayArgument(saying: Saying, name: string, value: string): string {
  const { words, time } = saying
  if (name === 'reason') return sayNested(saying, value) ?? value
  if (name === 'kind' || name === 'wanted') return words.translate(`document.${value.replaceAll(' ', '-')}`, value)
  if (time !== undefined && isoDate.test(value) && Number.isFinite(Date.parse(value))) return time.spell(value)
  return value
}

/** It holds the end of a sentence, or another one that says something. */
const moreThanName = /[.:] /
const isoDate = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/
