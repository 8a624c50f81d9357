/**
 * The network of the agent in memory: other agents, the search, leases, rules, the two switches, places it listens on.
 * Whatever is done is remembered in `done`.
 */
import { refuse } from '../../../agent/errors.ts'
import type { SearchState } from '../../../agent/http/api/manager-shapes.ts'
import type {
  AccessPart,
  HeldLease,
  KnownAgent,
  LeasesPart,
  ManagersPart,
  NetworkPart,
  Reach,
  RecentClient,
  RuleWish,
  SearchPart,
  ServicePart,
  ServingPart,
} from '../../../agent/http/ui/network-parts.ts'
import type { ImportPart } from '../../../agent/http/ui/parts.ts'
import { imported, makeAgents, makeLease, makeRecent, makeSearch, makeTest } from './sample-agents.ts'
import { at, hostile, minute, type Size } from './sample-data.ts'

export interface SampleNetwork {
  readonly agents: KnownAgent[]
  search: SearchState | undefined
  readonly leases: HeldLease[]
  readonly recent: RecentClient[]
  readonly reach: Reach[]
  readonly serving: { handingOut: boolean; running: boolean; ending: number }
  restored: boolean
  off: boolean
  proxySet: boolean
}

export interface NetworkPartsOf {
  readonly network: SampleNetwork
  readonly parts: {
    readonly managers: ManagersPart
    readonly search: SearchPart
    readonly leases: LeasesPart
    readonly serving: ServingPart
    readonly service: ServicePart
    readonly access: AccessPart
    readonly network: NetworkPart
    readonly import: ImportPart
  }
}

export function createNetwork(size: Size, done: string[]): NetworkPartsOf {
  const network: SampleNetwork = {
    agents: makeAgents(size),
    search: makeSearch(size),
    leases:
      size === 'empty'
        ? []
        : [makeLease({ id: 'lease-1' }), makeLease({ id: 'lease-2', reachable: false, aloneUntil: at(4 * minute) })],
    recent: makeRecent(size),
    reach: [],
    serving: { handingOut: true, running: true, ending: 0 },
    restored: false,
    off: false,
    proxySet: false,
  }
  /** Sessions that live on leases, in the sample of sessions. */
  const leased = new Map([
    ['s0001-2f9b1c7d', network.leases[0]],
    ['s0003-2f9b1c7d', network.leases[1]],
  ])
  return {
    network,
    parts: {
      managers: {
        list: () => network.agents,
        judge: async (id, approval) => {
          const place = network.agents.findIndex((agent) => agent.id === id)
          const agent = network.agents[place]
          if (agent === undefined) return refuse('not_found', 'It is forgotten.')
          network.agents[place] = { ...agent, approval, actions: ['forget'] }
          done.push(`${approval} ${id}`)
          return { kind: 'judged' }
        },
        forget: async (id) => {
          network.agents.splice(
            network.agents.findIndex((agent) => agent.id === id),
            1,
          )
          done.push(`forgot ${id}`)
          return { kind: 'forgotten' }
        },
        test: async (address) => {
          done.push(`tested ${address}`)
          if (address.includes(' ')) return refuse('invalid_request', 'One parameter is wanted, without spaces.')
          return { kind: 'tested', ...makeTest(address) }
        },
        isRestored: () => network.restored,
        confirmRestored: async () => {
          network.restored = false
          done.push('confirmed')
        },
      },
      search: {
        isOff: () => network.off,
        last: () => network.search,
        start: () => {
          network.search = {
            id: 'search-2',
            state: 'running',
            startedAt: at(0),
            tried: 0,
            found: 0,
            steps: [],
            notes: [],
          }
          done.push('searched')
          return network.search
        },
      },
      leases: { inUse: () => network.leases, behind: (session) => leased.get(session) },
      serving: {
        view: () => {
          const { handingOut, running, ending } = network.serving
          const state = running ? (handingOut ? 'open' : 'handing_out_disabled') : 'serving_stopped'
          const used = size === 'empty' ? 0 : 5
          const agents = size === 'empty' ? 0 : 2
          return { state, handingOut, running, agents, users: used, sessions: used, seats: used, ending }
        },
        change: async (order) => {
          Object.assign(network.serving, order)
          if (order.running === false) network.serving.ending = size === 'empty' ? 0 : 5
          done.push(`serving ${JSON.stringify(order)}`)
          return { kind: 'changed' }
        },
      },
      service: {
        view: () => ({
          startedAt: at(-90 * minute),
          process: 4711,
          installed: true,
          listening: [
            { address: '127.0.0.1:1947', audiences: ['machine'] },
            { address: '[::1]:1947', audiences: ['machine'] },
            { address: '192.168.1.5:1947', audiences: ['agents', 'people'] },
          ],
          others: ['mDNS 5353/udp'],
        }),
        log: (limit) =>
          size === 'empty'
            ? []
            : (size === 'hostile' ? [...hostile] : ['seat given', 'a lease was not renewed'])
                .slice(0, limit)
                .map((event, place) => ({
                  at: at(-place * 1000),
                  level: place === 1 ? 'warn' : 'info',
                  event,
                  facts: place === 1 ? '{"manager":"LICENSES","lease":"lease-2"}' : '',
                })),
      },
      access: createAccess(network, done, size),
      network: {
        reach: () => network.reach,
        adapters: () => [
          { name: 'eth0', addresses: ['192.168.1.5', 'fe80::5'] },
          { name: size === 'hostile' ? hostile[4] : 'wlan0', addresses: ['10.0.0.9'] },
        ],
        certificate: () =>
          size === 'empty'
            ? undefined
            : {
                fingerprint: Array.from({ length: 32 }, () => 'A7').join(':'),
                source: 'own',
                endsAt: at(700 * 1440 * minute),
              },
        testProxy: async (address) => {
          done.push(`tested the proxy ${address ?? ''}`)
          if (!network.proxySet) return refuse('invalid_request', 'No proxy is set.')
          const steps = [
            { step: 'connect', outcome: 'good', detail: 'proxy.example.com:3128 answers.' },
            { step: 'login', outcome: 'failed', detail: 'It asks for another password (407).' },
          ] as const
          if (address === undefined) return { kind: 'tested', test: { way: 'proxy', good: false, steps } }
          return { kind: 'tested', test: { way: 'straight', good: true, steps: steps.slice(0, 1) } }
        },
      },
      import: {
        read: async (text, apply) => {
          if (!text.includes('[SERVER]'))
            return refuse('invalid_request', 'There is nothing in it that stands in a hasplm.ini.')
          if (apply) done.push('imported')
          return { kind: 'imported', imported: { ...imported, applied: apply } }
        },
      },
    },
  }
}

function createAccess(network: SampleNetwork, done: string[], size: Size): AccessPart {
  const findWrong = ({ rules }: RuleWish) => {
    const fields = (['machines', 'users'] as const).flatMap((list) =>
      (rules[list] ?? []).flatMap((rule, place) =>
        /^(allow|deny)=/.test(rule)
          ? []
          : [{ field: `rules.${list}`, message: `line ${place + 1}, column 1: expected allow= or deny=` }],
      ),
    )
    return fields.length === 0 ? undefined : refuse('invalid_request', 'Rules are wrong.', { fields })
  }
  return {
    recent: () => network.recent,
    check: async (wish) => {
      const wrong = findWrong(wish)
      if (wrong !== undefined) return wrong
      done.push(`checked ${JSON.stringify(wish)}`)
      const list = wish.rules.machines === undefined ? 'users' : 'machines'
      const rules = wish.rules[list] ?? []
      const line = rules.findIndex((rule) => rule.startsWith('deny='))
      const rule = rules[line]
      if (wish.dryRun) {
        const found = {
          product: 'acme/cad',
          user: { account: size === 'hostile' ? hostile[0] : 'bo' },
          host: 'WS-18',
          times: 7,
          lastAt: at(-60 * minute),
          rule,
        }
        const refused = rule === undefined ? { count: 0, examples: [] } : { count: 7, examples: [found] }
        const dryRun = { from: at(-30 * 1440 * minute), requests: 1234, refused, allowed: { count: 0, examples: [] } }
        return { kind: 'checked', answer: { dryRun } }
      }
      const decided = rule === undefined ? {} : { rule, line: line + 1, detail: 'The first rule that fits decides.' }
      const outcome = rule === undefined ? 'allowed' : 'denied'
      return { kind: 'checked', answer: { outcome, verdicts: [{ list, outcome, ...decided }] } }
    },
  }
}
