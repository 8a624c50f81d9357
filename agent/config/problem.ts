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
  /** `message` says all that is wrong, `problems` one by one. */
  | { readonly kind: 'wrong'; readonly message: string; readonly problems: readonly string[] }

export function checkValue(name: string, setting: Setting, value: unknown): ValueCheck {
  const shape = checkShape(name, setting, value)
  if (shape.kind === 'wrong') return shape
  const problems = (setting.check?.(shape.value) ?? []).map((problem) => `${name}, ${problem}`)
  return problems.length === 0 ? shape : wrong(problems)
}

/** Without what only people who change the value need to hear. */
export function checkShape(name: string, setting: Setting, value: unknown): ValueCheck {
  const parsed = setting.schema.safeParse(value)
  if (parsed.success) return { kind: 'good', value: parsed.data }
  const item = setting.kind === 'list' ? parsed.error.issues[0]?.path[0] : undefined
  const found =
    typeof item === 'number' && Array.isArray(value)
      ? `has ${showValue(value[item])} as entry ${item + 1}`
      : `is ${showValue(value)}`
  return wrong([`${name} ${found}; it wants ${setting.wanted}`])
}

function wrong(problems: readonly string[]): ValueCheck {
  return { kind: 'wrong', message: problems.join('; '), problems }
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
