import test from 'ava'
import { readRules } from '../agent/domain/access/parse.ts'
import { mostClients, RecentClients } from '../agent/recent-clients.ts'
import { ManualClock } from './helpers/manual-clock.ts'
import { ManualWrites } from './helpers/manual-writes.ts'

const agentId = `${'a'.repeat(42)}A`
const otherId = `${'b'.repeat(42)}A`
const day = 86_400_000

function makeClients(writes = new ManualWrites(), clock = new ManualClock()) {
  const clients = new RecentClients({ writes, clock, timers: clock, self: () => ({ id: agentId }) })
  writes.load(clients)
  const note = (account: string, more: Partial<Parameters<RecentClients['note']>[0]> = {}) =>
    clients.note({
      agent: { id: otherId, name: 'ws-17' },
      address: '10.0.0.5',
      account,
      host: 'ws-17',
      product: 'acme/cad',
      outcome: 'granted',
      ...more,
    })
  const stored = () => [...writes.records.values()].map(({ value }) => (value as { account?: string }).account)
  return { clients, note, stored, writes, clock }
}

test('S6: recent clients are who asked and what came of it, the newest first, each once', (t) => {
  const { clients, note, clock } = makeClients()
  note('ana')
  note('bo')
  clock.advance(1000)
  note('ANA', { outcome: 'no_seats', product: 'acme/cam' })
  note('ana', { host: 'ws-18\u0007\u202e' })
  t.deepEqual(
    clients.list().map(({ account, host, outcome, product, at }) => [account, host, outcome, product, at]),
    [
      ['ana', 'ws-18', 'granted', 'acme/cad', clock.wall()],
      ['ANA', 'ws-17', 'no_seats', 'acme/cam', clock.wall()],
      ['bo', 'ws-17', 'granted', 'acme/cad', clock.wall() - 1000],
    ],
  )
})

test('recent clients are written once a minute and not with a request, and are there after a restart', async (t) => {
  const { clients, note, stored, writes, clock } = makeClients()
  let batches = 0
  const counted = writes.submit.bind(writes)
  writes.submit = (decide) => {
    batches += 1
    return counted(decide)
  }
  for (let count = 0; count < 500; count += 1) note(count % 2 === 0 ? 'ana' : 'bo')
  clock.advance(59_000)
  t.is(batches, 0)
  clock.advance(1000)
  t.is(batches, 1)
  await Promise.resolve()
  t.deepEqual(stored().sort(), ['ana', 'bo'])
  clock.advance(3_600_000)
  t.is(batches, 1)
  note('cleo')
  await clients.stop()
  t.is(batches, 2)
  t.deepEqual(
    makeClients(writes, clock)
      .clients.list()
      .map(({ account }) => account),
    ['cleo', 'bo', 'ana'],
  )
})

test('R1: recent clients that could not be written are written later, and are not lost when the records are read anew', async (t) => {
  const { clients, note, stored, writes, clock } = makeClients()
  note('ana')
  await clients.flush()
  note('bo')
  writes.holding = true
  clock.advance(60_000)
  note('cleo')
  writes.fail()
  t.deepEqual(
    clients.list().map(({ account }) => account),
    ['cleo', 'bo', 'ana'],
  )
  t.deepEqual(stored(), ['ana'])
  writes.holding = false
  await new Promise<void>((resolve) => setImmediate(resolve))
  clock.advance(60_000)
  t.deepEqual(stored(), ['ana', 'bo', 'cleo'])
})

test('the hundred newest of thirty days are kept, in memory and in the store', async (t) => {
  const { clients, note, stored, writes, clock } = makeClients()
  for (let count = 0; count < mostClients + 30; count += 1) note(`user${count}`)
  await clients.flush()
  t.is(clients.list().length, mostClients)
  t.is(stored().length, mostClients)
  t.is(clients.list().at(-1)?.account, 'user30')
  note('new')
  await clients.flush()
  t.is(stored().length, mostClients)
  t.false(stored().includes('user30'))
  clock.advance(20 * day)
  note('late')
  clock.advance(11 * day)
  t.deepEqual(
    clients.list().map(({ account }) => account),
    ['late'],
  )
  await clients.flush()
  t.deepEqual(stored(), ['late'])
  writes.records.set('client/x', { kind: 'client', key: 'x', value: { of: 'another version' } })
  const again = makeClients(writes, clock)
  t.is(again.clients.list().length, 1)
  await again.clients.flush()
  t.false(writes.records.has('client/x'))
})

test('S6, S14: each client comes with rules about its machine, address and user that can be taken as they are', (t) => {
  const { clients, note } = makeClients()
  note('ana', { agent: { id: agentId, name: 'here' } })
  note('Ana Ruiz', { email: 'ana@example.com' })
  const [remote, local] = clients.list()
  if (remote === undefined || local === undefined) return t.fail('they are missing')
  t.deepEqual(
    clients.rulesFor(remote).map(({ setting, about, text }) => [setting, about, text]),
    ['allow', 'deny'].flatMap((action) => [
      ['serving.rules', 'machine', `${action}=agent:${otherId} # ws-17`],
      ['serving.rules', 'address', `${action}=10.0.0.5`],
      ['users.rules', 'user', `${action}=ana@example.com`],
    ]),
  )
  t.deepEqual(
    clients.rulesFor(local).map(({ setting, text }) => [setting, text]),
    [
      ['users.rules', 'allow=ana@ws-17'],
      ['users.rules', 'deny=ana@ws-17'],
    ],
  )
  for (const { setting, text } of clients.rulesFor(remote))
    t.deepEqual(readRules(setting === 'serving.rules' ? 'machines' : 'users', [text]).problems, [])
})
