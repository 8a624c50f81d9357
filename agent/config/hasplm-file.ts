/**
 * A `hasplm.ini` as a list of entries, in the order in which they stand: keys repeat in it and the order of rules counts, so
 * every line is parsed alone. Owns nothing; imports the ini parser only.
 */
import { parse } from 'ini'

export interface FileEntry {
  /** Counted from 1. */
  readonly line: number
  /** In small letters. */
  readonly section: string
  /** In small letters. */
  readonly key: string
  readonly value: string
  /** The line as it stands, shortened. */
  readonly written: string
}

const mostLines = 10_000
const longestShown = 200
// marks that turn the direction of text would show a line as another
const unshowable = /[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]/gu

export function readEntries(text: string): readonly FileEntry[] {
  const entries: FileEntry[] = []
  let section = ''
  for (const [place, raw] of text
    .replace(/^\ufeff/, '')
    .split(/\r\n|\r|\n/, mostLines)
    .entries()) {
    const line = raw.trim()
    const heading = /^\[([^\]]*)\]/.exec(line)
    if (heading !== null) {
      section = (heading[1] ?? '').trim().toLowerCase()
      continue
    }
    for (const [key, value] of Object.entries(parse(line)))
      entries.push({
        line: place + 1,
        section,
        key: key.toLowerCase(),
        // without “=” the parser says true
        value: typeof value === 'string' ? value : line.includes('=') ? String(value) : '',
        written: line.replace(unshowable, '').slice(0, longestShown),
      })
  }
  return entries
}
