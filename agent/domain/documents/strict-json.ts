/**
 * JSON as signed documents need it: a name may stand only once in an object, and nesting is limited before anything is built.
 * `JSON.parse` alone takes the last of two equal names, so two readers could see two different documents.
 * Imports nothing of ours.
 */

export const maxNesting = 16

export type JsonReading =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'unreadable'; readonly reason: 'syntax' | 'too_deep' | 'duplicate_name' }

/** The place of the quote that ends the string begun at `start`, or -1. */
function closingQuote(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const character = text[at]
    if (character === '\\') at++
    else if (character === '"') return at
  }
  return -1
}

function followedByColon(text: string, end: number): boolean {
  let at = end + 1
  while (at < text.length && ' \t\r\n'.includes(text.charAt(at))) at++
  return text[at] === ':'
}

function parse(text: string): JsonReading {
  try {
    return { kind: 'value', value: JSON.parse(text) }
  } catch {
    return { kind: 'unreadable', reason: 'syntax' }
  }
}

/** Walks over `text` without building anything; what is no JSON at all is left for the parser to refuse. */
function findFlaw(text: string): 'syntax' | 'too_deep' | 'duplicate_name' | undefined {
  const open: (Set<string> | undefined)[] = []
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === '{' || character === '[') {
      open.push(character === '{' ? new Set() : undefined)
      if (open.length > maxNesting) return 'too_deep'
    } else if (character === '}' || character === ']') {
      open.pop()
    } else if (character === '"') {
      const end = closingQuote(text, at)
      if (end < 0) return 'syntax'
      const names = open.at(-1)
      if (names !== undefined && followedByColon(text, end)) {
        const name = parse(text.slice(at, end + 1))
        if (name.kind === 'unreadable' || typeof name.value !== 'string') return 'syntax'
        if (names.has(name.value)) return 'duplicate_name'
        names.add(name.value)
      }
      at = end
    }
  }
  return undefined
}

export function readStrictJson(text: string): JsonReading {
  const flaw = findFlaw(text)
  return flaw === undefined ? parse(text) : { kind: 'unreadable', reason: flaw }
}
