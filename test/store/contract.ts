/**
 * What every store must do, whatever it is kept in. Each implementation runs this suite under its own name.
 */
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { emptyHead } from '../../agent/domain/journal.ts'
import {
  type Batch,
  type JournalQuery,
  type JsonValue,
  recordKinds,
  type Store,
  type StoredRecord,
  StoreError,
  type StoreErrorCode,
} from '../../agent/store/store.ts'
import {
  batchAfter,
  collect,
  entriesAfter,
  Hand,
  instance,
  journalAll,
  loadAll,
  put,
  readForm,
  remove,
} from './hand.ts'

/** A store that is not open yet, and how to throw it away. */
export interface Specimen {
  readonly store: Store
  readonly dispose: () => Promise<void>
}

export async function rejectsWith(
  t: ExecutionContext,
  code: StoreErrorCode,
  action: Promise<unknown>,
  pattern = /./,
): Promise<void> {
  const error = await t.throwsAsync(action, { instanceOf: StoreError, message: pattern })
  t.is(error?.code, code, error?.message)
}

const jsonValue = fc.jsonValue({ noUnicodeString: false }).map((value): JsonValue => JSON.parse(JSON.stringify(value)))
const recordText = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  .filter((text) => !text.includes('\0') && !/\p{Surrogate}/u.test(text))

export function storeContract(name: string, create: () => Promise<Specimen>): void {
  function fact(title: string, check: (t: ExecutionContext, store: Store) => Promise<void>): void {
    test(`${name}: ${title}`, async (t) => {
      const { store, dispose } = await create()
      try {
        await check(t, store)
      } finally {
        await store.close()
        await dispose()
      }
    })
  }

  fact('a new store is empty, at revision 0, and counts its first start', async (t, store) => {
    t.deepEqual(await store.open(), { revision: 0, head: emptyHead, startCounter: 1 })
    t.deepEqual(await loadAll(store), [])
    t.deepEqual(await journalAll(store), [])
  })

  fact('what is committed is there after closing and opening, and each opening counts', async (t, store) => {
    await store.open()
    const hand = new Hand(store)
    await hand.commit([put('one', { seats: 1 }), put('two', ['a', null, true]), put('setting-1', 7, 'setting')], 2)
    await hand.commit([put('one', { seats: 3 }), remove('two')], 1)
    await store.close()
    t.deepEqual(await store.open(), { revision: 2, head: hand.head, startCounter: 2 })
    t.deepEqual(await loadAll(store), [
      { kind: 'grant', instance, key: 'one', value: { seats: 3 } },
      { kind: 'setting', instance, key: 'setting-1', value: 7 },
    ])
    t.deepEqual(await journalAll(store), entriesAfter(emptyHead, 3).map(readForm))
  })

  fact('a batch without changes or entries raises the revision only', async (t, store) => {
    await store.open()
    t.deepEqual(await store.commit(batchAfter(emptyHead, []), 0), { kind: 'committed', revision: 1 })
    t.deepEqual(await loadAll(store), [])
  })

  fact(
    'R8: deleting what is not there changes no count, and one key twice in a batch counts once',
    async (t, store) => {
      await store.open()
      const hand = new Hand(store)
      await hand.commit([remove('never'), put('twice', 1), put('twice', 2), put('gone', 1), remove('gone')])
      await hand.commit([remove('never'), remove('gone'), remove('back'), put('back', 1)])
      await hand.reopen()
      const values = (await loadAll(store)).map(({ key, value }) => [key, value])
      t.deepEqual(values, [
        ['back', 1],
        ['twice', 2],
      ])
    },
  )

  fact('the same key of another kind or instance is another record', async (t, store) => {
    await store.open()
    const other = { kind: 'grant', instance: 'agent-2', key: 'same', value: 2 } as const
    await new Hand(store).commit([put('same', 1), other, put('same', 3, 'tombstone'), remove('same', 'pending')])
    const found = (await loadAll(store)).map((record) => [record.kind, record.instance, record.value])
    t.deepEqual(found, [
      ['grant', 'agent-1', 1],
      ['grant', 'agent-2', 2],
      ['tombstone', 'agent-1', 3],
    ])
  })

  fact('records come in the order of the bytes of kind, instance and key', async (t, store) => {
    await store.open()
    const keys = ['\u{10000}', '\uffff', 'é', 'b', 'ab', 'a b', 'a', 'Z', '10', '9', ' ', '\x01', 'k'.repeat(512)]
    await new Hand(store).commit([...keys.map((key) => put(key, key)), put('a', 1, 'vendor'), put('a', 1, 'floor')])
    const found = await loadAll(store)
    const sorted = keys.map((key) => Buffer.from(key)).sort(Buffer.compare)
    t.deepEqual(
      found.map(({ kind, key }) => `${kind}/${key}`),
      ['floor/a', ...sorted.map((key) => `grant/${key}`), 'vendor/a'],
    )
  })

  fact('a key that could be mistaken for another is refused, and nothing of its batch is written', async (t, store) => {
    await store.open()
    for (const key of ['', 'a\0b', '\ud800', 'k'.repeat(513), 'é'.repeat(257)])
      await rejectsWith(t, 'failed', store.commit(batchAfter(emptyHead, [put('good', 1), put(key, 1)]), 0), /record/)
    await rejectsWith(
      t,
      'failed',
      store.commit(batchAfter(emptyHead, [{ kind: 'grant', instance: '', key: 'a', value: 1 }]), 0),
      /instance/,
    )
    t.deepEqual(await loadAll(store), [])
  })

  fact('a batch decided on another revision is refused and not written', async (t, store) => {
    await store.open()
    await new Hand(store).commit([put('one', 1)])
    for (const revision of [0, 2, -1])
      await rejectsWith(t, 'failed', store.commit(batchAfter(emptyHead, [put('two', 2)]), revision), /revision/)
    t.deepEqual(
      (await loadAll(store)).map(({ key }) => key),
      ['one'],
    )
    t.is((await store.commit(batchAfter(emptyHead, []), 1)).kind, 'committed')
  })

  fact(
    'R34: entries that do not continue the journal, or a head that is not the last of them, are refused',
    async (t, store) => {
      await store.open()
      const hand = new Hand(store)
      await hand.commit([], 2)
      const [third, fourth] = entriesAfter(hand.head, 2)
      if (third === undefined || fourth === undefined) throw new Error('two were made')
      const wrong: Batch[] = [
        { changes: [], entries: [fourth], head: fourth },
        { changes: [], entries: [third], head: hand.head },
        { changes: [], entries: [], head: third },
        { changes: [], entries: [third, third], head: third },
        { changes: [], entries: [{ ...third, hash: 'short' }], head: { sequence: 3, hash: 'short' } },
      ]
      for (const batch of wrong) await rejectsWith(t, 'failed', store.commit(batch, 1))
      t.is((await journalAll(store)).length, 2)
    },
  )

  fact('the journal is read from either end, between two numbers, up to a limit', async (t, store) => {
    await store.open()
    const hand = new Hand(store)
    for (let round = 0; round < 12; round += 1) await hand.commit([], 1)
    const numbers = async (query: Omit<JournalQuery, 'limit'> & { limit?: number }) =>
      (await collect(store.journal({ limit: 100, ...query }))).map(({ sequence }) => sequence)
    t.deepEqual(await numbers({ order: 'newest-first', limit: 3 }), [12, 11, 10])
    t.deepEqual(await numbers({ order: 'oldest-first', limit: 3 }), [1, 2, 3])
    t.deepEqual(await numbers({ order: 'oldest-first', from: 9 }), [9, 10, 11, 12])
    t.deepEqual(await numbers({ order: 'newest-first', to: 2 }), [2, 1])
    t.deepEqual(await numbers({ order: 'newest-first', from: 4, to: 8, limit: 2 }), [8, 7])
    t.deepEqual(await numbers({ order: 'oldest-first', from: 4, to: 8, limit: 2 }), [4, 5])
    t.deepEqual(await numbers({ order: 'oldest-first', from: -5, to: 1_000_000, limit: 1 }), [1])
    t.deepEqual(await numbers({ order: 'oldest-first', from: 13 }), [])
    t.deepEqual(await numbers({ order: 'newest-first', from: 8, to: 4 }), [])
    t.deepEqual(await numbers({ order: 'newest-first', to: 0 }), [])
    t.deepEqual(await numbers({ order: 'newest-first', limit: 0 }), [])
  })

  fact('however many entries a batch has, any part of the journal is read the same', async (t, store) => {
    await store.open()
    const hand = new Hand(store)
    for (const count of [1, 3, 0, 1, 300, 2, 257, 4]) await hand.commit([], count)
    const all = entriesAfter(emptyHead, hand.head.sequence).map(readForm)
    t.is(all.length, 568)
    const number = fc.oneof(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 600 }))
    await fc.assert(
      fc.asyncProperty(
        number,
        number,
        number,
        fc.constantFrom('oldest-first' as const, 'newest-first' as const),
        async (from, to, limit, order) => {
          const wanted = all.filter(({ sequence }) => sequence >= from && sequence <= to)
          if (order === 'newest-first') wanted.reverse()
          t.deepEqual(await collect(store.journal({ from, to, limit, order })), wanted.slice(0, limit))
        },
      ),
      { numRuns: 60 },
    )
  })

  fact('loading shows one revision, even while the next is being written', async (t, store) => {
    await store.open()
    const hand = new Hand(store)
    const numbers = Array.from({ length: 3000 }, (_, index) => String(index).padStart(4, '0'))
    await hand.commit(numbers.map((key) => put(key, 'old')))
    const seen: JsonValue[] = []
    for await (const record of store.load()) {
      if (seen.length === 0) await hand.commit(numbers.map((key) => put(key, 'new')))
      seen.push(record.value)
    }
    t.deepEqual([...new Set(seen)], ['old'])
    const writing = hand.commit(numbers.map((key) => put(key, 'newest')))
    const values = new Set((await loadAll(store)).map(({ value }) => value))
    t.deepEqual([...values], ['newest'])
    await writing
  })

  fact('a loading that is given up midway leaves the store usable', async (t, store) => {
    await store.open()
    await new Hand(store).commit([put('one', 1), put('two', 2)], 2)
    for await (const record of store.load()) if (record.key === 'one') break
    for await (const entry of store.journal({ limit: 2, order: 'oldest-first' })) if (entry.sequence === 1) break
    await store.close()
    t.is((await store.open()).startCounter, 2)
  })

  fact('a value that is changed after it was handed in or out stays as it was stored', async (t, store) => {
    await store.open()
    const value = { seats: [1] }
    await new Hand(store).commit([put('one', value)])
    value.seats.push(2)
    const [record] = await loadAll(store)
    const loaded = record?.value as { seats: number[] }
    loaded.seats.push(3)
    t.deepEqual((await loadAll(store))[0]?.value, { seats: [1] })
  })

  fact('a store that is not open refuses everything, and closing twice is harmless', async (t, store) => {
    await rejectsWith(t, 'failed', loadAll(store), /not open/)
    await rejectsWith(t, 'failed', journalAll(store), /not open/)
    await rejectsWith(t, 'failed', store.commit(batchAfter(emptyHead, []), 0), /not open/)
    await store.close()
    await store.open()
    await rejectsWith(t, 'locked', store.open())
    await store.close()
    await store.close()
    await rejectsWith(t, 'failed', loadAll(store), /not open/)
  })

  test(`${name}: whatever is put, deleted and reopened, the store holds what a map holds`, async (t) => {
    const change = fc.record({
      kind: fc.constantFrom(...recordKinds),
      instance: fc.constantFrom('agent-1', 'agent-2'),
      key: fc.oneof(fc.constantFrom('a', 'b', 'c', 'a/b'), recordText),
      value: fc.option(jsonValue, { nil: undefined, freq: 3 }),
    })
    const step = fc.record({
      changes: fc.array(change, { maxLength: 8 }),
      entries: fc.integer({ min: 0, max: 3 }),
      reopen: fc.boolean(),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
        const { store, dispose } = await create()
        try {
          await store.open()
          const hand = new Hand(store)
          const model = new Map<string, StoredRecord>()
          for (const { changes, entries, reopen } of steps) {
            await hand.commit(changes, entries)
            for (const { value, ...address } of changes) {
              const key = JSON.stringify([address.kind, address.instance, address.key])
              if (value === undefined) model.delete(key)
              else model.set(key, { ...address, value })
            }
            if (reopen) await hand.reopen()
            const found = await loadAll(store)
            const byKey = found.map((record) => [JSON.stringify([record.kind, record.instance, record.key]), record])
            t.deepEqual(Object.fromEntries(byKey), Object.fromEntries(model))
          }
          t.is((await journalAll(store)).length, hand.head.sequence)
        } finally {
          await store.close()
          await dispose()
        }
      }),
      { numRuns: 30 },
    )
  })
}
