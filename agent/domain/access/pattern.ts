/**
 * Names with stars: `*` stands for any run of characters, everything else for itself, in any case. Pure; imports nothing of ours.
 */

export interface Pattern {
  /** In lower case, stars included. */
  readonly text: string
  /** Absent where there is no star: then the name is the text. */
  readonly pieces?: readonly string[]
}

export function makePattern(text: string): Pattern {
  const folded = fold(text)
  return folded.includes('*') ? { text: folded, pieces: folded.split(/\*+/) } : { text: folded }
}

export function fold(name: string): string {
  return name.normalize('NFC').toLowerCase()
}

/** @param name folded. Takes no longer than the product of both lengths, whatever the stars. */
export function fits({ text, pieces }: Pattern, name: string): boolean {
  if (pieces === undefined) return name === text
  const first = pieces[0] ?? ''
  const last = pieces[pieces.length - 1] ?? ''
  if (name.length < first.length + last.length || !name.startsWith(first) || !name.endsWith(last)) return false
  const end = name.length - last.length
  let at = first.length
  // The first place that a piece fits at leaves the most for those after it.
  for (const piece of pieces.slice(1, -1)) {
    const found = name.indexOf(piece, at)
    if (found < 0 || found + piece.length > end) return false
    at = found + piece.length
  }
  return true
}
