/**
 * Builds and connects what says who may have seats, and the outgoing proxy. Part of the composition root; only `agent.ts`,
 * `agent-api.ts` and tests import it.
 */
import { RuleCheck } from './access-check.ts'
import { DryRun } from './access-dry-run.ts'
import { AccessRules } from './access-rules.ts'
import type { Clock, Timers } from './clock.ts'
import type { Configuration } from './config/configuration.ts'
import { type Refusal, refuse } from './errors.ts'
import type { ProxyTest, RecentClient } from './http/api/access-shapes.ts'
import type { Journal } from './journal.ts'
import { JournalSearch } from './journal-search.ts'
import { OutgoingProxy } from './peers/outgoing-proxy.ts'
import { readPlace } from './peers/peer-connection.ts'
import { systemNetwork } from './peers/proxy-network.ts'
import { type RecentClient as KeptClient, RecentClients } from './recent-clients.ts'
import type { AgentName } from './session-view.ts'
import type { Writer } from './writer.ts'

export interface AccessSurroundings {
  readonly configuration: Configuration
  readonly writer: Writer
  readonly journal: Journal
  readonly clock: Clock
  readonly timers: Timers
  readonly pause: () => Promise<void>
  readonly self: () => AgentName
}

export interface AccessOwners {
  readonly rules: AccessRules
  readonly clients: RecentClients
  readonly ruleCheck: RuleCheck
  readonly proxy: OutgoingProxy
}

/** The caller registers `clients` with the writer, and stops them before the writer. */
export function buildAccess({
  configuration,
  writer,
  journal,
  clock,
  timers,
  pause,
  self,
}: AccessSurroundings): AccessOwners {
  const rules = new AccessRules({ configuration })
  const search = new JournalSearch({ journal, newest: () => writer.head.sequence, pause })
  const dryRun = new DryRun({ search, wall: () => clock.wall(), self })
  return {
    rules,
    clients: new RecentClients({ writes: writer, clock, timers, self }),
    ruleCheck: new RuleCheck({ rules, dryRun, self }),
    proxy: new OutgoingProxy({
      settings: () => ({
        url: configuration.get('network.proxy.url'),
        user: configuration.get('network.proxy.user'),
        passwordFile: configuration.get('network.proxy.passwordFile'),
        except: configuration.get('network.proxy.except'),
      }),
      ...systemNetwork,
      clock,
      timers,
    }),
  }
}

export function clientViews(clients: RecentClients): RecentClient[] {
  return clients.list().map((client) => clientView(client, clients))
}

function clientView(client: KeptClient, clients: RecentClients): RecentClient {
  const { id, agent, address, account, email, host, product, outcome, at } = client
  return {
    id,
    agent: { ...agent },
    ...(address === undefined ? {} : { address }),
    user: { ...(account === undefined ? {} : { account }), ...(email === undefined ? {} : { email }) },
    ...(host === undefined ? {} : { host }),
    product,
    outcome,
    at: new Date(at).toISOString(),
    rules: clients.rulesFor(client).map((rule) => ({ ...rule })),
  }
}

export async function testProxy(
  proxy: OutgoingProxy,
  address: string | undefined,
  closed: () => AbortSignal,
): Promise<{ readonly kind: 'tested'; readonly test: ProxyTest } | Refusal> {
  const target = address === undefined ? undefined : readPlace(address.trim())
  if (address !== undefined && target === undefined) {
    const fields = [{ field: 'address', message: 'must be host:port, such as licenses.example.com:1947' }]
    return refuse('invalid_request', 'The address must be host:port, such as licenses.example.com:1947.', { fields })
  }
  const test = await proxy.test(target, closed())
  if ('kind' in test) return refuse('proxy_not_configured', 'There is no proxy to be tested.')
  return { kind: 'tested', test: { ...test, steps: test.steps.map((step) => ({ ...step })) } }
}
