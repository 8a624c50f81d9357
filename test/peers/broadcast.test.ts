import { type ChildProcess, execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import { Health } from '../../agent/health.ts'
import { BroadcastFinder, chooseAdapters, isNear } from '../../agent/peers/finders/broadcast.ts'
import type { Hint, Look } from '../../agent/peers/finders/finder.ts'
import { type Multicast, type MulticastParts, readService } from '../../agent/peers/finders/multicast.ts'
import type { Adapter } from '../../agent/peers/prober.ts'
import { ManualClock } from '../helpers/manual-clock.ts'
import { available, makeNamespace, type Namespace } from '../helpers/namespace.ts'
import { testNeeding } from '../helpers/needing.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { idOf } from './neighborhood.ts'

const run = promisify(execFile)
const child = fileURLToPath(new URL('./multicast-child.js', import.meta.url))
const inNamespaces = testNeeding(
  await available(),
  'broadcast search is tried in network namespaces: Linux as root with iproute2',
)
const withAvahi = testNeeding(
  (await available()) && existsSync('/usr/sbin/avahi-daemon') && existsSync('/usr/bin/avahi-browse'),
  'broadcast search is tried against Avahi: sudo scripts/install-test-tools.sh',
)
const patience = 30_000

const lo: Adapter = { name: 'lo', family: 'IPv4', address: '127.0.0.1', prefix: 8, internal: true }
const eth0: Adapter = { name: 'eth0', family: 'IPv4', address: '10.0.0.9', prefix: 24, internal: false }
const eth1: Adapter = { name: 'eth1', family: 'IPv4', address: '10.4.0.9', prefix: 24, internal: false }

class FakeMulticast implements Multicast {
  readonly parts: MulticastParts
  readonly log: string[]

  constructor(parts: MulticastParts, log: string[]) {
    this.parts = parts
    this.log = log
    this.#note('open')
  }

  #note(what: string): void {
    this.log.push(`${what} ${this.parts.address}`)
  }

  browse = () => this.#note('browse')
  endBrowse = () => this.#note('rest')
  announce = (_: string, port: number) => this.#note(`announce ${port}`)
  withdraw = async () => this.#note('goodbye')
  close = async () => this.#note('close')
}

function make(adapters: Adapter[]) {
  const clock = new ManualClock()
  const health = new Health(clock)
  const log: string[] = []
  const sockets: FakeMulticast[] = []
  const hints: Hint[] = []
  const notes: string[] = []
  let loads = 0
  const stopper = new AbortController()
  const finder = new BroadcastFinder({
    load: async () => {
      loads += 1
      return (parts) => {
        const socket = new FakeMulticast(parts, log)
        sockets.push(socket)
        return socket
      }
    },
    adapters: () => adapters,
    timers: clock,
    health,
    self: idOf('self'),
    isOn: () => true,
  })
  const look: Look = {
    signal: stopper.signal,
    hint: (hint) => hints.push(hint),
    tried: () => {},
    note: (text) => notes.push(text),
  }
  const find = async () => {
    const found = finder.find(look)
    await clock.run(1)
    await clock.run(1500)
    await found
  }
  return { clock, health, log, sockets, hints, notes, finder, find, stopper, loads: () => loads }
}

test('it asks on one address of each adapter, and on loopback only where there is nothing else', (t) => {
  const v6: Adapter = { ...eth0, family: 'IPv6', address: 'fd00::9', prefix: 64 }
  t.deepEqual(chooseAdapters([lo, eth0, { ...eth0, address: '10.0.1.9' }, v6, eth1]), [eth0, eth1])
  t.deepEqual(chooseAdapters([lo]), [lo])
  t.deepEqual(chooseAdapters([]), [])
  t.true(isNear('10.0.0.77', [lo, eth0]))
  t.false(isNear('10.0.1.77', [lo, eth0]))
  t.false(isNear('not an address', [lo, eth0]))
})

test('the library is loaded when it is first needed, and nothing is announced while nobody may come', async (t) => {
  const { finder, find, log, loads, hints, sockets, notes, clock } = make([lo, eth0])
  t.is(loads(), 0)
  await find()
  t.is(loads(), 1)
  t.deepEqual(log, ['open 10.0.0.9', 'browse 10.0.0.9', 'browse 10.0.0.9'])
  t.deepEqual(notes, ['Broadcast asks on eth0 (10.0.0.9).'])
  sockets[0]?.parts.onService({ id: idOf('LIC-1'), address: '10.0.0.5', port: 1947 })
  sockets[0]?.parts.onService({ id: idOf('self'), address: '10.0.0.9', port: 1947 })
  t.deepEqual(hints, [{ place: { host: '10.0.0.5', port: 1947 }, foundBy: 'broadcast' }])
  finder.rest()
  await clock.run(2000)
  t.deepEqual(log.slice(3), ['rest 10.0.0.9', 'close 10.0.0.9'])
  t.is(clock.waiting, 0)
})

test('an agent that serves announces itself on every adapter, anew when an address changes, and says goodbye', async (t) => {
  const adapters = [lo, eth0]
  const { finder, log, clock } = make(adapters)
  await finder.announce(1947)
  t.deepEqual(log.splice(0), ['open 10.0.0.9', 'announce 1947 10.0.0.9'])
  adapters.push(eth1)
  await clock.run(10_000)
  t.deepEqual(log.splice(0).sort(), [
    'announce 1947 10.0.0.9',
    'announce 1947 10.4.0.9',
    'goodbye 10.0.0.9',
    'open 10.4.0.9',
  ])
  adapters.splice(1, 1)
  await clock.run(10_000)
  t.deepEqual(log.splice(0).slice(0, 2), ['goodbye 10.0.0.9', 'close 10.0.0.9'])
  await finder.announce(1948)
  t.deepEqual(log.splice(0), ['goodbye 10.4.0.9', 'announce 1948 10.4.0.9'])
  await finder.announce(undefined)
  t.deepEqual(log.splice(0), ['goodbye 10.4.0.9', 'close 10.4.0.9'])
  await finder.announce(1947)
  log.length = 0
  await finder.stop()
  t.deepEqual(log, ['goodbye 10.4.0.9', 'close 10.4.0.9'])
  t.is(clock.waiting, 0)
})

test('a taken UDP port is a notice and nothing more, and is tried again', async (t) => {
  const { find, sockets, health, notes, clock } = make([eth0])
  await find()
  sockets[0]?.parts.onTrouble(Object.assign(new Error('taken'), { code: 'EADDRINUSE' }))
  for (let count = 0; count < 7; count++) {
    await clock.run(10_000)
    sockets.at(-1)?.parts.onTrouble(Object.assign(new Error('taken'), { code: 'EADDRINUSE' }))
  }
  t.is(health.list()[0]?.code, 'broadcast_off')
  t.true(notes.includes('Another program holds UDP port 5353.'))
  t.is(sockets.length, 8)
  await find()
  t.is(health.list().length, 0)
})

test('one machine names at most eight agents, all together five hundred, in one search', async (t) => {
  const { find, sockets, hints } = make([{ ...eth0, prefix: 8 }])
  await find()
  const tell = (address: string, port: number) =>
    sockets[0]?.parts.onService({ id: idOf(`${address}:${port}`), address, port })
  for (let port = 2000; port < 22_000; port++) tell('10.0.0.66', port)
  t.is(hints.length, 8)
  await find()
  hints.length = 0
  for (let index = 0; index < 20_000; index++) tell(`10.7.${Math.floor(index / 256)}.${index % 256}`, 1947)
  t.is(hints.length, 500)
})

test('an announcement counts from where it came, and only as it has to be', (t) => {
  const txt = { id: idOf('LIC-1'), port: '1947', v: '1' }
  const good = { port: 1947, referer: { address: '10.0.0.5' }, txt, addresses: ['10.9.9.9'], host: 'elsewhere.local' }
  t.deepEqual(readService(good), { id: idOf('LIC-1'), address: '10.0.0.5', port: 1947 })
  for (const bad of [
    undefined,
    {},
    { ...good, port: 22, txt: { ...txt, port: '22' } },
    { ...good, port: 1948 },
    { ...good, txt: { ...txt, port: '01947' } },
    { ...good, txt: { ...txt, id: 'x' } },
    { ...good, txt: { ...txt, v: 'new' } },
    { ...good, txt: undefined },
    { ...good, referer: undefined },
    { ...good, referer: { address: 'fe80::1' } },
    { ...good, referer: { address: 'license.example' } },
  ])
    t.is(readService(bad), undefined, JSON.stringify(bad))
})

// ---- on real networks, each test in namespaces of its own

async function connect(one: Namespace, other: Namespace, subnet: string, name: string): Promise<void> {
  await run('ip', [
    'link',
    'add',
    `${name}a`,
    'netns',
    one.name,
    'type',
    'veth',
    'peer',
    'name',
    `${name}b`,
    'netns',
    other.name,
  ])
  for (const [namespace, end, host] of [
    [one, 'a', 1],
    [other, 'b', 2],
  ] as const) {
    const link = `${name}${end}`
    await run('ip', ['-n', namespace.name, 'addr', 'add', `${subnet}.${host}/24`, 'dev', link])
    await run('ip', ['-n', namespace.name, 'link', 'set', link, 'up'])
  }
}

class Search {
  readonly process: ChildProcess
  readonly lines: string[] = []

  constructor(namespace: Namespace, name: string, port = 0) {
    this.process = namespace.spawn(process.execPath, [child, idOf(name), String(port)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    if (this.process.stdout !== null)
      createInterface({ input: this.process.stdout }).on('line', (line) => this.lines.push(line))
  }

  said(part: string): Promise<boolean> {
    return waitFor(
      `${part} in ${JSON.stringify(this.lines)}`,
      () => this.lines.some((line) => line.includes(part)),
      patience,
    )
  }

  async stop(): Promise<void> {
    this.process.kill('SIGTERM')
    await waitFor('the end', () => this.process.exitCode !== null || this.process.signalCode !== null, patience)
  }
}

inNamespaces('a manager on two networks is found on both, at its address there, and ends with a goodbye', async (t) => {
  const [manager, left, right] = [await makeNamespace(), await makeNamespace(), await makeNamespace()]
  t.teardown(() => Promise.all([manager.remove(), left.remove(), right.remove()]))
  await connect(manager, left, '10.77.1', 'mdl')
  await connect(manager, right, '10.77.2', 'mdr')
  const serving = new Search(manager, 'LIC-1', 1950)
  const searches = [new Search(left, 'WS-1'), new Search(right, 'WS-2')]
  t.true(await searches[0]?.said('"host":"10.77.1.1","port":1950'))
  t.true(await searches[1]?.said('"host":"10.77.2.1","port":1950'))
  await serving.said('"looked":true')
  t.false(serving.lines.some((line) => line.includes('"place"')))
  await serving.stop()
  t.true(serving.lines.includes('{"stopped":true}'))
  await Promise.all(searches.map((search) => search.stop()))
})

inNamespaces('a UDP port 5353 that another program holds ends no agent', async (t) => {
  const namespace = await makeNamespace()
  t.teardown(() => namespace.remove())
  const holder = namespace.spawn(
    process.execPath,
    ['-e', "const s=require('dgram').createSocket('udp4');s.bind(5353,()=>console.log('bound'))"],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  let bound = ''
  holder.stdout?.on('data', (piece) => {
    bound += String(piece)
  })
  await waitFor('the holder', () => bound.includes('bound'), patience)
  const search = new Search(namespace, 'WS-1')
  t.true(await search.said('"problem":"broadcast_off","reason":"Another program holds UDP port 5353"'))
  t.is(search.process.exitCode, null)
  holder.kill('SIGKILL')
  await search.stop()
})

/** Sends so many made-up services, a packet each, as fast as it can. */
const flood = `
  const mdns = require('multicast-dns')({ interface: '10.77.4.2', bind: '0.0.0.0' })
  let count = 0
  const next = () => {
    if (count >= 20000) return console.log('sent') || mdns.destroy()
    const id = String(count++).padStart(42, 'x') + 'A'
    const fqdn = 'leasehold-' + id + '._leasehold._tcp.local'
    mdns.respond({ answers: [
      { name: '_leasehold._tcp.local', type: 'PTR', ttl: 4500, data: fqdn },
      { name: fqdn, type: 'SRV', ttl: 120, data: { port: 2000 + count, target: id + '.local' } },
      { name: fqdn, type: 'TXT', ttl: 4500, data: ['id=' + id, 'port=' + (2000 + count), 'v=1'] },
    ] }, next)
  }
  mdns.once('ready', next)`

inNamespaces(
  '20,000 made-up services cost little, name at most eight agents, and hide no real one for long',
  async (t) => {
    const [ours, theirs, other] = [await makeNamespace(), await makeNamespace(), await makeNamespace()]
    t.teardown(() => Promise.all([ours.remove(), theirs.remove(), other.remove()]))
    await connect(ours, theirs, '10.77.4', 'mdf')
    await connect(ours, other, '10.77.5', 'mdo')
    const search = new Search(ours, 'WS-1')
    await search.said('"looked":true')
    await theirs.run(process.execPath, ['-e', flood], patience)
    const real = new Search(other, 'LIC-1', 1950)
    t.true(await search.said('"host":"10.77.5.2","port":1950'))
    const made = search.lines.filter((line) => line.includes('10.77.4.2'))
    t.true(made.length > 0)
    t.true(new Set(made).size <= 8 * 20)
    const { stdout } = await ours.run('cat', [`/proc/${search.process.pid}/stat`])
    const [, , , , , , , , , , , user = '0', system = '0'] = stdout.slice(stdout.lastIndexOf(')') + 1).split(' ')
    const seconds = (Number(user) + Number(system)) / 100
    t.log(`${seconds} s of processor time`)
    t.true(seconds < 10)
    await Promise.all([search.stop(), real.stop()])
  },
)

/** Runs a shell with Avahi in a namespace, its files on a file system of their own. */
function startAvahi(
  namespace: Namespace,
  link: string,
  command: string,
): { readonly process: ChildProcess; text: string } {
  const script = `
    mount -t tmpfs tmpfs /run && mkdir -p /run/dbus /run/avahi-daemon
    printf '[server]\\nallow-interfaces=${link}\\nuse-ipv6=no\\n[wide-area]\\nenable-wide-area=no\\n[publish]\\n' > /run/avahi.conf
    nap() { read -r -t 0.1 < /dev/zero || true; }
    dbus-daemon --system --nofork --nopidfile & while [ ! -S /run/dbus/system_bus_socket ]; do nap; done
    avahi-daemon -f /run/avahi.conf --no-drop-root --no-chroot & while [ ! -S /run/avahi-daemon/socket ]; do nap; done
    while ! avahi-browse -t _nothing._tcp; do nap; done
    ${command}`
  const started = {
    process: namespace.spawn('unshare', ['-m', 'bash', '-c', script], { stdio: ['ignore', 'pipe', 'ignore'] }),
    text: '',
  }
  started.process.stdout?.on('data', (piece) => {
    started.text += String(piece)
  })
  return started
}

withAvahi('Avahi finds an agent with its address, port and id, and is found', async (t) => {
  const [ours, theirs] = [await makeNamespace(), await makeNamespace()]
  t.teardown(() => Promise.all([ours.remove(), theirs.remove()]))
  await connect(ours, theirs, '10.77.3', 'mda')
  const search = new Search(ours, 'LIC-1', 1950)
  const other = idOf('from Avahi')
  const avahi = startAvahi(
    theirs,
    'mdab',
    `avahi-publish -s other _leasehold._tcp 1951 id=${other} port=1951 v=1 & avahi-browse -rp _leasehold._tcp`,
  )
  t.true(await search.said('"host":"10.77.3.2","port":1951'))
  const line = await waitFor(
    'what Avahi found',
    () => avahi.text.split('\n').find((one) => one.startsWith('=') && one.includes(idOf('LIC-1'))),
    patience,
  )
  t.true(line.includes(';10.77.3.1;1950;'), line)
  t.true(line.includes(`"id=${idOf('LIC-1')}"`), line)
  await search.stop()
  await waitFor('the goodbye', () => avahi.text.split('\n').some((one) => one.startsWith('-')), patience)
})
