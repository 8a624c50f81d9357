import test from 'ava'
import type { Evidence } from '../../agent/domain/peer-signature.ts'
import { Health } from '../../agent/health.ts'
import { type Introduction, PeerBook } from '../../agent/peers/peer-book.ts'
import { ManualClock } from '../helpers/manual-clock.ts'
import { ManualWrites } from '../helpers/manual-writes.ts'
import { makeKey } from './peer-agent.ts'

function stand() {
  const clock = new ManualClock()
  const writes = new ManualWrites()
  const health = new Health(clock)
  const changed: string[] = []
  const troubles: unknown[] = []
  const asks = { forApproval: false }
  const book = new PeerBook({
    writes,
    clock,
    timers: clock,
    asksForApproval: () => asks.forApproval,
    health,
    onTrouble: (error) => troubles.push(error),
    onChange: (id) => changed.push(id),
  })
  writes.load(book)
  const key = makeKey()
  const meet = (introduction: Partial<Introduction> = {}) =>
    book.meet({ key: key.jwk, name: 'LICENSE-1', address: '192.0.2.8:1947', ...introduction })
  return { clock, writes, health, changed, troubles, asks, book, key, meet, id: key.id }
}

function evidenceAt(start: string, count: number, revision: number): Evidence {
  return { start, count, revision, time: 0, base: `${start} ${count} ${revision}`, signature: 'signed' }
}

test('an agent is on disk before it counts as met, and is found again with all that is known of it', async (t) => {
  const { book, writes, clock, meet, id, changed } = stand()
  writes.holding = true
  const meeting = meet()
  t.is(book.get(id), undefined)
  writes.commit()
  t.is((await meeting).kind, 'met')
  writes.holding = false
  t.deepEqual(changed, [id])
  t.deepEqual(writes.journal[0], {
    type: 'peer.seen',
    facts: { peer: id, name: 'LICENSE-1', approval: 'known' },
  })
  clock.advance(1000)
  await meet({ name: 'LICENSE-A', address: '192.0.2.9:1947' })
  await meet({ name: 'LICENSE-A', from: '192.0.2.10' })
  book.noteAnswer(id, evidenceAt('start-1', 3, 50))
  await book.flush()
  const before = book.get(id)
  writes.load(book)
  t.deepEqual(book.get(id), before)
  t.like(before, {
    name: 'LICENSE-A',
    addresses: ['192.0.2.8:1947', '192.0.2.9:1947'],
    from: '192.0.2.10',
    approval: 'known',
    lastSeen: clock.wall(),
  })
  t.is(writes.journal.length, 1)
})

test('what is kept in memory is written every minute, and again when that failed', async (t) => {
  const { book, writes, clock, meet, id, troubles } = stand()
  await meet()
  const stop = book.start()
  const stored = () => JSON.stringify(writes.records.get(`peer/${id}`)?.value)
  const first = stored()
  await clock.run(61_000)
  t.is(stored(), first)
  await meet()
  writes.holding = true
  await clock.run(60_000)
  writes.fail()
  await clock.run(1)
  t.is(troubles.length, 1)
  writes.holding = false
  await meet()
  await clock.run(60_000)
  t.not(stored(), first)
  stop()
  t.is(clock.waiting, 0)
})

test('only who asks for seats waits for an approval, and only while approvals are asked for', async (t) => {
  const { book, asks, meet, id } = stand()
  const approvalOf = () => book.get(id)?.approval
  asks.forApproval = true
  await meet()
  t.is(approvalOf(), 'known')
  await meet({ from: '192.0.2.10' })
  t.is(approvalOf(), 'pending')
  await book.approve(id, 'ana')
  await meet({ from: '192.0.2.10' })
  t.is(approvalOf(), 'approved')
  asks.forApproval = false
  const other = makeKey()
  await meet({ key: other.jwk, name: 'WS-1', from: '192.0.2.11' })
  t.is(book.get(other.id)?.approval, 'known')
  t.is((await book.approve('x'.repeat(43), 'ana')).kind, 'refused')
  t.is((await book.forget('x'.repeat(43), 'ana')).kind, 'refused')
})

test('there are never more agents than the limit: those that nobody judged go first, the oldest before the others', async (t) => {
  const { book, clock, meet, changed } = stand()
  const judged = makeKey()
  await meet({ key: judged.jwk, name: 'judged' })
  await book.approve(judged.id, 'ana')
  const keys = Array.from({ length: 10_000 }, makeKey)
  for (const [at, key] of keys.entries()) {
    clock.advance(1)
    await meet({ key: key.jwk, name: `WS-${at}` })
  }
  t.is(book.list().length, 10_000)
  t.is(book.get(keys[0]?.id ?? ''), undefined)
  t.truthy(book.get(keys[1]?.id ?? ''))
  t.truthy(book.get(judged.id))
  t.is(changed.filter((id) => id === keys[0]?.id).length, 2)
})

test('R24: a manager that stands behind what it signed is reported once for each of its starts, and its evidence kept', async (t) => {
  const cases = [
    ['a lower start counter', evidenceAt('start-2', 2, 60)],
    ['the same start counter with another start', evidenceAt('start-x', 3, 60)],
    ['a later start with a lower revision', evidenceAt('start-4', 4, 49)],
  ] as const
  for (const [what, behind] of cases) {
    const { book, writes, health, meet, id } = stand()
    await meet()
    const newest = evidenceAt('start-3', 3, 50)
    t.false(book.noteAnswer(id, evidenceAt('start-3', 3, 49)))
    t.false(book.noteAnswer(id, newest))
    t.is(book.evidenceFor(id), undefined)
    t.true(book.noteAnswer(id, behind), what)
    t.true(book.noteAnswer(id, { ...behind, revision: behind.revision - 1 }), what)
    t.deepEqual(book.evidenceFor(id), newest)
    t.is(writes.journal.filter(({ type }) => type === 'peer.rolled_back').length, 1)
    t.deepEqual(
      health.list().map(({ code, subject }) => [code, subject]),
      [['peer_rolled_back', id]],
    )
    // over a restart of this agent, too
    await book.flush()
    writes.load(book)
    t.deepEqual(book.evidenceFor(id), newest)
    // it has come further than what it signed: nothing contradicts it any more
    t.false(book.noteAnswer(id, evidenceAt('start-9', 9, 51)))
    t.is(book.evidenceFor(id), undefined)
    t.deepEqual(health.list(), [])
  }
})

test('R24: answers of one start that cross each other are no contradiction, ones that stay behind are', async (t) => {
  const { book, clock, meet, id } = stand()
  await meet()
  t.false(book.noteAnswer(id, evidenceAt('start-3', 3, 50)))
  clock.advance(60_000)
  t.false(book.noteAnswer(id, evidenceAt('start-3', 3, 49)))
  clock.advance(1)
  t.true(book.noteAnswer(id, evidenceAt('start-3', 3, 49)))
})

test('the name of an agent that nobody approved is free again after a day without it', async (t) => {
  const { book, clock, meet, id } = stand()
  await meet()
  const second = makeKey()
  clock.advance(24 * 60 * 60_000 - 1)
  t.is((await meet({ key: second.jwk })).kind, 'refused')
  clock.advance(1)
  t.is((await meet({ key: second.jwk })).kind, 'met')
  await book.approve(second.id, 'ana')
  clock.advance(48 * 60 * 60_000)
  t.is((await meet({ key: makeKey().jwk })).kind, 'refused')
  // whoever was refused for good holds no name
  await book.deny(second.id, 'ana')
  t.is((await meet({ key: makeKey().jwk })).kind, 'met')
  t.truthy(book.get(id))
})
