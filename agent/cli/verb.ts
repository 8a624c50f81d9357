/**
 * What a verb of the command line is: its words, arguments and options as data, from which parsing, help and
 * docs/command-line.md come, and what it does. Owns nothing.
 */
import type { CallAgent } from '../client/call-agent.ts'
import type { CommandIo } from './io.ts'
import type { Output } from './output.ts'

interface OptionBase {
  /** Without the dashes. */
  readonly name: string
  /** What it does, as a sentence without a full stop. */
  readonly help: string
}

export type Option = OptionBase &
  (
    | { readonly kind: 'switch' }
    /** `value` stands for the value in the help. */
    | { readonly kind: 'text'; readonly value: string; readonly required?: boolean }
    | { readonly kind: 'choice'; readonly choices: readonly string[] }
    | { readonly kind: 'whole'; readonly value: string; readonly min: number; readonly max: number }
  )

export interface Argument {
  /** In capitals, as the help shows it. */
  readonly name: string
  readonly required: boolean
  /** Takes all that is left. */
  readonly many?: boolean
}

export interface Verb {
  /** One or two words. */
  readonly name: string
  /** A shorter name that means the same. */
  readonly alias?: string
  readonly summary: string
  /** More about it, in paragraphs. */
  readonly description?: readonly string[]
  readonly arguments: readonly Argument[]
  readonly options: readonly Option[]
  /** Takes a command after `--`. */
  readonly takesCommand?: boolean
  /** @returns the exit code */
  readonly run: (invocation: Invocation) => Promise<number> | number
}

/** `--wait SECONDS`, as the help shows it. */
export function optionUsage(option: Option): string {
  switch (option.kind) {
    case 'switch':
      return `--${option.name}`
    case 'choice':
      return `--${option.name} ${option.choices.join('|')}`
    case 'text':
    case 'whole':
      return `--${option.name} ${option.value}`
  }
}

function argumentUsage({ name, required, many }: Argument): string {
  const shown = many ? `${name} …` : name
  return required ? shown : `[${shown}]`
}

/** The whole command in one line. */
export function verbUsage(verb: Verb): string {
  const needed = verb.options.filter((option) => option.kind === 'text' && option.required === true)
  return [
    'leasehold',
    verb.name,
    ...verb.arguments.map(argumentUsage),
    ...needed.map(optionUsage),
    '[options]',
    ...(verb.takesCommand ? ['-- COMMAND …'] : []),
  ].join(' ')
}

/** What was typed, checked against the verb. */
export class Given {
  readonly #values: ReadonlyMap<string, string | number | true>
  readonly arguments: readonly string[]
  /** After `--`. */
  readonly command: readonly string[]

  constructor(
    values: ReadonlyMap<string, string | number | true>,
    positionals: readonly string[],
    command: readonly string[],
  ) {
    this.#values = values
    this.arguments = positionals
    this.command = command
  }

  text(name: string): string | undefined {
    const value = this.#values.get(name)
    return typeof value === 'string' ? value : undefined
  }

  whole(name: string): number | undefined {
    const value = this.#values.get(name)
    return typeof value === 'number' ? value : undefined
  }

  on(name: string): boolean {
    return this.#values.has(name)
  }
}

export interface Invocation {
  readonly io: CommandIo
  readonly given: Given
  readonly out: Output
  readonly agent: AgentLink
}

/** The agent of this machine, as this command reaches it. */
export interface AgentLink {
  readonly call: CallAgent
  readonly port: number
  /** Whether the command line's own key is shown, so that no password is asked for. */
  readonly hasKey: boolean
}

const jsonOption: Option = { name: 'json', kind: 'switch', help: 'Print the JSON of the interface' }
const portOption: Option = {
  name: 'port',
  kind: 'whole',
  value: 'PORT',
  min: 1,
  max: 65_535,
  help: 'Port of the agent on this machine',
}
/** Options of every verb that talks to the agent. */
export const agentOptions: readonly Option[] = [jsonOption, portOption]

/** Options of verbs that print a page of a list. */
export const pageOptions: readonly Option[] = [
  {
    name: 'limit',
    kind: 'whole',
    value: 'N',
    min: 1,
    max: 1000,
    help: 'Print at most so many',
  },
  { name: 'cursor', kind: 'text', value: 'CURSOR', help: 'Begin where an earlier answer ended: its “next”' },
]
