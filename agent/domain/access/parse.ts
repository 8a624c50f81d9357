/**
 * Reads lists of rules by the grammar of docs/access-rules.md: one rule a line, comments behind `#`. What is wrong is named by
 * line and column, with what is expected there. Pure.
 */
import { readNetwork } from './address.ts'
import { machineForms, readMachine } from './machine.ts'
import { makePattern } from './pattern.ts'
import type { Action, Machine, Parts, Person, Rule, RuleList, RuleProblem, Who } from './rule.ts'
import { scanLine, type Token, type Word } from './scan.ts'

export interface RuleReading {
  readonly rules: readonly Rule[]
  readonly problems: readonly RuleProblem[]
}

/** Whoever has more is told the rest when these are put right. */
export const mostProblems = 20

const actions: readonly Action[] = ['allow', 'deny']
const partForms = 'product:, feature: or license:'

export function readRules(list: RuleList, lines: readonly string[]): RuleReading {
  const rules: Rule[] = []
  const problems: RuleProblem[] = []
  for (const [index, text] of lines.entries()) {
    const read = readLine(list, text, index + 1)
    if (read.kind === 'rule') rules.push(read.rule)
    else if (read.kind === 'wrong') problems.push(read.problem)
  }
  return { rules, problems }
}

/** `line 2, column 7: there is “group:”, expected is a machine: …` */
export function describeProblem({ line, column, found, expected }: RuleProblem): string {
  return `line ${line}, column ${column}: there is ${found}, expected is ${expected}`
}

/** What is wrong with a list, the first of it; for the check of a setting. */
export function checkRules(list: RuleList): (lines: readonly string[]) => readonly string[] {
  return (lines) => readRules(list, lines).problems.slice(0, mostProblems).map(describeProblem)
}

/** What stops the reading of a line; caught in here and nowhere else. */
class Wrong extends Error {
  readonly column: number
  readonly found: string
  readonly expected: string

  constructor(column: number, found: string, expected: string) {
    super(expected)
    this.column = column
    this.found = found
    this.expected = expected
  }
}

type LineReading =
  | { readonly kind: 'rule'; readonly rule: Rule }
  | { readonly kind: 'empty' }
  | { readonly kind: 'wrong'; readonly problem: RuleProblem }

function readLine(list: RuleList, text: string, line: number): LineReading {
  const scan = scanLine(text)
  if (scan.kind === 'wrong') {
    const { column, found, expected } = scan
    return { kind: 'wrong', problem: { line, column, found, expected } }
  }
  if (scan.tokens.length === 0) return { kind: 'empty' }
  try {
    return { kind: 'rule', rule: { ...new LineReader(list, scan.tokens, scan.end).read(), text: scan.text, line } }
  } catch (error) {
    if (!(error instanceof Wrong)) throw error
    const { column, found, expected } = error
    return { kind: 'wrong', problem: { line, column, found, expected } }
  }
}

class LineReader {
  readonly #list: RuleList
  readonly #tokens: readonly Token[]
  readonly #end: number
  #at = 0

  constructor(list: RuleList, tokens: readonly Token[], end: number) {
    this.#list = list
    this.#tokens = tokens
    this.#end = end
  }

  read(): Pick<Rule, 'action' | 'who' | 'parts'> {
    const action = this.#readAction()
    const who = this.#readWho()
    return { action, who, parts: this.#readParts() }
  }

  #readAction(): Action {
    const token = this.#next()
    const text = token?.kind === 'word' ? token.text.toLowerCase() : ''
    const action = actions.find((one) => one === text)
    if (action === undefined) this.#fail(token, 'allow= or deny=')
    const sign = this.#next()
    if (sign?.kind !== '=') this.#fail(sign, `= after ${action}`)
    return action
  }

  #readWho(): Who {
    const token = this.#peek()
    // `deny=product:acme/cad` and `deny=,product:acme/cad` are about everyone.
    const isPart = token?.kind === ',' || (token?.kind === 'word' && isPartName(prefixOf(token)))
    if (isPart && this.#list === 'users') return { kind: 'person' }
    const expected = this.#list === 'users' ? 'user@machine' : machineForms
    if (token?.kind !== 'word') this.#fail(token, expected)
    this.#at += 1
    return this.#list === 'users' ? readPerson(token) : { kind: 'machine', machine: readPlace(token, 0) }
  }

  #readParts(): Parts {
    const parts: { -readonly [Name in keyof Parts]: Parts[Name] } = {}
    while (this.#peek() !== undefined) {
      if (this.#peek()?.kind === ',') this.#at += 1
      const token = this.#next()
      if (this.#list === 'machines')
        this.#fail(token, 'the end of the line: products and licenses belong into the user restrictions')
      const name = token?.kind === 'word' ? prefixOf(token) : undefined
      if (token?.kind !== 'word' || !isPartName(name)) this.#fail(token, partForms)
      if (parts[name] !== undefined) this.#fail(token, `${name}: only once in a rule`)
      const { value, column } = readValue(token)
      if (name === 'product') parts.product = readProduct(value, column)
      else if (name === 'feature') parts.feature = makePattern(check(value, column, feature, featureForm))
      else parts.license = check(value, column, license, licenseForm)
    }
    return parts
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#at]
  }

  #next(): Token | undefined {
    this.#at += 1
    return this.#tokens[this.#at - 1]
  }

  #fail(token: Token | undefined, expected: string): never {
    if (token === undefined) throw new Wrong(this.#end, 'the end of the line', expected)
    throw new Wrong(token.column, token.kind === 'word' ? quote(token.text) : quote(token.kind), expected)
  }
}

const partNames = ['product', 'feature', 'license'] as const
type PartName = (typeof partNames)[number]

function isPartName(name: string | undefined): name is PartName {
  return partNames.some((one) => one === name)
}

/** What stands before the first `:`, in lower case. */
function prefixOf({ text, marks }: Word): string | undefined {
  const colon = marks.find(({ sign }) => sign === ':')
  return colon === undefined ? undefined : text.slice(0, colon.index).toLowerCase()
}

function readValue({ text, marks, column }: Word): { readonly value: string; readonly column: number } {
  const colon = marks.find(({ sign }) => sign === ':')
  if (colon === undefined) return { value: text, column }
  return { value: text.slice(colon.index + 1), column: colon.column + 1 }
}

/** `user@machine`, `user`, `@machine`; a user may have an @ in its name, so the last one counts. */
function readPerson(word: Word): Person {
  const split = word.marks.findLast(({ sign }) => sign === '@')
  if (split === undefined) return { kind: 'person', ...readUser(word.text, word) }
  const named = split.index === 0 ? {} : readUser(word.text.slice(0, split.index), word)
  const place = readPlace(word, split.index + 1, split.column + 1)
  return { kind: 'person', ...named, ...(place.kind === 'all' ? {} : { place }) }
}

function readUser(text: string, word: Word): Pick<Person, 'user'> {
  const colon = word.marks.find(({ sign, index }) => sign === ':' && index < text.length)
  // What looks like a word of the grammar may become one, so it is no user's name unless it is quoted.
  if (colon !== undefined && readNetwork(text).kind !== 'network')
    throw new Wrong(word.column, quote(text.slice(0, colon.index + 1)), `user@machine, ${partForms}`)
  if (text === word.text && readNetwork(text).kind === 'network')
    throw new Wrong(word.column, quote(text), `user@machine; everyone there is @${text}`)
  if (text === '' || text.length > 255) throw new Wrong(word.column, 'no name', 'user@machine')
  const pattern = makePattern(text)
  return pattern.text === 'all' || pattern.text === '*' ? {} : { user: pattern }
}

function readPlace(word: Word, from: number, column = word.column): Machine {
  const text = word.text.slice(from)
  const read = readMachine(text)
  if (read.kind === 'wrong') throw new Wrong(column, text === '' ? 'nothing' : quote(text), read.expected)
  return read.machine
}

const productPart = /^[a-z0-9*][a-z0-9._*-]{0,63}$/
const feature = /^[a-z0-9*][a-z0-9._*-]{0,63}$/i
const license = /^[A-Za-z0-9][A-Za-z0-9_-]{7,63}$/
const featureForm = 'the name of a feature after “feature:”, such as rendering'
const licenseForm = 'the id of a license after “license:”, without stars'

function readProduct(value: string, column: number): NonNullable<Parts['product']> {
  const [first = '', second, ...more] = value.toLowerCase().split('/')
  const form = 'vendor/product after “product:”, such as acme/cad or acme/*'
  if (more.length > 0 || !productPart.test(first) || (second !== undefined && !productPart.test(second)))
    throw new Wrong(column, value === '' ? 'nothing' : quote(value), form)
  if (second === undefined) return { name: makePattern(first) }
  return { vendor: makePattern(first), name: makePattern(second) }
}

function check(value: string, column: number, form: RegExp, expected: string): string {
  if (!form.test(value)) throw new Wrong(column, value === '' ? 'nothing' : quote(value), expected)
  return value
}

function quote(text: string): string {
  const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text
  return `“${shown}”`
}
