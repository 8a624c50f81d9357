/**
 * Words for fields that have a value that can't be used: each says what is wanted.
 * Must not import owners.
 */
import type { z } from 'zod'
import { type Refusal, refuse } from '../errors.ts'
import type { FieldProblem } from './api/shapes.ts'

interface Issue {
  readonly code?: string | undefined
  readonly input?: unknown
  readonly [fact: string]: unknown
}

/** Says what is wanted; schemas that have words of their own go before this. */
export function describeIssue(issue: Issue): string {
  if (issue.code === 'invalid_type')
    return issue.input === undefined
      ? 'is needed'
      : `must be ${kinds[String(issue.expected)] ?? String(issue.expected)}`
  if (issue.code === 'invalid_value' && Array.isArray(issue.values))
    return `must be ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map(String).join(', ')}`
  if (issue.code === 'too_small') return `must ${measure(issue)} at least ${String(issue.minimum)}${unit(issue)}`
  if (issue.code === 'too_big') return `must ${measure(issue)} at most ${String(issue.maximum)}${unit(issue)}`
  if (issue.code === 'unrecognized_keys') return 'is not known here'
  if (issue.code === 'invalid_format' && issue.format === 'datetime')
    return 'must be a time such as 2026-03-01T12:00:00Z'
  return 'has a form that is not taken'
}

const kinds: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'a list',
}

function measure(issue: Issue): string {
  return issue.origin === 'string' || issue.origin === 'array' ? 'have' : 'be'
}

function unit(issue: Issue): string {
  return issue.origin === 'string' ? ' characters' : issue.origin === 'array' ? ' entries' : ''
}

export function refuseFields(error: z.ZodError): Refusal {
  const fields: FieldProblem[] = []
  for (const issue of error.issues) {
    const path = issue.path.map(String)
    if (issue.code === 'unrecognized_keys')
      for (const key of issue.keys)
        fields.push({ field: [...path, key.slice(0, 64)].join('.'), message: issue.message })
    else fields.push({ field: path.join('.'), message: issue.message })
    if (fields.length >= 100) break
  }
  const [one] = fields
  const detail =
    fields.length === 1 && one !== undefined
      ? `${one.field === '' ? 'The body' : one.field} ${one.message}.`
      : `${fields.length} fields have values that can not be used.`
  return refuse('invalid_request', detail, { fields })
}
