/**
 * Rules tried out: on somebody who might ask, and on the requests of the last days.
 * Must not import owners.
 */
import type { Refusal } from '../../errors.ts'
import { ok } from '../reply.ts'
import { defineRoute, documentBody, type Route } from '../route.ts'
import { checkRulesExample } from './access-examples.ts'
import { type CheckedRules, type CheckRules, checkedRules, checkRules } from './access-shapes.ts'

export interface RulesParts {
  /** Refused: `invalid_request` with the fact `fields`, where rules can not be read. */
  check(
    wish: CheckRules,
    closed: () => AbortSignal,
  ): Promise<{ readonly kind: 'checked'; readonly answer: CheckedRules } | Refusal>
}

export function ruleRoutes(parts: RulesParts): Route[] {
  return [
    defineRoute({
      method: 'POST',
      path: '/api/v1/rules/check',
      guard: 'administrator',
      operation: 'checkRules',
      summary: 'Say whether somebody would be allowed, and what changed rules would have done',
      description:
        'With `subject`: whether that one would get a seat by the rules, and which rule decides. With `dryRun`: which requests of the last days would have come out differently, by the journal. Both by the rules in force, or by those in `rules`. Nothing is changed. The grammar is in docs/access-rules.md; wrong lines are named by line and column.',
      example: checkRulesExample,
      body: checkRules,
      bodyLimit: documentBody,
      answers: { 200: { description: 'What the rules say', schema: checkedRules } },
      async handle({ body, closed }) {
        const outcome = await parts.check(body, closed)
        return outcome.kind === 'refused' ? outcome : ok(outcome.answer)
      },
    }),
  ]
}
