/**
 * The outgoing proxy: whether it works.
 * Must not import owners.
 */
import type { Refusal } from '../../errors.ts'
import { ok } from '../reply.ts'
import { defineRoute, type Route } from '../route.ts'
import { testProxyExample } from './access-examples.ts'
import { type ProxyTest, proxyTest, testProxy } from './access-shapes.ts'

export interface ProxyParts {
  /** Refused: `proxy_not_configured`; `invalid_request` where the address is none. */
  test(
    address: string | undefined,
    closed: () => AbortSignal,
  ): Promise<{ readonly kind: 'tested'; readonly test: ProxyTest } | Refusal>
}

export function proxyRoutes(parts: ProxyParts): Route[] {
  return [
    defineRoute({
      method: 'POST',
      path: '/api/v1/proxy/test',
      guard: 'administrator',
      operation: 'testProxy',
      summary: 'Try the outgoing proxy',
      description:
        'Makes a connection as the agent would, through the proxy or past it, and closes it again. Without an address it goes as far as the login of the proxy; nobody else hears of it.',
      example: testProxyExample,
      body: testProxy,
      answers: { 200: { description: 'Each step that was taken', schema: proxyTest } },
      errors: ['proxy_not_configured'],
      async handle({ body, closed }) {
        const outcome = await parts.test(body.address, closed)
        return outcome.kind === 'refused' ? outcome : ok(outcome.test)
      },
    }),
  ]
}
