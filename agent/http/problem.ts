/**
 * Problem documents (RFC 9457): how a refusal or a failure is told. Words and status come from the one error table.
 * Must not import owners.
 */
import { type ErrorCode, errorTable, LeaseholdError, type Refusal, refuse } from '../errors.ts'
import type { Problem } from './api/shapes.ts'
import type { Reply } from './reply.ts'

export function isRefusal(value: unknown): value is Refusal {
  return typeof value === 'object' && value !== null && (value as { kind?: unknown }).kind === 'refused'
}

export function describeProblem(refusal: Refusal, requestId: string): Problem {
  const { status, title, help } = errorTable[refusal.code]
  const type = `urn:leasehold:problem:${refusal.code}`
  const members = { type, title, status, code: refusal.code, detail: refusal.detail, help, requestId }
  // Said twice so that people read the members first, and facts never take their place.
  return { ...members, ...refusal.facts, ...members }
}

export function problemReply(refusal: Refusal, requestId: string, headers: Record<string, string> = {}): Reply {
  const value = describeProblem(refusal, requestId)
  headers['X-Request-Id'] = requestId
  if (value.status === 401) headers['WWW-Authenticate'] = 'Bearer realm="leasehold"'
  if (typeof value.retryIn === 'number') headers['Retry-After'] = String(Math.ceil(value.retryIn))
  return { status: value.status, headers, content: { kind: 'json', type: 'application/problem+json', value } }
}

/** What should not have happened, as it may be told: a coded error with its facts, anything else without details. */
export function failureOf(error: unknown): Refusal {
  if (error instanceof LeaseholdError) return refuse(error.code, error.message, error.facts)
  return refuse('internal_error', 'The request could not be answered.')
}

/** Whether the log has to keep the error: everything but what is expected to happen. */
export function isUnexpected(error: unknown): boolean {
  const code: ErrorCode = error instanceof LeaseholdError ? error.code : 'internal_error'
  return errorTable[code].status >= 500
}
