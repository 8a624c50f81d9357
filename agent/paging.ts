/**
 * Pages of lists that are short enough to be made whole. Pure; owns nothing.
 */

/** Pages by offset: what is listed so is short. */
export function paged<Item>(
  all: readonly Item[],
  { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
): { readonly items: readonly Item[]; readonly total: number; readonly next?: string } {
  const start = Math.max(0, Number.parseInt(cursor ?? '0', 10) || 0)
  const end = start + limit
  return { items: all.slice(start, end), total: all.length, ...(end < all.length ? { next: String(end) } : {}) }
}
