/**
 * Compares what a walk expects with what came: `…` matches anything, `<name>` captures a value and later repeats it.
 * Pure; imports nothing of ours.
 */

/** Values captured so far, by name. */
export type Captures = Readonly<Record<string, string>>

export type Comparison =
  | { readonly kind: 'same'; readonly captures: Captures }
  | { readonly kind: 'different'; readonly difference: string }

const placeholder = /…|<([a-z][a-z0-9_]*)>|\$([a-z][a-z0-9_]*)/g

/** Puts captured values in the place of `<name>` and `$name`; names not captured stay as they are. */
export function substitute(text: string, captures: Captures): string {
  return text.replace(placeholder, (whole, angled?: string, dollar?: string) => {
    const name = angled ?? dollar
    return name === undefined ? whole : (captures[name] ?? whole)
  })
}

/** The source of a regular expression; groups are named after what they capture. */
export function patternSource(text: string, captures: Captures): string {
  const seen = new Set<string>()
  let source = ''
  let end = 0
  for (const match of text.matchAll(placeholder)) {
    source += escapePattern(text.slice(end, match.index))
    end = match.index + match[0].length
    const [whole, angled, dollar] = match
    const name = angled ?? dollar
    const known = name === undefined ? undefined : captures[name]
    if (name === undefined) source += '.*'
    else if (known !== undefined) source += escapePattern(known)
    else if (dollar !== undefined) source += escapePattern(whole)
    else if (seen.has(name)) source += `\\k<${name}>`
    else source += `(?<${name}>.+?)`
    if (angled !== undefined) seen.add(angled)
  }
  return source + escapePattern(text.slice(end))
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}

export function compareOutput(expected: readonly string[], output: string, before: Captures): Comparison {
  const wanted = trimEnd(expected)
  const lines = trimEnd(output.split(/\r?\n/).map((line) => line.trimEnd()))
  const captures = matchLines(wanted, lines, before)
  return captures === undefined
    ? { kind: 'different', difference: describeDifference(wanted, lines, before) }
    : { kind: 'same', captures }
}

function matchLines(wanted: readonly string[], lines: readonly string[], captures: Captures): Captures | undefined {
  const [first, ...others] = wanted
  if (first === undefined) return lines.length === 0 ? captures : undefined
  if (first.trim() === '…') {
    for (let skipped = 0; skipped <= lines.length; skipped += 1) {
      const found = matchLines(others, lines.slice(skipped), captures)
      if (found !== undefined) return found
    }
    return undefined
  }
  const found = lines[0] === undefined ? undefined : matchLine(first, lines[0], captures)
  return found === undefined ? undefined : matchLines(others, lines.slice(1), found)
}

function matchLine(wanted: string, line: string, captures: Captures): Captures | undefined {
  const match = new RegExp(`^${patternSource(wanted.trimEnd(), captures)}$`).exec(line)
  return match === null ? undefined : { ...captures, ...match.groups }
}

/** The longest run of lines that agree stays, the rest is marked `-` (expected) or `+` (came). */
function describeDifference(wanted: readonly string[], lines: readonly string[], captures: Captures): string {
  const agrees = (row: number, column: number): boolean => {
    const text = wanted[row]
    const line = lines[column]
    return text !== undefined && line !== undefined && matchLine(text, line, captures) !== undefined
  }
  const lengths = wanted.map(() => lines.map(() => 0))
  const lengthAt = (row: number, column: number): number => lengths[row]?.[column] ?? 0
  for (let row = wanted.length - 1; row >= 0; row -= 1) {
    for (let column = lines.length - 1; column >= 0; column -= 1) {
      const best = agrees(row, column)
        ? lengthAt(row + 1, column + 1) + 1
        : Math.max(lengthAt(row + 1, column), lengthAt(row, column + 1))
      const cells = lengths[row]
      if (cells !== undefined) cells[column] = best
    }
  }
  const marked: string[] = []
  let row = 0
  let column = 0
  while (row < wanted.length || column < lines.length) {
    if (agrees(row, column)) {
      marked.push(`  ${lines[column]}`)
      row += 1
      column += 1
    } else if (
      row < wanted.length &&
      (column >= lines.length || lengthAt(row + 1, column) >= lengthAt(row, column + 1))
    ) {
      marked.push(`- ${wanted[row]}`)
      row += 1
    } else {
      marked.push(`+ ${lines[column]}`)
      column += 1
    }
  }
  return marked.join('\n')
}

function trimEnd(lines: readonly string[]): string[] {
  const kept = [...lines]
  while (kept.length > 0 && kept.at(-1)?.trim() === '') kept.pop()
  return kept
}
