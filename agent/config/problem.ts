/**
 * What is wrong with a configuration, said so that a person can put it right: where, what, and what is allowed.
 * Imports kinds and setting only.
 */
import { type SettingValueKind, showValue } from './kinds.ts'
import type { Setting } from './setting.ts'

export interface ConfigurationProblem {
  /** `/etc/leasehold.yaml:3:12` or the name of the environment variable. */
  readonly where: string
  /** The setting's name as it was written. */
  readonly name: string
  /** What is wrong and what is allowed, a sentence. */
  readonly message: string
}

export type ValueCheck =
  | { readonly kind: 'good'; readonly value: SettingValueKind }
  | { readonly kind: 'wrong'; readonly message: string }

export function checkValue(name: string, setting: Setting, value: unknown): ValueCheck {
  const parsed = setting.schema.safeParse(value)
  if (parsed.success) return { kind: 'good', value: parsed.data }
  const lines = wrongLines(setting, value)
  if (lines.length > 0) return { kind: 'wrong', message: `${name} has wrong lines: ${lines.join('; ')}` }
  const item = setting.kind === 'list' ? parsed.error.issues[0]?.path[0] : undefined
  const found =
    typeof item === 'number' && Array.isArray(value)
      ? `has ${showValue(value[item])} as entry ${item + 1}`
      : `is ${showValue(value)}`
  return { kind: 'wrong', message: `${name} ${found}; it wants ${setting.wanted}` }
}

/** As many as people read at a time. */
const mostLines = 20

function wrongLines(setting: Setting, value: unknown): string[] {
  if (!setting.findWrongLines || !Array.isArray(value) || !value.every((line) => typeof line === 'string')) return []
  const wrong = setting.findWrongLines(value)
  const told = wrong.slice(0, mostLines).map(({ line, text, reason }) => `line ${line}, ${showValue(text)}: ${reason}`)
  return wrong.length > mostLines ? [...told, `and ${wrong.length - mostLines} more`] : told
}

/** The configuration can not be used; the message lists every problem with its place. Stops the start. */
export class ConfigurationError extends Error {
  readonly problems: readonly ConfigurationProblem[]

  constructor(problems: readonly ConfigurationProblem[]) {
    super(problems.map((problem) => `${problem.where}: ${problem.message}`).join('\n'))
    this.name = 'ConfigurationError'
    this.problems = problems
  }
}
