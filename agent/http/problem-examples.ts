/**
 * An example of every problem that the interface can tell. Words and status come from the error table; here is what the
 * table does not know: details, and members that some codes have besides.
 * Must not import owners.
 */
import { type ErrorCode, endReasons, errorTable, refuse } from '../errors.ts'
import { exampleExplanation } from './api/session-examples.ts'
import type { Problem } from './api/shapes.ts'
import { describeProblem } from './problem.ts'

interface Case {
  readonly detail: string
  readonly facts?: Readonly<Record<string, unknown>>
}

const cases: Partial<Readonly<Record<ErrorCode, Case>>> = {
  malformed_request: {
    detail: 'The body is not JSON: line 1, column 12: a value is wanted.',
    facts: { line: 1, column: 12 },
  },
  invalid_request: {
    detail: 'user.email must be text.',
    facts: { fields: [{ field: 'user.email', message: 'must be text' }] },
  },
  too_many_requests: { detail: 'Too many attempts failed.', facts: { retryIn: 600 } },
  unknown_product: { detail: 'No license for acme/cad is installed here.' },
  unknown_feature: { detail: 'No license for acme/cad has the feature “rendering”.' },
  no_seats: {
    detail: '5 of 5 seats of acme/cad are in use.',
    facts: { retryIn: 30, explanation: exampleExplanation },
  },
  queue_full: { detail: 'Too many wait for acme/cad.', facts: { retryIn: 30 } },
  session_ended: { detail: 'No heartbeat came in time.', facts: { reason: endReasons[1] } },
  untrusted_vendor: {
    detail: 'The license is of a vendor that this agent has not met.',
    facts: { vendor: 'acme', fingerprint: '8FTRJ-TQ6A5-EQAPQ-Z839J' },
  },
}

export function exampleProblem(code: ErrorCode): Problem {
  const { detail, facts } = cases[code] ?? { detail: `${errorTable[code].title}.` }
  return describeProblem(refuse(code, detail, facts), 'mX3v9k0Qe5yV8uKc2JxT1w')
}
