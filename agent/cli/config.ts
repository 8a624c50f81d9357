/** `leasehold config`: reads and changes the settings of the agent. */
import { anything, type ConfigurationEntry, type ConfigurationValue, configuration } from './answers.ts'
import { askSecret } from './ask.ts'
import { interrupted } from './exit-codes.ts'
import { ask, fail, failUnanswered } from './failure.ts'
import { readInput } from './files.ts'
import { pathWith } from './pages.ts'
import type { Column } from './table.ts'
import { agentOptions, type Invocation, type Verb } from './verb.ts'

const path = '/api/v1/configuration'

const columns: readonly Column<ConfigurationEntry>[] = [
  { title: 'Name', cell: ({ name }) => name },
  {
    title: 'Value',
    cell: ({ value, unit }) => (unit === undefined ? showValue(value) : `${showValue(value)} ${unit}`),
  },
  { title: 'From', cell: ({ source }) => source },
]

export function showValue(value: ConfigurationValue): string {
  return Array.isArray(value) ? value.join(', ') : String(value ?? '')
}

export const getConfigVerb: Verb = {
  name: 'config get',
  alias: 'config',
  summary: 'Print the settings with their values and where these come from',
  description: ['With a NAME its value alone; lists one entry a line.'],
  arguments: [{ name: 'NAME', required: false }],
  options: [
    { name: 'section', kind: 'text', value: 'SECTION', help: 'Only the settings of one page, such as network' },
    ...agentOptions,
  ],
  run: getConfig,
}

async function getConfig({ given, agent, out }: Invocation): Promise<number> {
  const [name] = given.arguments
  const call = { method: 'GET', path: pathWith(path, { section: given.text('section') }) } as const
  const asked = await ask(agent, call, configuration)
  if (asked.kind !== 'answer') return failUnanswered(out, agent, asked)
  if (name === undefined) {
    if (out.json) out.raw(asked.text)
    else out.table(columns, asked.value.entries)
    return 0
  }
  const entry = asked.value.entries.find((one) => one.name === name)
  if (entry === undefined) return failUnknown(out, name)
  if (out.json) out.raw(JSON.stringify(entry))
  else out.lines(Array.isArray(entry.value) ? entry.value.join('\n') : showValue(entry.value))
  return 0
}

function failUnknown(out: Invocation['out'], name: string): number {
  return fail(out, 'usage', `There is no setting “${name}”.`, 'The settings: leasehold config get')
}

const valuesHelp =
  'Lists take several values, or none. Switches take on and off. Secrets are not arguments: they are asked for, or read from standard input.'

export const setConfigVerb: Verb = {
  name: 'config set',
  summary: 'Change a setting',
  description: [valuesHelp],
  arguments: [
    { name: 'NAME', required: true },
    { name: 'VALUE', required: false, many: true },
  ],
  options: agentOptions,
  run: setConfig,
}

export const validateConfigVerb: Verb = {
  name: 'config validate',
  summary: 'Say whether a change would be taken, without making it',
  description: [valuesHelp],
  arguments: [
    { name: 'NAME', required: true },
    { name: 'VALUE', required: false, many: true },
  ],
  options: agentOptions,
  run: validateConfig,
}

export const unsetConfigVerb: Verb = {
  name: 'config unset',
  summary: 'Go back to the value of the configuration file, or the default',
  arguments: [{ name: 'NAME', required: true }],
  options: agentOptions,
  run: (invocation) => change(invocation, invocation.given.arguments[0] ?? '', null),
}

async function setConfig(invocation: Invocation): Promise<number> {
  const read = await readChange(invocation)
  return read.kind === 'failed' ? read.exit : change(invocation, read.name, read.value)
}

async function validateConfig(invocation: Invocation): Promise<number> {
  const { agent, out } = invocation
  const read = await readChange(invocation)
  if (read.kind === 'failed') return read.exit
  const call = { method: 'POST', path: `${path}/validate`, body: { [read.name]: read.value } } as const
  const asked = await ask(agent, call, anything)
  if (asked.kind !== 'answer') return failUnanswered(out, agent, asked)
  if (!out.json) out.line(`${read.name} would be ${showValue(read.value)}.`)
  return 0
}

type ChangeRead =
  | { readonly kind: 'change'; readonly name: string; readonly value: ConfigurationValue }
  | { readonly kind: 'failed'; readonly exit: number }

/** The value as the setting has it, from the words that were typed. */
async function readChange(invocation: Invocation): Promise<ChangeRead> {
  const { given, agent, out } = invocation
  const [name = '', ...words] = given.arguments
  const failed = (exit: number): ChangeRead => ({ kind: 'failed', exit })
  const asked = await ask(agent, { method: 'GET', path }, configuration)
  if (asked.kind !== 'answer') return failed(failUnanswered(out, agent, asked))
  const kind = asked.value.entries.find((one) => one.name === name)?.kind
  // Settings of single products are not in the list; the agent knows them, and says no to what it does not know.
  if (kind === undefined && !name.includes('/')) return failed(failUnknown(out, name))
  if (kind === 'lines') return { kind: 'change', name, value: words }
  if (kind === 'secret') return readSecret(invocation, name, words)
  const [word, extra] = words
  if (word === undefined) return failed(fail(out, 'usage', `VALUE is missing: ${name} wants one.`))
  if (extra !== undefined) return failed(fail(out, 'usage', `“${extra}” is too much: ${name} wants one VALUE.`))
  return { kind: 'change', name, value: convert(kind, word) }
}

async function readSecret({ io, out }: Invocation, name: string, words: readonly string[]): Promise<ChangeRead> {
  const failed = (exit: number): ChangeRead => ({ kind: 'failed', exit })
  if (words.length > 0)
    return failed(fail(out, 'usage', `${name} is a secret: others could see it in the list of processes.`, valuesHelp))
  if (io.stdin.isTTY) {
    const typed = await askSecret(io, `${name}: `)
    if (typed.kind === 'interrupted') return failed(interrupted)
    return { kind: 'change', name, value: typed.kind === 'typed' ? typed.text : '' }
  }
  const read = await readInput(io, out, '-')
  if (read.kind === 'failed') return failed(read.exit)
  return { kind: 'change', name, value: read.text.replace(/\r?\n$/, '') }
}

const words: Readonly<Record<string, boolean>> = {
  true: true,
  on: true,
  yes: true,
  false: false,
  off: false,
  no: false,
}

/** What can't be converted goes as it is: the agent says what it wants. */
function convert(kind: string | undefined, word: string): ConfigurationValue {
  const isNumber = /^-?\d+(\.\d+)?$/.test(word)
  if (isNumber && kind !== 'text' && kind !== 'choice') return Number(word)
  if (kind === 'switch' || kind === undefined) return words[word.toLowerCase()] ?? word
  return word
}

async function change({ agent, out }: Invocation, name: string, value: ConfigurationValue): Promise<number> {
  const asked = await ask(agent, { method: 'PUT', path, body: { [name]: value } }, configuration)
  if (asked.kind !== 'answer') return failUnanswered(out, agent, asked)
  if (out.json) {
    out.raw(asked.text)
    return 0
  }
  const entry = asked.value.entries.find((one) => one.name === name)
  if (entry === undefined) out.line(`${name} is changed.`)
  else {
    const shown = entry.kind === 'secret' ? 'set' : showValue(entry.value) || 'empty'
    out.line(
      `${name} is ${shown} now (from: ${entry.source}).${entry.restart ? ' It counts from the next start on.' : ''}`,
    )
  }
  return 0
}
