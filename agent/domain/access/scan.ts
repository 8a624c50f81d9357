/**
 * A line of rules cut into words and marks, each with its column. Quotation marks keep blanks and marks inside a word; `#` at
 * the beginning of a word begins a comment. Pure; imports nothing of ours.
 */

export interface Word {
  readonly kind: 'word'
  /** Without the quotation marks. */
  readonly text: string
  /** From 1. */
  readonly column: number
  /** Where `@` and `:` stand outside of quotation marks: index in `text`, column in the line. */
  readonly marks: readonly { readonly sign: '@' | ':'; readonly index: number; readonly column: number }[]
}

export type Token = Word | { readonly kind: '=' | ','; readonly column: number }

export type Scan =
  | { readonly kind: 'tokens'; readonly tokens: readonly Token[]; readonly end: number; readonly text: string }
  | { readonly kind: 'wrong'; readonly column: number; readonly found: string; readonly expected: string }

const control = /\p{Cc}|\p{Zl}|\p{Zp}/u

export function scanLine(line: string): Scan {
  const tokens: Token[] = []
  let at = 0
  while (at < line.length) {
    const sign = line[at] ?? ''
    if (sign === ' ' || sign === '\t') at += 1
    else if (sign === '#') break
    else if (sign === '=' || sign === ',') {
      tokens.push({ kind: sign, column: at + 1 })
      at += 1
    } else {
      const read = scanWord(line, at)
      if (read.kind === 'wrong') return read
      tokens.push(read.word)
      at = read.end
    }
  }
  const text = line.slice(0, at).trim()
  return { kind: 'tokens', tokens, end: text === '' ? 1 : line.indexOf(text) + text.length + 1, text }
}

type WordScan = { readonly kind: 'word'; readonly word: Word; readonly end: number } | Exclude<Scan, { kind: 'tokens' }>

function scanWord(line: string, start: number): WordScan {
  const marks: Word['marks'][number][] = []
  let text = ''
  let opened: number | undefined
  let at = start
  for (; at < line.length; at += 1) {
    const sign = line[at] ?? ''
    if (sign === '"') opened = opened === undefined ? at : undefined
    else if (control.test(sign))
      return { kind: 'wrong', column: at + 1, found: 'a control character', expected: 'text that can be shown' }
    else if (opened === undefined && (sign === ' ' || sign === '\t' || sign === '=' || sign === ',')) break
    else {
      if (opened === undefined && (sign === '@' || sign === ':'))
        marks.push({ sign, index: text.length, column: at + 1 })
      text += sign
    }
  }
  if (opened !== undefined)
    return { kind: 'wrong', column: opened + 1, found: 'a quotation mark', expected: 'a second one that ends the name' }
  return { kind: 'word', word: { kind: 'word', text, column: start + 1, marks }, end: at }
}
