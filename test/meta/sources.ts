/**
 * The tree as text: its files, a source without comments and texts, and what it imports. Imports nothing of ours.
 */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

export interface SourceFile {
  /** From the root, with `/`. */
  readonly name: string
  readonly text: string
}

const root = process.cwd()
const notOurs = new Set(['node_modules', 'build', 'coverage', '.git', 'public/vendor', 'package-lock.json'])
const pictures = /\.(png|ico|jpg|woff2|gz|bin)$/

/** Text files below `folder` ('.' for all), without what is installed, built or vendored. */
export function readTree(folder: string, extensions?: readonly string[]): SourceFile[] {
  const files: SourceFile[] = []
  const visit = (name: string): void => {
    if (notOurs.has(name)) return
    for (const entry of readdirSync(path.join(root, name), { withFileTypes: true })) {
      const child = name === '.' ? entry.name : `${name}/${entry.name}`
      if (notOurs.has(child) || entry.isSymbolicLink()) continue
      if (entry.isDirectory()) visit(child)
      else if (!pictures.test(child) && (extensions?.some((extension) => child.endsWith(extension)) ?? true))
        files.push({ name: child, text: readFileSync(path.join(root, child), 'utf8') })
    }
  }
  if (folder === '.' || readdirSync(root).includes(folder)) visit(folder)
  return files.sort((one, other) => (one.name < other.name ? -1 : 1))
}

const tokens =
  /\/\*[\s\S]*?\*\/|\/\/.*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|(?<=[=(,:!&|?{};\n]\s*)\/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/g

/**
 * The code alone: comments are gone, texts and patterns are empty; what stands in the holes of templates stays.
 * Lines keep their numbers.
 */
export function stripSource(text: string): string {
  const bare = text.replace(tokens, (token) => {
    const lines = '\n'.repeat(token.split('\n').length - 1)
    return token.startsWith('/*') || token.startsWith('//') ? lines : `''${lines}`
  })
  return stripTemplates(bare)
}

function stripTemplates(text: string): string {
  let kept = ''
  /** Depth of braces at which each open hole began; a `-1` on top means inside a template's text. */
  const stack: number[] = []
  let braces = 0
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? ''
    if (stack.at(-1) === -1) {
      if (character === '\\') at += 1
      else if (character === '`') stack.pop()
      else if (character === '$' && text[at + 1] === '{') {
        stack.push(braces)
        at += 1
        kept += ' '
      } else if (character === '\n') kept += '\n'
      continue
    }
    if (character === '`') stack.push(-1)
    else if (character === '{') braces += 1
    else if (character === '}' && stack.length > 0 && stack.at(-1) === braces) {
      stack.pop()
      kept += ' '
      continue
    } else if (character === '}') braces -= 1
    kept += character === '`' ? "''" : character
  }
  return kept
}

/** Every module that a source names in an import or export, types included, and in `import()`. */
export function readImports(text: string): string[] {
  const found = [
    ...text.matchAll(/^(?:import|export)\b[^'"]*?from\s+'([^']+)'|^import\s+'([^']+)'|\bimport\('([^']+)'\)/gm),
  ]
  return found.map((match) => match[1] ?? match[2] ?? match[3] ?? '')
}

/** Resolves a relative import to a file name from the root; others stay as they are. */
export function resolveImport(from: string, imported: string): string {
  return imported.startsWith('.') ? path.posix.join(path.posix.dirname(from), imported) : imported
}

/** `FILE:LINE` of each match in the code, or in the text as it stands. */
export function findLines(file: SourceFile, pattern: RegExp, inCode = true): string[] {
  const lines = (inCode ? stripSource(file.text) : file.text).split('\n')
  return lines.flatMap((line, index) => (pattern.test(line) ? [`${file.name}:${index + 1}`] : []))
}
