/**
 * Checks a change of the configuration by an administrator: names to values, null for "as if never set".
 */
import type { SettingValueKind } from './kinds.ts'
import { explainUnknown, findSetting } from './names.ts'
import { checkValue } from './problem.ts'

export interface FieldError {
  /** The name of the setting. */
  readonly field: string
  /** What is wrong and what is wanted, a sentence. */
  readonly detail: string
}

export type Patch = ReadonlyMap<string, SettingValueKind | null>

export type PatchCheck =
  | { readonly kind: 'good'; readonly patch: Patch }
  | { readonly kind: 'wrong'; readonly errors: readonly FieldError[] }

const mostNames = 1000

/** Every wrong field is listed, not only the first. */
export function checkPatch(patch: unknown): PatchCheck {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch))
    return {
      kind: 'wrong',
      errors: [{ field: '', detail: 'An object with names of settings and their values is wanted' }],
    }
  const entries = Object.entries(patch)
  if (entries.length > mostNames)
    return { kind: 'wrong', errors: [{ field: '', detail: `At most ${mostNames} settings can be changed at a time` }] }
  const values = new Map<string, SettingValueKind | null>()
  const errors: FieldError[] = []
  for (const [name, value] of entries) {
    const setting = findSetting(name)
    if (!setting) errors.push({ field: name, detail: explainUnknown(name) })
    else if (value === null) values.set(name, null)
    else {
      const check = checkValue(name, setting, value)
      if (check.kind === 'good') values.set(name, check.value)
      else errors.push(...check.problems.map((detail) => ({ field: name, detail })))
    }
  }
  return errors.length > 0 ? { kind: 'wrong', errors } : { kind: 'good', patch: values }
}
