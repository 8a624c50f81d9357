/**
 * Examples of the calls about rules, recent clients and the outgoing proxy.
 * Must not import anything of ours but shapes, and the agent that all examples are of.
 */
import type { CheckedRules, ProxyTest, RecentClient } from './access-shapes.ts'
import type { List } from './shapes.ts'

const desk = { id: '4c1pQ0nB8kVxw2ZbqkW3mM0c7yXg5dR9tH6sJfLeU1A', name: 'DESK-3' }

const checked: CheckedRules = {
  outcome: 'denied',
  verdicts: [
    {
      list: 'users',
      outcome: 'denied',
      rule: 'deny=bo@desk-*,product:acme/cad',
      line: 1,
      detail: 'The rule “deny=bo@desk-*,product:acme/cad” (line 1 of User Restrictions) refuses this.',
    },
  ],
  dryRun: {
    from: '2026-10-25T08:00:00.000Z',
    until: '2026-11-24T08:00:00.000Z',
    requests: 412,
    complete: true,
    forgotten: 0,
    refused: {
      count: 7,
      examples: [
        {
          product: 'acme/cad',
          user: { account: 'bo' },
          host: 'DESK-3',
          address: '127.0.0.1',
          times: 7,
          lastAt: '2026-11-23T16:20:00.000Z',
          rule: 'deny=bo@desk-*,product:acme/cad',
          line: 1,
        },
      ],
    },
    allowed: { count: 0, examples: [] },
  },
}

const client: RecentClient = {
  id: 'q2J0rLx8cV5nT1yWb7eZ3A',
  agent: desk,
  address: '192.168.7.23',
  user: { account: 'bo' },
  host: 'DESK-3',
  product: 'acme/cad',
  outcome: 'granted',
  at: '2026-11-24T08:02:00.000Z',
  rules: [
    { setting: 'serving.rules', about: 'machine', action: 'deny', text: `deny=agent:${desk.id} # DESK-3` },
    { setting: 'users.rules', about: 'user', action: 'deny', text: 'deny=bo@DESK-3' },
  ],
}

const test: ProxyTest = {
  way: 'proxy',
  good: false,
  steps: [
    { step: 'name', outcome: 'good', detail: 'the name is known' },
    { step: 'connect', outcome: 'good', detail: 'the connection was made' },
    {
      step: 'login',
      outcome: 'failed',
      detail: 'the proxy proxy.example.com:3128 does not take the login of “leasehold” (407)',
    },
  ],
  ms: 38,
}

export const checkRulesExample = {
  body: {
    subject: { user: { account: 'bo' }, host: 'DESK-3', product: 'acme/cad' },
    rules: { users: ['deny=bo@desk-*,product:acme/cad'] },
    dryRun: true,
  },
  answers: { 200: checked },
}
export const listRecentClientsExample = {
  query: { limit: 20 },
  answers: { 200: { items: [client], total: 1 } satisfies List<RecentClient> },
}
export const testProxyExample = { body: { address: 'licenses.example.com:1947' }, answers: { 200: test } }
