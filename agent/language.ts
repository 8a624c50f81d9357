/**
 * Every text that a person reads: one catalog file per language, one function `t(key, args)` that looks it up.
 * English is the source and the fallback; titles and help of error codes come from the error table.
 * Must not import anything of ours but the error table.
 */
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { errorTable } from './errors.ts'

/** A text with `{name}` places, or one such text per plural category of `{count}`. */
const message = z.union([
  z.string(),
  z.strictObject({
    zero: z.string().optional(),
    one: z.string().optional(),
    two: z.string().optional(),
    few: z.string().optional(),
    many: z.string().optional(),
    other: z.string(),
  }),
])
const catalogFile = z.strictObject({
  /** The language in its own words, as the switch shows it. */
  language: z.string(),
  direction: z.enum(['ltr', 'rtl']),
  texts: z.record(z.string(), message),
})
export type Message = z.infer<typeof message>
export type Catalog = z.infer<typeof catalogFile>

export type TextArguments = Readonly<Record<string, string | number>>

export interface Language {
  /** BCP 47 tag, such as `en` or `de`. */
  readonly tag: string
  readonly name: string
  readonly direction: 'ltr' | 'rtl'
  /** The text of a key. A key that no catalog has is a mistake of ours: the key itself is shown and a test fails. */
  t(key: string, args?: TextArguments): string
  /** The text of a key that only some catalogs have: words of other owners that they give in English themselves. */
  translate(key: string, english: string, args?: TextArguments): string
  number(value: number): string
}

export interface Languages {
  readonly all: readonly Language[]
  /** The language of this tag, or English. */
  get(tag: string | undefined): Language
  /** The best language for an Accept-Language header; undefined when none of its languages is there. */
  accept(header: string): Language | undefined
}

/** @param folder holds `<tag>.json` files, `en.json` among them; throws when one can't be read */
export async function readCatalogs(folder: string): Promise<ReadonlyMap<string, Catalog>> {
  const catalogs = new Map<string, Catalog>()
  for (const file of (await readdir(folder)).filter((name) => name.endsWith('.json')).sort()) {
    const parsed = catalogFile.safeParse(JSON.parse(await readFile(path.join(folder, file), 'utf8')))
    if (!parsed.success) throw new Error(`The text catalog ${file} is wrong: ${z.prettifyError(parsed.error)}`)
    catalogs.set(file.slice(0, -'.json'.length), parsed.data)
  }
  return catalogs
}

export function createLanguages(catalogs: ReadonlyMap<string, Catalog>): Languages {
  const source = catalogs.get('en')
  if (source === undefined) throw new Error('The text catalog en.json is missing')
  const english = new Map<string, Message>([...readErrorTexts(), ...Object.entries(source.texts)])
  const languages = new Map<string, Language>()
  for (const [tag, catalog] of catalogs) languages.set(tag, createLanguage(tag, catalog, english))
  const fallback = languages.get('en') as Language
  return {
    all: [...languages.values()],
    get: (tag) => (tag === undefined ? fallback : (languages.get(tag) ?? fallback)),
    accept: (header) => {
      for (const tag of readAcceptedTags(header)) {
        const found = languages.get(tag) ?? languages.get(tag.split('-')[0] ?? '')
        if (found !== undefined) return found
      }
      return undefined
    },
  }
}

function createLanguage(tag: string, catalog: Catalog, english: ReadonlyMap<string, Message>): Language {
  const own = new Map(Object.entries(catalog.texts))
  const plurals = new Intl.PluralRules(tag)
  const numbers = new Intl.NumberFormat(tag)
  function find(key: string): Message | undefined {
    return own.get(key) ?? english.get(key)
  }
  function fill(found: Message, args: TextArguments): string {
    let text = found
    if (typeof text !== 'string') text = text[plurals.select(Number(args.count ?? 0))] ?? text.other
    return text.replace(/\{(\w+)\}/g, (place, name: string) => {
      const value = args[name]
      if (value === undefined) return place
      return typeof value === 'number' ? numbers.format(value) : value
    })
  }
  return {
    tag,
    name: catalog.language,
    direction: catalog.direction,
    t: (key, args = {}) => fill(find(key) ?? key, args),
    translate: (key, text, args = {}) => fill(own.get(key) ?? text, args),
    number: (value) => numbers.format(value),
  }
}

function* readErrorTexts(): Generator<[string, string]> {
  for (const [code, entry] of Object.entries(errorTable)) {
    yield [`error.${code}.title`, entry.title]
    yield [`error.${code}.help`, entry.help]
  }
}

/** The tags of an Accept-Language header, best first; at most 20 are looked at. */
function readAcceptedTags(header: string): string[] {
  return header
    .split(',', 20)
    .map((part) => {
      const [tag = '', quality = 'q=1'] = part.split(';').map((piece) => piece.trim())
      return { tag: tag.toLowerCase(), quality: Number(quality.replace(/^q=/, '')) }
    })
    .filter(({ tag, quality }) => tag !== '' && quality > 0)
    .sort((a, b) => b.quality - a.quality)
    .map(({ tag }) => tag)
}
