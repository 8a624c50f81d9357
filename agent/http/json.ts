/**
 * Reads JSON that came from outside: well-formed UTF-8, not deeper than the limit, and when it can't be read, where and why.
 * Pure; must not import anything of ours but the error table.
 */
import { isUtf8 } from 'node:buffer'
import { type Refusal, refuse } from '../errors.ts'

export type ParsedJson = { readonly kind: 'parsed'; readonly value: unknown } | Refusal

const deepest = 32

export function parseJson(bytes: Buffer): ParsedJson {
  if (!isUtf8(bytes)) return refuse('malformed_request', 'The body is not UTF-8.')
  const text = bytes.toString('utf8')
  if (hasManyBrackets(text) && isTooDeep(text))
    return refuse('malformed_request', `The body is nested deeper than ${deepest} levels.`)
  try {
    return { kind: 'parsed', value: JSON.parse(text) as unknown }
  } catch {
    const { position, wanted } = locate(text)
    const before = text.slice(0, position)
    const line = before.split('\n').length
    const column = position - before.lastIndexOf('\n')
    return refuse('malformed_request', `The body is not JSON: line ${line}, column ${column}: ${wanted} is wanted.`, {
      line,
      column,
    })
  }
}

/** Whether it could be too deep at all; brackets in strings count, too. */
function hasManyBrackets(text: string): boolean {
  let left = deepest
  for (const bracket of ['{', '['])
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1)) if (left-- === 0) return true
  return false
}

/** Counts brackets outside of strings; before parsing, so that nothing deep is ever built. */
function isTooDeep(text: string): boolean {
  let depth = 0
  let inString = false
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (inString) {
      if (code === 92) index++
      else if (code === 34) inString = false
    } else if (code === 34) inString = true
    else if (code === 123 || code === 91) {
      if (++depth > deepest) return true
    } else if (code === 125 || code === 93) depth--
  }
  return false
}

interface Fault {
  readonly position: number
  readonly wanted: string
}

const blank = /[ \t\n\r]*/y
const string = /"(?:[^"\\\p{Cc}]|[\u007f-\u009f]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*"/uy
const scalar = /(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.+-])/y

/** Finds what `JSON.parse` stumbled over, since its own messages often name no place. */
function locate(text: string): Fault {
  let at = 0
  const take = (pattern: RegExp): boolean => {
    pattern.lastIndex = at
    const found = pattern.test(text)
    if (found) at = pattern.lastIndex
    return found
  }
  const is = (character: string): boolean => {
    take(blank)
    if (text[at] !== character) return false
    at++
    return true
  }
  const members = (close: string, member: () => string | undefined): string | undefined => {
    if (is(close)) return undefined
    for (;;) {
      const fault = member()
      if (fault !== undefined) return fault
      if (is(close)) return undefined
      if (!is(',')) return `a comma or ${close}`
    }
  }
  const value = (): string | undefined => {
    take(blank)
    if (is('{'))
      return members('}', () => {
        take(blank)
        if (!take(string)) return 'a name in double quotes'
        return is(':') ? value() : 'a colon'
      })
    if (is('[')) return members(']', value)
    return take(string) || take(scalar) ? undefined : 'a value'
  }
  const wanted = value()
  take(blank)
  return { position: at, wanted: wanted ?? 'the end' }
}
