/** Lists of the agent: one page as it came for JSON, all pages for a table. Owns nothing. */
import type { z } from 'zod'
import { type Asked, ask, failUnanswered, type Unanswered } from './failure.ts'
import type { Column } from './table.ts'
import type { Invocation } from './verb.ts'

export interface Listed<Item> {
  readonly items: readonly Item[]
  readonly total: number
  readonly next?: string | undefined
}

const pageSize = 1000

export type Query = Readonly<Record<string, string | number | undefined>>

export function pathWith(path: string, query: Query): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value))
  return search.size === 0 ? path : `${path}?${search}`
}

/** Prints a list: as JSON the page as it came, else a table of all that fits, or of `usualLimit` of it. */
export function printList<Item>(
  invocation: Invocation,
  path: string,
  filter: Query,
  schema: z.ZodType<Listed<Item>>,
  columns: readonly Column<Item>[],
  empty: string,
  usualLimit?: number,
): Promise<number> {
  const print = (items: readonly Item[]): void => invocation.out.table(columns, items)
  return printPages(invocation, path, filter, schema, print, empty, usualLimit)
}

/** The same where a table would be too narrow. @param print is given at least one item */
export async function printPages<Item>(
  { given, out, agent }: Invocation,
  path: string,
  filter: Query,
  schema: z.ZodType<Listed<Item>>,
  print: (items: readonly Item[]) => void,
  empty: string,
  usualLimit?: number,
): Promise<number> {
  const limit = given.whole('limit') ?? (out.json ? undefined : usualLimit)
  const first = { ...filter, limit: limit ?? (out.json ? undefined : pageSize), cursor: given.text('cursor') }
  const asked = await ask(agent, { method: 'GET', path: pathWith(path, first) }, schema)
  if (asked.kind !== 'answer') return failUnanswered(out, agent, asked)
  if (out.json) {
    out.raw(asked.text)
    return 0
  }
  const items = [...asked.value.items]
  if (limit === undefined) {
    const rest = await readRest(asked.value.next, (cursor) =>
      ask(agent, { method: 'GET', path: pathWith(path, { ...first, cursor }) }, schema),
    )
    if (!Array.isArray(rest)) return failUnanswered(out, agent, rest)
    items.push(...rest)
  }
  if (items.length === 0) {
    out.note(empty)
    return 0
  }
  print(items)
  if (items.length < asked.value.total && limit !== undefined)
    out.note(
      `${items.length} of ${asked.value.total}${asked.value.next === undefined ? '' : `; more with --cursor ${asked.value.next}`}`,
    )
  return 0
}

async function readRest<Item>(
  next: string | undefined,
  read: (cursor: string) => Promise<Asked<Listed<Item>>>,
): Promise<Item[] | Unanswered> {
  const items: Item[] = []
  for (let cursor = next; cursor !== undefined; ) {
    const asked = await read(cursor)
    if (asked.kind !== 'answer') return asked
    items.push(...asked.value.items)
    // A page that brings nothing would be asked for for ever.
    cursor = asked.value.items.length === 0 ? undefined : asked.value.next
  }
  return items
}
