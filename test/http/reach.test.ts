import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import type { NetworkInterfaceInfo } from 'node:os'
import os from 'node:os'
import path from 'node:path'
import test from 'ava'
import { Configuration } from '../../agent/config/configuration.ts'
import type { SettingValueKind } from '../../agent/config/kinds.ts'
import { Health } from '../../agent/health.ts'
import { listAddresses } from '../../agent/http/adapters.ts'
import type { Reached, Wanted } from '../../agent/http/listener.ts'
import { applyProxies, createProxyList } from '../../agent/http/proxies.ts'
import { Reach } from '../../agent/http/reach.ts'
import type { RequestView } from '../../agent/http/request-view.ts'
import { Certificates } from '../../agent/peers/certificate.ts'
import { ManualClock } from '../helpers/manual-clock.ts'
import { ManualWrites } from '../helpers/manual-writes.ts'
import { waitFor } from '../helpers/wait-for.ts'

const ipv4 = { netmask: '', mac: '', internal: false, cidr: null, family: 'IPv4' as const }
const ipv6 = { netmask: '', mac: '', internal: false, cidr: null, family: 'IPv6' as const, scopeid: 0 }
const adapters: NodeJS.Dict<NetworkInterfaceInfo[]> = {
  lo: [
    { ...ipv4, address: '127.0.0.1', internal: true },
    { ...ipv6, address: '::1', internal: true },
  ],
  eth0: [
    { ...ipv4, address: '192.0.2.2' },
    { ...ipv6, address: 'fd00::2' },
    { ...ipv6, address: 'fe80::1', scopeid: 2 },
  ],
  wlan0: [{ ...ipv4, address: '198.51.100.7' }],
}

test('adapters are named by name or address, and none means all of them', (t) => {
  t.deepEqual(listAddresses([], adapters), ['192.0.2.2', 'fd00::2', 'fe80::1%eth0', '198.51.100.7'])
  t.deepEqual(listAddresses(['wlan0'], adapters), ['198.51.100.7'])
  t.deepEqual(listAddresses(['192.0.2.2', 'fe80::1'], adapters), ['192.0.2.2', 'fe80::1%eth0'])
  t.deepEqual(listAddresses(['fe80::1%eth0', '127.0.0.9'], adapters), ['fe80::1%eth0', '127.0.0.9'])
  t.deepEqual(listAddresses(['eth7', '203.0.113.1'], adapters), [])
})

function stand(file: Readonly<Record<string, SettingValueKind>> = {}) {
  const clock = new ManualClock(Date.UTC(2026, 10, 1))
  const writes = new ManualWrites()
  const health = new Health(clock)
  const fixed = { environment: new Map(), file: new Map(Object.entries(file)), fileName: 'file' }
  const configuration = new Configuration({ fixed, writes, onTrouble: () => undefined })
  writes.load(configuration)
  const folder = mkdtempSync(path.join(os.tmpdir(), 'leasehold-reach-'))
  const files = { certificate: path.join(folder, 'crt'), key: path.join(folder, 'key') }
  const certificates = new Certificates({
    clock,
    files,
    named: () => ({ certificate: '', key: '' }),
    names: () => reach.names(),
    onTrouble: () => undefined,
  })
  const wanted: Wanted[] = []
  const found = { adapters, password: false, taken: '' }
  const reach: Reach = new Reach({
    listener: {
      follow: async (one): Promise<Reached> => {
        wanted.push(one)
        const failed = one.addresses.filter((address) => address === found.taken)
        return {
          addresses: one.addresses.filter((address) => address !== found.taken),
          proxy: one.proxy,
          failed: failed.map((place) => ({ place, code: 'EADDRINUSE' })),
        }
      },
    },
    configuration,
    administrator: { hasPassword: () => found.password },
    certificates,
    adapters: () => found.adapters,
    hostName: 'ws-17.corp.example',
    agentId: 'agent-id',
    port: () => 1947,
    timers: clock,
    health,
    writes,
    onTrouble: (error) => {
      throw error
    },
  })
  const last = () => wanted.at(-1)?.addresses
  return {
    clock,
    writes,
    health,
    configuration,
    certificates,
    reach,
    found,
    last,
    wanted,
    files,
    end: () => rmSync(folder, { recursive: true }),
  }
}

const all = ['192.0.2.2', 'fd00::2', 'fe80::1%eth0', '198.51.100.7']

test('the agent listens on loopback only until serving or remote administration is on, and follows both at once', async (t) => {
  const { reach, configuration, found, last, certificates, writes, health, clock, end } = stand()
  const stop = reach.start()
  await reach.look()
  t.deepEqual(last(), [])
  t.is(certificates.current, undefined)
  t.deepEqual(reach.state(), { remote: false, serving: false, addresses: [], proxy: undefined, fingerprint: undefined })
  await configuration.change({ 'serving.access': 'approved' }, 'ana')
  await reach.look()
  t.deepEqual(last(), all)
  t.like(reach.state(), {
    remote: false,
    serving: true,
    addresses: ['192.0.2.2:1947', '[fd00::2]:1947', '[fe80::1%eth0]:1947', '198.51.100.7:1947'],
  })
  t.is(reach.state().fingerprint, certificates.current?.fingerprint)
  t.deepEqual(
    health.list().map(({ code }) => code),
    ['remote_reach'],
  )
  await configuration.change({ 'network.listen': ['wlan0'] }, 'ana')
  await reach.look()
  t.deepEqual(last(), ['198.51.100.7'])
  // adapters come and go
  found.adapters = { ...adapters, wlan0: [{ ...ipv4, address: '198.51.100.8' }] }
  await clock.run(5_000)
  await reach.look()
  t.deepEqual(last(), ['198.51.100.8'])
  await configuration.change({ 'serving.access': null, 'network.listen': null }, 'ana')
  await reach.look()
  t.deepEqual(last(), [])
  t.deepEqual(health.list(), [])
  // without a password nobody could sign in
  await configuration.change({ 'ui.remote': true }, 'ana')
  await reach.look()
  t.deepEqual(last(), [])
  t.false(reach.outside().remote)
  found.password = true
  await reach.look()
  t.deepEqual(last(), ['192.0.2.2', 'fd00::2', 'fe80::1%eth0', '198.51.100.8'])
  t.true(reach.outside().remote)
  t.deepEqual(
    writes.journal
      .filter(({ type }) => type === 'agent.reach_changed')
      .map(({ facts }) => [facts.remote, facts.serving]),
    [
      [false, true],
      [false, false],
      [true, false],
    ],
  )
  stop()
  t.is(clock.waiting, 0)
  end()
})

test('an address that another program has is a problem that is told and goes away', async (t) => {
  const { reach, found, health, clock, end } = stand({ 'serving.access': 'rules' })
  found.taken = 'fd00::2'
  await reach.look()
  clock.advance(60_000)
  t.true(health.list().some(({ code, text }) => code === 'not_listening' && text.includes('fd00::2')))
  found.taken = ''
  await reach.look()
  t.false(health.list().some(({ code }) => code === 'not_listening'))
  end()
})

test('own names are the host name, its short form, its .local name, the agent’s id, and those that are set', async (t) => {
  const { reach, configuration, end } = stand()
  const stop = reach.start()
  const names = ['ws-17.corp.example', 'ws-17', 'ws-17.local', 'agent-id.local']
  t.deepEqual([...reach.outside().names], names)
  await configuration.change({ 'network.names': ['License.Example'], 'network.proxies': ['10.0.0.0/8'] }, 'ana')
  t.deepEqual([...reach.outside().names], [...names, 'license.example'])
  t.true(reach.outside().isProxy('10.1.2.3'))
  t.true(reach.names().includes('License.Example'))
  stop()
  await reach.look()
  end()
})

test('names that are set are in the certificate at once', async (t) => {
  const { reach, configuration, certificates, end } = stand()
  await certificates.get()
  const stop = reach.start()
  await configuration.change({ 'serving.access': 'rules', 'network.names': ['License.Example'] }, 'ana')
  await waitFor('the certificate', () => {
    const { certificate } = certificates.current ?? {}
    return certificate && new X509Certificate(certificate).checkHost('license.example')
  })
  const { fingerprint } = reach.state()
  t.is(fingerprint, certificates.current?.fingerprint)
  await reach.look()
  t.is(reach.state().fingerprint, fingerprint)
  stop()
  end()
})

test('reach is switched on at the machine itself, and only once a password is set', async (t) => {
  const { reach, found, configuration, end } = stand()
  const on = [{ 'ui.remote': true }, { 'serving.access': 'approved' }, { 'serving.access': 'rules', 'ui.remote': true }]
  for (const patch of on) {
    t.is((await reach.check(patch, 'loopback'))?.code, 'password_needed')
    found.password = true
    t.is(await reach.check(patch, 'loopback'), undefined)
    for (const channel of ['tls', 'proxy'] as const) {
      const refused = await reach.check(patch, channel)
      t.is(refused?.code, 'loopback_only')
      const fields = (refused?.facts?.fields ?? []) as readonly { readonly field: string }[]
      t.deepEqual(fields.map(({ field }) => field).sort(), Object.keys(patch).sort())
    }
    found.password = false
  }
  for (const patch of [
    { 'ui.remote': false },
    { 'serving.access': 'none' },
    { 'ui.remote': null },
    { 'agent.name': 'x' },
  ])
    for (const channel of ['loopback', 'tls'] as const) t.is(await reach.check(patch, channel), undefined)
  // what is on may stay on, and be narrowed from elsewhere
  await configuration.change({ 'serving.access': 'rules' }, 'ana')
  t.is(await reach.check({ 'serving.access': 'approved' }, 'tls'), undefined)
  end()
})

test('a certificate is named together with its key, and both can be used', async (t) => {
  const { reach, certificates, files, end } = stand()
  await certificates.get()
  const check = (certificate: string | undefined, key: string | undefined) =>
    reach.check(
      {
        ...(certificate === undefined ? {} : { 'network.tls.certificate': certificate }),
        ...(key === undefined ? {} : { 'network.tls.key': key }),
      },
      'loopback',
    )
  t.is(await check(files.certificate, files.key), undefined)
  t.is(await check('', ''), undefined)
  for (const [certificate, key] of [
    [files.certificate, undefined],
    [undefined, files.key],
    [files.key, files.certificate],
    ['/nowhere/crt', files.key],
  ] as const) {
    const refused = await check(certificate, key)
    t.is(refused?.code, 'invalid_request')
    t.true(Array.isArray(refused?.facts?.fields))
  }
  end()
})

const view: RequestView = {
  channel: 'proxy',
  method: 'GET',
  url: '/',
  headers: {},
  rawHeaders: [],
  httpVersion: '1.1',
  localAddress: '127.0.0.1',
  remoteAddress: '127.0.0.1',
}

test('proxies are believed about where a request comes from as far as they are on the list', (t) => {
  const isProxy = createProxyList(['10.0.0.0/8', '2001:db8::1', 'nonsense', '1.2.3.4/99', '::/x'])
  const client = (forwarded: string | undefined, changes: Partial<RequestView> = {}) =>
    applyProxies(
      { ...view, ...changes, headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded } },
      isProxy,
    ).remoteAddress
  t.is(client(undefined), '127.0.0.1')
  t.is(client('203.0.113.9'), '203.0.113.9')
  // who is not on the list may have made up what stands left of it
  t.is(client('192.0.2.1, 203.0.113.9'), '203.0.113.9')
  t.is(client('192.0.2.1, 203.0.113.9, 10.9.9.9'), '203.0.113.9')
  t.is(client('192.0.2.1, 2001:db8::1'), '192.0.2.1')
  t.is(client('unknown'), '127.0.0.1')
  t.is(client('203.0.113.9, unknown'), '127.0.0.1')
  const tls = { channel: 'tls', remoteAddress: '192.0.2.5' } as const
  t.is(client('203.0.113.9', tls), '192.0.2.5')
  t.is(client('203.0.113.9', { ...tls, remoteAddress: '::ffff:10.1.1.1' }), '203.0.113.9')
  for (const text of ['', 'localhost', '999.1.1.1', '10.0.0.0/8']) t.false(isProxy(text), text)
})
