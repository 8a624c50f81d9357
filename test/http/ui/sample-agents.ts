/**
 * Other agents, a search, leases, those who asked lately, an import and settings for the tests of the pages about the network.
 */
import type { ConfigurationEntry, ImportedConfiguration } from '../../../agent/http/api/agent-shapes.ts'
import type { ConnectionReport, SearchState } from '../../../agent/http/api/manager-shapes.ts'
import type { HeldLease, KnownAgent, RecentClient } from '../../../agent/http/ui/network-parts.ts'
import { at, hostile, makeSetting, minute, type Size } from './sample-data.ts'

export const licenseServer = { id: 'agent-lic', name: 'LICENSES' } as const

function makeOffer(product: string, title: string, seats: number, used: number): KnownAgent['offers'][number] {
  const free = seats - used
  return { product, title, seats, used, free, anyProductFree: 0, waiting: 0, features: [], licenses: [], over: [] }
}

export function makeAgent(change: Partial<KnownAgent> & { readonly id: string }): KnownAgent {
  return {
    name: 'LICENSES',
    state: 'reachable',
    detail: '',
    approval: 'known',
    addresses: [
      { address: '10.1.2.3:1947', foundBy: ['broadcast', 'configured'], answeredAt: at(-4000) },
      { address: 'licenses.example.com:1947', foundBy: ['configured'] },
    ],
    foundBy: ['broadcast', 'configured'],
    page: 'https://10.1.2.3:1947/',
    version: '0.1.0',
    latency: 3.2,
    clockDifference: 0.1,
    lastSeenAt: at(-4000),
    offers: [makeOffer('acme/cad', 'Acme CAD', 20, 7), makeOffer('acme/acme-flow', 'Acme Flow', 2, 2)],
    actions: ['forget'],
    ...change,
  }
}

function without<Item extends object>(item: Item, ...names: (keyof Item)[]): Item {
  return Object.fromEntries(Object.entries(item).filter(([name]) => !names.includes(name as keyof Item))) as Item
}

export function makeAgents(size: Size): KnownAgent[] {
  if (size === 'empty') return []
  const asked = { foundBy: ['asked'], offers: [], state: 'asking' } satisfies Partial<KnownAgent>
  const agents = [
    makeAgent({ id: licenseServer.id }),
    makeAgent({
      id: 'agent-branch',
      name: 'BRANCH-2',
      addresses: [{ address: '[fe80::1%eth0]:1947', foundBy: ['gossip'] }],
      foundBy: ['gossip'],
      page: 'https://[fe80::1%eth0]:1947/',
      state: 'unreachable',
      detail: 'Nobody listens at port 1947.',
      clockDifference: -125,
      lastSeenAt: at(-50 * minute),
      offers: [],
      approval: 'approved',
    }),
    without(
      makeAgent({
        ...asked,
        id: 'agent-laptop',
        name: 'LAPTOP-7',
        addresses: [{ address: '10.1.2.77', foundBy: ['asked'] }],
        approval: 'pending',
        clockDifference: 61,
        actions: ['approve', 'forget'],
      }),
      'latency',
      'version',
      'page',
    ),
    without(
      makeAgent({ ...asked, id: 'agent-twin', name: 'TWIN', addresses: [], approval: 'denied', trouble: 'forked' }),
      'latency',
      'version',
      'page',
      'clockDifference',
      'lastSeenAt',
    ),
    makeAgent({ id: 'agent-off', name: 'RESTING', state: 'refusing', code: 'serving_stopped', offers: [] }),
  ]
  if (size === 'full')
    for (let index = 0; index < 60; index += 1)
      agents.push(
        makeAgent({
          id: `agent-${index}`,
          name: `WS-${index}`,
          addresses: [{ address: `10.1.3.${index}:1947`, foundBy: ['sweep'] }],
        }),
      )
  if (size === 'hostile')
    for (const [index, name] of hostile.entries())
      agents.push(
        makeAgent({
          id: `bad-${index}-${name.slice(0, 40)}`,
          name,
          addresses: [{ address: name, foundBy: ['gossip'] }],
          page: name,
          state: 'refusing',
          code: name,
          detail: name,
          version: name,
          approval: 'pending',
          offers: [makeOffer(name, name, 2, 1)],
          actions: ['approve', 'forget'],
        }),
      )
  return agents
}

type SearchStep = SearchState['steps'][number]

export function makeStep(number: number, change: Partial<SearchStep>): SearchStep {
  return {
    number,
    address: '10.1.2.3:1947',
    foundBy: 'broadcast',
    step: 'answer',
    result: 'found',
    detail: '',
    ms: 14,
    addresses: 1,
    ...change,
  }
}

export function makeSearch(size: Size): SearchState | undefined {
  if (size === 'empty') return undefined
  const steps = [
    makeStep(1, { agent: licenseServer }),
    makeStep(2, {
      address: '10.1.2.4:1947',
      foundBy: 'configured',
      step: 'connect',
      result: 'failed',
      detail: 'Nobody listens at port 1947.',
    }),
    makeStep(3, {
      address: 'old.example.com:1947',
      foundBy: 'configured',
      step: 'name',
      result: 'failed',
      detail: 'The name is not known.',
    }),
    makeStep(4, { address: '10.1.2.9:1947', foundBy: 'remembered', step: 'tls', result: 'running' }),
    makeStep(5, {
      address: '10.1.2.10 – 10.1.2.73',
      foundBy: 'sweep',
      step: 'connect',
      result: 'nothing',
      addresses: 64,
    }),
    makeStep(6, { address: '10.1.2.17:1947', result: 'self' }),
  ]
  if (size === 'full')
    for (let number = 7; number < 500; number += 1)
      steps.push(makeStep(number, { address: `10.2.${number >> 8}.${number & 255}:1947`, result: 'failed' }))
  if (size === 'hostile')
    for (const [index, name] of hostile.entries())
      steps.push(makeStep(10 + index, { address: name, detail: name, agent: { id: name, name } }))
  return {
    id: 'search-1',
    state: size === 'full' ? 'running' : 'done',
    startedAt: at(-5000),
    tried: 69,
    found: 1,
    steps,
    notes: ['Broadcast asks on eth0 (192.168.1.5).'],
  }
}

export function makeLease(change: Partial<HeldLease> & { readonly id: string }): HeldLease {
  return { product: 'acme/cad', manager: licenseServer, reachable: true, aloneUntil: at(9 * minute), ...change }
}

export function makeRecent(size: Size): RecentClient[] {
  if (size === 'empty') return []
  const rules = (machine: string, address: string, user: string): RecentClient['rules'] =>
    (['allow', 'deny'] as const).flatMap((action) => [
      ...(machine === ''
        ? []
        : [{ setting: 'serving.rules', about: 'machine', action, text: `${action}=agent:${machine}` } as const]),
      ...(address === ''
        ? []
        : [{ setting: 'serving.rules', about: 'address', action, text: `${action}=${address}` } as const]),
      { setting: 'users.rules', about: 'user', action, text: `${action}=${user}` } as const,
    ])
  const recent: RecentClient[] = [
    {
      id: 'r1',
      agent: { id: 'agent-laptop', name: 'LAPTOP-7' },
      user: { email: 'ana@example.com' },
      host: 'LAPTOP-7',
      address: '10.1.2.77',
      product: 'acme/cad',
      at: at(-3 * minute),
      outcome: 'approval_pending',
      rules: rules('agent-laptop', '10.1.2.77', 'ana@example.com'),
    },
    {
      id: 'r2',
      agent: { id: 'agent-1', name: 'WS-17' },
      user: { account: 'bo' },
      host: 'WS-17',
      product: 'acme/cad',
      at: at(-60 * minute),
      outcome: 'granted',
      rules: rules('', '', 'bo@WS-17'),
    },
  ]
  if (size === 'hostile')
    for (const [index, name] of hostile.entries())
      recent.push({
        id: `bad${index}`,
        agent: { id: name, name },
        user: { account: name },
        host: name,
        address: name,
        product: name,
        at: at(0),
        outcome: name,
        rules: rules(name, name, name),
      })
  return recent
}

export function makeTest(address: string): ConnectionReport {
  if (address.startsWith('nobody'))
    return {
      address,
      reached: false,
      steps: [
        { step: 'name', outcome: 'passed', detail: `${address} is 10.9.9.9.`, ms: 2 },
        {
          step: 'tcp',
          outcome: 'failed',
          detail: 'Nobody listens at port 1947.',
          help: 'See whether that machine is on.',
          ms: 1000,
        },
        { step: 'tls', outcome: 'skipped', detail: '' },
      ],
    }
  const steps = ['name', 'tcp', 'tls', 'identity', 'version', 'latency', 'clock', 'licenses'] as const
  return {
    address,
    reached: true,
    steps: steps.map((step) => ({
      step,
      outcome: 'passed',
      detail: step === 'licenses' ? 'Acme CAD: 13 of 20 free.' : '',
      ms: 3.2,
    })),
    agent: licenseServer,
  }
}

export const imported: ImportedConfiguration = {
  applied: false,
  settings: [
    {
      name: 'agent.name',
      label: 'Machine Name',
      from: '',
      to: hostile[0],
      changes: true,
      lines: [{ line: 2, written: `name = ${hostile[0]}` }],
    },
    {
      name: 'remote.search',
      label: 'Specify Search Parameters',
      from: [],
      to: ['10.24.2.16', '10.24.3.255'],
      changes: true,
      lines: [
        { line: 30, written: 'serveraddr = 10.24.2.16' },
        { line: 31, written: 'serveraddr = 10.24.3.255' },
      ],
    },
    {
      name: 'remote.allow',
      label: 'Allow Access to Remote Licenses',
      from: true,
      to: true,
      changes: false,
      lines: [{ line: 26, written: 'accesstoremote = 1' }],
    },
  ],
  leftOut: [
    { line: 9, written: 'pidfile = 0', reason: 'one_log', text: 'There is one switch here.' },
    {
      line: 40,
      written: 'serveraddr = two words',
      reason: 'value_refused',
      text: 'The setting here does not take the value.',
      detail: 'one parameter per line is wanted',
    },
  ],
}

/** The settings of the pages about the network, as the agent describes them. */
export function makeNetworkSettings(): ConfigurationEntry[] {
  const of =
    (section: string) =>
    (
      name: string,
      kind: ConfigurationEntry['kind'],
      value: ConfigurationEntry['value'],
      more: Partial<ConfigurationEntry> = {},
    ) =>
      makeSetting(name, kind, value, { section, ...more })
  const managers = of('remote-managers')
  const clients = of('remote-clients')
  const detach = of('detachable')
  const net = of('network')
  return [
    managers('remote.allow', 'switch', true, { label: 'Allow Access to Remote Licenses' }),
    managers('remote.broadcast', 'switch', true, { label: 'Broadcast Search for Remote Licenses' }),
    managers('remote.aggressive', 'switch', false, { label: 'Aggressive Search for Remote Licenses' }),
    managers('remote.search', 'lines', ['10.1.2.255', 'licenses.example.com'], {
      label: 'Specify Search Parameters',
      default: [],
      help: 'One per line.',
    }),
    clients('serving.handingOut', 'switch', true, { label: 'License Server Enabled' }),
    clients('serving.access', 'choice', 'none', {
      label: 'Allow Access from Remote Clients',
      choices: ['none', 'approved', 'rules'],
    }),
    clients('serving.rules', 'lines', ['allow=10.1.0.0/16'], { label: 'Access Restrictions' }),
    of('user-restrictions')('users.rules', 'lines', [], { label: 'User Restrictions' }),
    of('user-restrictions')('people.policy', 'choice', 'everyone', { choices: ['everyone', 'listed'] }),
    detach('detach.enabled', 'switch', false, { label: 'Enable Detaching of Licenses' }),
    detach('detach.reservedSeats', 'number', 0, { label: 'Reserved Licenses', unit: 'seats', min: 0, max: 1_000_000 }),
    detach('detach.reservedPercent', 'number', 0, {
      label: 'Reserved Licenses (percentage)',
      unit: '%',
      min: 0,
      max: 100,
    }),
    detach('detach.maxDays', 'number', 14, { label: 'Max. Detach Duration', unit: 'days', min: 1, max: 9999 }),
    net('network.port', 'number', 1947, { label: 'Port', min: 0, max: 65_535, restart: true }),
    net('network.listen', 'lines', [], { label: 'Network Adapters' }),
    net('network.proxyListen', 'text', null, { label: 'Listen for a Reverse Proxy' }),
    net('network.tls.certificate', 'text', null, { label: 'Certificate File' }),
    net('network.proxy.url', 'text', null, { label: 'Outgoing Proxy' }),
  ]
}
