/**
 * Turns what a schema finds wrong into sentences for people. Imports nothing of ours.
 */
import type { z } from 'zod'

export interface FieldIssue {
  readonly path: readonly (string | number)[]
  readonly message: string
  /** What is wrong lies between fields; `message` is all there is to say. Else the value itself is not what is wanted. */
  readonly between: boolean
}

type Issue = z.core.$ZodIssue

function steps(path: readonly PropertyKey[]): (string | number)[] {
  return path.map((step) => (typeof step === 'symbol' ? String(step) : step))
}

/** Of the forms that a value may have, the one it comes closest to. */
function closest(branches: readonly (readonly Issue[])[]): readonly Issue[] {
  return branches.reduce((best, branch) => (branch.length < best.length ? branch : best), branches[0] ?? [])
}

function explain(issue: Issue, base: readonly (string | number)[]): FieldIssue[] {
  const path = [...base, ...steps(issue.path)]
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({ path: [...path, key], message: 'there is no such field', between: true }))
  if (issue.code === 'invalid_union' && issue.errors.length > 0)
    return closest(issue.errors).flatMap((inner) => explain(inner, path))
  const message = issue.message.replace(/^Invalid (?:input|option): /, '')
  return [{ path, message, between: issue.code === 'custom' }]
}

export function explainIssues(error: z.core.$ZodError): FieldIssue[] {
  return error.issues.flatMap((issue) => explain(issue, []))
}

/** `products.0.seats: …` */
export function spellIssue(issue: FieldIssue): string {
  return issue.path.length === 0 ? issue.message : `${issue.path.join('.')}: ${issue.message}`
}
