/**
 * Reads the configuration file: YAML, nested by the dots of the names, every problem with its line and column.
 * Pure but for the parser; the text comes in from outside.
 */
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Pair, parseDocument } from 'yaml'
import type { SettingValueKind } from './kinds.ts'
import { explainUnknown, findSetting } from './names.ts'
import { type ConfigurationProblem, checkValue } from './problem.ts'

export interface FileReading {
  readonly values: ReadonlyMap<string, SettingValueKind>
  readonly problems: readonly ConfigurationProblem[]
}

/** Characters; a file that is larger was not meant. */
const longestFile = 1_000_000

/** @param file the name to be shown in front of line and column */
export function readConfigurationText(text: string, file: string): FileReading {
  if (text.length > longestFile)
    return { values: new Map(), problems: [{ where: file, name: '', message: 'the file is larger than 1 MB' }] }
  return new FileReader(file).read(text)
}

class FileReader {
  readonly #file: string
  readonly #lines = new LineCounter()
  readonly #values = new Map<string, SettingValueKind>()
  readonly #problems: ConfigurationProblem[] = []

  constructor(file: string) {
    this.#file = file
  }

  read(text: string): FileReading {
    const document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false })
    for (const fault of [...document.errors, ...document.warnings]) this.#report(fault.pos[0], '', fault.message)
    if (this.#problems.length === 0) this.#visit('', document.contents, 0, 0)
    return { values: this.#values, problems: this.#problems }
  }

  /** @param keyAt where the name stands, @param at where its value does */
  #visit(name: string, node: unknown, keyAt: number, at: number): void {
    if (isAlias(node)) this.#report(at, name, `${name || 'the file'} refers to another place; write the value out`)
    else if (findSetting(name)) this.#take(name, node, at)
    else if (isMap(node)) for (const pair of node.items) this.#visitPair(name, pair)
    // a section without anything in it is nothing wrong
    else if (node === null || (isScalar(node) && node.value === null)) return
    else if (name === '') this.#report(at, '', 'the file wants names and values, such as "detach: { maxDays: 14 }"')
    else this.#report(keyAt, name, explainUnknown(name))
  }

  #visitPair(parent: string, { key, value }: Pair): void {
    const keyAt = positionOf(key)
    if (isScalar(key) && (typeof key.value === 'string' || typeof key.value === 'number')) {
      const name = parent === '' ? String(key.value) : `${parent}.${key.value}`
      this.#visit(name, value, keyAt, positionOf(value, keyAt))
    } else this.#report(keyAt, parent, 'a name is wanted before the colon')
  }

  #take(name: string, node: unknown, at: number): void {
    const setting = findSetting(name)
    const value = isScalar(node) ? node.value : isSeq(node) || isMap(node) ? node.toJSON() : node
    // a name with nothing after it sets nothing
    if (!setting || value === null) return
    const check = checkValue(name, setting, value)
    if (this.#values.has(name)) this.#report(at, name, `${name} is set twice`)
    else if (check.kind === 'wrong') this.#report(at, name, check.message)
    else this.#values.set(name, check.value)
  }

  #report(at: number, name: string, message: string): void {
    const { line, col } = this.#lines.linePos(at)
    this.#problems.push({ where: `${this.#file}:${line}:${col}`, name, message })
  }
}

function positionOf(node: unknown, otherwise = 0): number {
  return isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? (node.range?.[0] ?? otherwise) : otherwise
}
