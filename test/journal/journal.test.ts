/**
 * The journal as it is read: pages, filters, and the check that nothing was changed or left out.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { ClassicLevel } from 'classic-level'
import fc from 'fast-check'
import type { JournalEntry } from '../../agent/domain/journal.ts'
import type { JournalFilter, JournalVerdict } from '../../agent/journal.ts'
import { journalKey } from '../../agent/store/keys.ts'
import { LevelStore } from '../../agent/store/level-store.ts'
import { seal, unseal } from '../../agent/store/records.ts'
import { MemoryAgent } from '../helpers/memory-agent.ts'
import { blockOf, TestVendor } from '../licenses/test-vendor.ts'

let workshop = ''
let folders = 0

test.before(async () => {
  workshop = await mkdtemp(join(tmpdir(), 'leasehold-journal-'))
})
test.after.always(() => rm(workshop, { recursive: true, force: true }))

/** An agent on a disk of its own, with some entries of several types and people. */
async function busyAgent(folder: string): Promise<MemoryAgent> {
  const agent = await MemoryAgent.start({ store: new LevelStore({ folder }) })
  await agent.install(blockOf(new TestVendor('acme').license({ products: [{ name: 'cad', seats: 2 }] })))
  for (const account of ['ana', 'ben', 'eva']) {
    const opened = await agent.open({ user: { account, email: `${account}@example.org` }, host: 'WS-17' })
    if (opened.kind === 'opened') await agent.close(opened.session)
  }
  await agent.seat()
  await agent.seat()
  await agent.open({ user: { account: 'zoe' } })
  return agent
}

/** Changes an entry on disk while no agent runs, with a right checksum, as somebody who knows the store would. */
async function tamper(folder: string, sequence: number, change: (entry: JournalEntry) => JournalEntry | undefined) {
  const db = new ClassicLevel(join(folder, 'store'))
  const key = journalKey(sequence)
  const json = unseal(key, (await db.get(key)) ?? '')?.json
  if (json === undefined) throw new Error(`no entry ${sequence}`)
  const changed = change(JSON.parse(json))
  if (changed === undefined) await db.del(key)
  else await db.put(key, seal(key, JSON.stringify(changed)).text)
  await db.close()
}

/** What the check says after entry `sequence` was changed. */
async function verdictAfter(sequence: number, change: (entry: JournalEntry) => JournalEntry | undefined) {
  const folder = join(workshop, String(++folders))
  const agent = await busyAgent(folder)
  await agent.stop()
  await tamper(folder, sequence, change)
  await agent.restart()
  const verdict = await agent.parts.journal.verify()
  await agent.stop()
  return verdict
}

async function collect(agent: MemoryAgent, filter: JournalFilter, limit = 1_000): Promise<number[]> {
  const found: number[] = []
  for await (const entry of agent.parts.journal.read(filter, limit)) found.push(entry.sequence)
  return found
}

test('an untouched journal is verified from its beginning to its head, also while it grows and after restarts', async (t) => {
  const agent = await busyAgent(join(workshop, String(++folders)))
  const { head } = agent.parts.writer
  t.deepEqual(await agent.parts.journal.verify(), { kind: 'good', entries: head.sequence, head: head.hash })
  const [verdict] = await Promise.all([agent.parts.journal.verify(), agent.open(), agent.open(), agent.look()])
  t.is(verdict.kind, 'good')
  await agent.reboot()
  const after: JournalVerdict = await agent.parts.journal.verify()
  t.true(after.kind === 'good' && after.entries > head.sequence)
  await agent.stop()
})

test('an entry that was changed is found and named, whatever of it was changed', async (t) => {
  const changes: ((entry: JournalEntry) => JournalEntry)[] = [
    (entry) => ({ ...entry, facts: { ...entry.facts, seats: 99 } }),
    (entry) => ({ ...entry, at: entry.at + 1 }),
    (entry) => ({ ...entry, type: 'session.refused' }),
    (entry) => ({ ...entry, instance: 'another' }),
    (entry) => ({ ...entry, hash: `${entry.hash.slice(1)}A` }),
  ]
  for (const change of changes)
    t.like(await verdictAfter(5, change), { kind: 'broken', sequence: 5, reason: 'altered' })
  const renamed = await verdictAfter(3, (entry) => ({
    ...entry,
    personal: { ...entry.personal, hash: entry.personal?.hash ?? '', texts: { account: 'somebody else' } },
  }))
  t.like(renamed, { kind: 'broken', sequence: 3 })
})

test('personal texts that were changed are told from those that were forgotten, which leave the chain whole', async (t) => {
  const hasPerson = ({ personal }: JournalEntry) => personal?.texts !== undefined
  const agent = await busyAgent(join(workshop, String(++folders)))
  const entry = (await agent.entries()).find(hasPerson)
  await agent.stop()
  const sequence = entry?.sequence ?? 0
  t.is(entry?.personal?.texts?.account, 'ana')
  const forgotten = await verdictAfter(sequence, ({ personal, ...rest }) => ({
    ...rest,
    personal: { hash: personal?.hash ?? '' },
  }))
  t.is(forgotten.kind, 'good')
  const changed = await verdictAfter(sequence, ({ personal, ...rest }) => ({
    ...rest,
    personal: { hash: '', ...personal, texts: { ...personal?.texts, account: 'eva' } },
  }))
  t.deepEqual(changed, { kind: 'broken', sequence, reason: 'personal_altered' })
})

test('an entry that was left out is found and named', async (t) => {
  t.like(await verdictAfter(4, () => undefined), { kind: 'broken', sequence: 4, reason: 'Journal entry 4 is missing.' })
})

test('an entry whose bytes were changed is found and named', async (t) => {
  const folder = join(workshop, String(++folders))
  const agent = await busyAgent(folder)
  await agent.stop()
  const db = new ClassicLevel(join(folder, 'store'))
  const text = (await db.get(journalKey(6))) ?? ''
  await db.put(journalKey(6), text.replace('"seats":1', '"seats":7'))
  await db.close()
  await agent.restart()
  t.deepEqual(await agent.parts.journal.verify(), {
    kind: 'broken',
    sequence: 6,
    reason: 'Journal entry 6 is damaged.',
  })
  await agent.stop()
})

test('an entry that is no entry any more is found and named, and breaks nothing else', async (t) => {
  const verdict = await verdictAfter(5, (entry) => ({ ...entry, facts: 'none' as never }))
  t.like(verdict, { kind: 'broken', sequence: 5 })
})

test('entries are read by type, by range, in both orders and as many as wanted', async (t) => {
  const agent = await busyAgent(join(workshop, String(++folders)))
  const all = await agent.entries()
  const of = (wanted: (entry: JournalEntry) => boolean) => all.filter(wanted).map((entry) => entry.sequence)
  t.deepEqual(
    await collect(agent, { order: 'oldest-first' }),
    of(() => true),
  )
  t.deepEqual(await collect(agent, { order: 'newest-first' }), of(() => true).reverse())
  const opened = of(({ type }) => type === 'session.opened')
  t.is(opened.length, 5)
  t.deepEqual(await collect(agent, { order: 'oldest-first', type: 'session.opened' }), opened)
  t.deepEqual(await collect(agent, { order: 'newest-first', type: 'session.opened' }, 2), opened.reverse().slice(0, 2))
  t.deepEqual(
    await collect(agent, { order: 'oldest-first', type: 'session' }),
    of(({ type }) => type.startsWith('session.')),
  )
  t.deepEqual(await collect(agent, { order: 'oldest-first', type: 'sess' }), [])
  t.deepEqual(await collect(agent, { order: 'oldest-first', from: 3, to: 5 }), [3, 4, 5])
  t.deepEqual(await collect(agent, { order: 'newest-first', from: 3, to: 5 }, 1), [5])
  t.deepEqual(await collect(agent, { order: 'newest-first', from: 10_000 }), [])
  const refused = (await agent.entries('session.refused'))[0]
  t.like(refused, { facts: { product: 'acme/cad', code: 'no_seats' }, personal: { texts: { account: 'zoe' } } })
  await agent.stop()
})

test('what is counted is what is read, for every filter', async (t) => {
  const agent = await busyAgent(join(workshop, String(++folders)))
  const last = agent.parts.writer.head.sequence
  const sequence = fc.option(fc.integer({ min: 1, max: last + 3 }), { nil: undefined })
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        type: fc.constantFrom(undefined, 'session', 'session.opened', 'license', 'none'),
        from: sequence,
        to: sequence,
        order: fc.constantFrom('newest-first' as const, 'oldest-first' as const),
      }),
      async (filter) => (await collect(agent, filter)).length === (await agent.parts.journal.count(filter)),
    ),
    { numRuns: 60 },
  )
  await agent.stop()
  t.pass()
})
