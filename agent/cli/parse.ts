/** Reads what was typed by the table of a verb. Pure. */
import { parseArgs } from 'node:util'
import { Given, type Option, type Verb } from './verb.ts'

export type Parsed =
  | { readonly kind: 'parsed'; readonly given: Given }
  | { readonly kind: 'help' }
  /** A sentence that names what is wrong and what is wanted. */
  | { readonly kind: 'wrong'; readonly message: string }

function wrong(message: string): Parsed {
  return { kind: 'wrong', message }
}

export function parseWords(verb: Verb, words: readonly string[]): Parsed {
  const at = verb.takesCommand ? words.indexOf('--') : -1
  const own = at < 0 ? words : words.slice(0, at)
  const command = at < 0 ? [] : words.slice(at + 1)
  const { tokens } = parseArgs({
    args: [...own],
    strict: false,
    tokens: true,
    options: {
      ...Object.fromEntries(
        verb.options.map(({ name, kind }) => [name, { type: kind === 'switch' ? 'boolean' : 'string' } as const]),
      ),
      help: { type: 'boolean', short: 'h' },
    },
  })
  const values = new Map<string, string | number | true>()
  const positionals: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value)
    if (token.kind !== 'option') continue
    if (token.name === 'help') return { kind: 'help' }
    const option = verb.options.find(({ name }) => name === token.name)
    if (option === undefined || !token.rawName.startsWith('--')) return wrong(`There is no option ${token.rawName}.`)
    if (values.has(option.name)) return wrong(`--${option.name} is there twice.`)
    const value = readValue(option, token.value)
    if (typeof value === 'object') return wrong(value.message)
    values.set(option.name, value)
  }
  return checkWhole(verb, new Given(values, positionals, command))
}

function readValue(option: Option, text: string | undefined): string | number | true | { readonly message: string } {
  const name = `--${option.name}`
  if (option.kind === 'switch') return text === undefined ? true : { message: `${name} takes no value.` }
  if (text === undefined || text === '') return { message: `${name} wants ${wantedBy(option)}.` }
  if (option.kind === 'choice')
    return option.choices.includes(text) ? text : { message: `${name} wants ${wantedBy(option)}.` }
  // A value that looks like an option is one whose own value was forgotten.
  if (option.kind === 'text') return text.startsWith('--') ? { message: `${name} wants ${wantedBy(option)}.` } : text
  const number = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN
  return number >= option.min && number <= option.max ? number : { message: `${name} wants ${wantedBy(option)}.` }
}

export function wantedBy(option: Option): string {
  switch (option.kind) {
    case 'switch':
      return 'no value'
    case 'text':
      return `a value: --${option.name} ${option.value}`
    case 'choice':
      return `one of ${option.choices.join(', ')}`
    case 'whole':
      return `a whole number from ${option.min} to ${option.max}`
  }
}

function checkWhole(verb: Verb, given: Given): Parsed {
  for (const option of verb.options)
    if (option.kind === 'text' && option.required && !given.on(option.name)) return wrong(`--${option.name} is needed.`)
  const needed = verb.arguments.filter(({ required }) => required)
  const missing = needed[given.arguments.length]
  if (missing !== undefined) return wrong(`${missing.name} is missing.`)
  const most = verb.arguments.some(({ many }) => many) ? Number.POSITIVE_INFINITY : verb.arguments.length
  const extra = given.arguments[most]
  if (extra !== undefined)
    return wrong(`“${extra}” is too much${verb.takesCommand ? ': the command comes after --' : ''}.`)
  if (verb.takesCommand && given.command.length === 0) return wrong('The command is missing: it comes after --.')
  return { kind: 'parsed', given }
}
