import test from 'ava'
import { emptyHead } from '../../agent/domain/journal.ts'
import { LeaseholdError } from '../../agent/errors.ts'
import { MemoryStore } from '../../agent/store/memory-store.ts'
import type { Batch, CommitOutcome, Store, StoredRecord, StoreErrorCode } from '../../agent/store/store.ts'
import { Writer, type WriterState } from '../../agent/writer.ts'
import type { RecordOwner, Transaction } from '../../agent/writes.ts'
import { ManualClock } from '../helpers/manual-clock.ts'
import { waitFor } from '../helpers/wait-for.ts'
import { FailingStore } from '../store/failing-store.ts'

/** An owner of one kind of records, as simple as can be: names with numbers. */
class Numbers implements RecordOwner {
  readonly kinds = ['setting'] as const
  readonly values = new Map<string, number>()
  loads = 0

  reset(): void {
    this.values.clear()
  }

  restore(record: StoredRecord): void {
    this.values.set(record.key, record.value as number)
  }

  ready(): void {
    this.loads += 1
  }

  /** A job. */
  put(key: string, value: number): (transaction: Transaction) => number {
    return (transaction) => {
      transaction.put('setting', key, value)
      transaction.journal({ type: 'setting.changed', facts: { key } })
      transaction.after(() => this.values.set(key, value))
      return value
    }
  }
}

class Disk {
  isFull = false
  held = true
  readonly ballast = {
    free: async (): Promise<void> => {
      this.held = false
    },
    restore: async (): Promise<boolean> => {
      this.held = this.held || !this.isFull
      return this.held
    },
  }
}

interface Bench {
  readonly clock: ManualClock
  readonly store: FailingStore
  readonly disk: Disk
  readonly numbers: Numbers
  readonly writer: Writer
  readonly states: WriterState['kind'][]
}

async function openWriter(
  code: StoreErrorCode = 'failed',
  prepare: (bench: Bench) => void = () => {},
  inner: Store = new MemoryStore(),
): Promise<Bench> {
  const clock = new ManualClock()
  const store = new FailingStore(inner, code)
  const disk = new Disk()
  const numbers = new Numbers()
  const states: WriterState['kind'][] = []
  const writer = new Writer({
    store,
    ballast: disk.ballast,
    clock,
    timers: clock,
    instance: 'agent-1',
    salt: () => 'salt',
    onState: (state) => states.push(state.kind),
  })
  writer.register(numbers)
  const bench = { clock, store, disk, numbers, writer, states }
  prepare(bench)
  await writer.open()
  return bench
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}

const unavailable = { instanceOf: LeaseholdError, code: 'store_unavailable' }

test('R1: after a failed commit nothing in memory is trusted: the writer reopens, loads and probes before it decides', async (t) => {
  for (const [order, kept] of [
    ['before', undefined],
    ['after', 2],
    ['torn', undefined],
  ] as const) {
    const { store, numbers, writer, states } = await openWriter()
    await writer.submit(numbers.put('one', 1))
    store.failCommits(order)
    await t.throwsAsync(writer.submit(numbers.put('two', 2)), unavailable)
    await t.throwsAsync(writer.submit(numbers.put('three', 3)), unavailable, 'nothing is decided meanwhile')
    await turn()
    t.deepEqual(states, ['open', 'recovering', 'open'], order)
    t.is(numbers.loads, 2)
    t.is(numbers.values.get('two'), kept)
    t.is(numbers.values.get('one'), 1)
    const types = []
    for await (const entry of store.journal({ limit: 10, order: 'newest-first' })) types.push(entry.type)
    t.is(types[0], 'agent.store_reopened')
    t.is(await writer.submit(numbers.put('three', 3)), 3)
    t.is(writer.head.sequence, types.length + 1)
  }
})

test('R1: reopening is tried again until it works, and a failed probe counts as a failed write', async (t) => {
  const { clock, store, numbers, writer, states } = await openWriter()
  store.failCommits('before', 'after')
  store.failOpenings('failed', 'locked')
  await t.throwsAsync(writer.submit(numbers.put('one', 1)), unavailable)
  for (let attempt = 0; attempt < 4 && writer.state.kind !== 'open'; attempt++) await clock.run(5_000)
  t.deepEqual(states, ['open', 'recovering', 'recovering', 'recovering', 'recovering', 'open'])
  t.is(await writer.submit(numbers.put('one', 1)), 1)
})

test('R1: on a full disk what gives back passes, what grows is refused, until there is room', async (t) => {
  const { disk, store, numbers, writer, states } = await openWriter('disk_full')
  disk.isFull = true
  store.failCommits('before')
  await t.throwsAsync(writer.submit(numbers.put('one', 1), { growing: true }), unavailable)
  await turn()
  t.deepEqual(states, ['open', 'recovering', 'tight'])
  t.false(disk.held)
  await t.throwsAsync(writer.submit(numbers.put('one', 1), { growing: true }), unavailable)
  t.is(await writer.submit(numbers.put('two', 2)), 2)
  await writer.relax()
  t.is(writer.state.kind, 'tight')
  disk.isFull = false
  await writer.relax()
  t.is(writer.state.kind, 'open')
  t.is(await writer.submit(numbers.put('one', 1), { growing: true }), 1)
})

test('R1: a full disk does not keep the agent from starting', async (t) => {
  const { disk, numbers, writer } = await openWriter('failed', (bench) => {
    bench.disk.isFull = true
    bench.store.failOpenings('disk_full')
  })
  t.false(disk.held)
  t.is(writer.state.kind, 'tight')
  t.is(await writer.submit(numbers.put('one', 1)), 1)
})

test('R1: a ballast that is taken again while a write fails does not open the writer', async (t) => {
  const { disk, store, numbers, writer } = await openWriter('failed', (bench) => {
    bench.disk.isFull = true
    bench.disk.held = false
  })
  t.is(writer.state.kind, 'tight')
  disk.isFull = false
  let take: (isThere: boolean) => void = () => undefined
  disk.ballast.restore = () =>
    new Promise((resolve) => {
      take = resolve
    })
  const relaxing = writer.relax()
  store.failCommits('before')
  store.failOpenings('failed')
  await t.throwsAsync(writer.submit(numbers.put('one', 1)), unavailable)
  take(true)
  await relaxing
  t.is(writer.state.kind, 'recovering')
})

test('R4: answers and effects come after the batch is on disk, in the order of the jobs', async (t) => {
  const { store, writer } = await openWriter()
  const heard: string[] = []
  const job = (name: string) => (transaction: Transaction) => {
    transaction.put('setting', name, 1)
    transaction.after(() => heard.push(`effect ${name}, revision ${writer.revision}`))
    return name
  }
  const before = writer.revision
  await Promise.all(['a', 'b'].map(async (name) => heard.push(`answer ${await writer.submit(job(name))}`)))
  t.deepEqual(heard, [`effect a, revision ${before + 1}`, `effect b, revision ${before + 1}`, 'answer a', 'answer b'])
  t.is(writer.revision, before + 1, 'one batch')
  store.failCommits('after')
  heard.length = 0
  await t.throwsAsync(writer.submit(job('c')), unavailable)
  t.deepEqual(heard, [])
})

test('R4: a job that throws is left out, and the others of its batch are decided without it', async (t) => {
  const { numbers, writer } = await openWriter()
  const answers = await Promise.allSettled([
    writer.submit(numbers.put('one', 1)),
    writer.submit((transaction) => {
      transaction.put('setting', 'bad', 0)
      throw new Error('no')
    }),
    writer.submit(numbers.put('two', 2)),
  ])
  t.deepEqual(
    answers.map((answer) => answer.status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  t.deepEqual(
    [...numbers.values],
    [
      ['one', 1],
      ['two', 2],
    ],
  )
  t.is(writer.head.sequence, 2)
})

test('R4: a batch with nothing to write is answered without a write', async (t) => {
  const { writer } = await openWriter()
  const { revision } = writer
  t.is(await writer.submit(() => 7), 7)
  t.is(writer.revision, revision)
  t.deepEqual(writer.head, emptyHead)
})

test('a mistake in an owner is answered, everything is loaded anew, and the writer goes on', async (t) => {
  const { numbers, writer, states } = await openWriter()
  await t.throwsAsync(
    writer.submit((transaction) => {
      numbers.put('one', 1)(transaction)
      transaction.after(() => {
        throw new Error('a mistake')
      })
    }),
    unavailable,
  )
  await turn()
  t.deepEqual(states, ['open', 'recovering', 'open'])
  t.is(numbers.values.get('one'), 1, 'it was on disk before the mistake')
  t.is(await writer.submit(numbers.put('two', 2)), 2)
})

/** Holds every commit until it is let through, and says how many changes each had. */
class GatedStore extends MemoryStore {
  readonly sizes: number[] = []
  readonly #waiting: (() => void)[] = []

  override async commit(batch: Batch, revision: number): Promise<CommitOutcome> {
    this.sizes.push(batch.changes.length)
    await new Promise<void>((resolve) => this.#waiting.push(resolve))
    return await super.commit(batch, revision)
  }

  letOneThrough(): void {
    this.#waiting.shift()?.()
  }
}

test('of those who ask all the time one half is written while the other waits or is answered, and of few all', async (t) => {
  const store = new GatedStore()
  const { writer, numbers } = await openWriter('failed', () => undefined, store)
  const jobs = Array.from({ length: 61 }, (_, index) => index)
  const answered: number[] = []
  const all = Promise.all(
    jobs.map(async (index) => {
      if (index > 0) await turn() // the first goes alone
      answered.push(await writer.submit(numbers.put(`key-${index}`, index)))
    }),
  )
  for (const size of [1, 31, 29]) {
    await waitFor('the next batch', () => store.sizes.at(-1) === size)
    t.is(answered.length, jobs.length - remaining(store.sizes, jobs.length))
    store.letOneThrough()
  }
  await all
  t.deepEqual(answered, jobs)
  await writer.close()
})

/** How many of `count` are not yet on disk while the last of these batches is being written. */
function remaining(sizes: readonly number[], count: number): number {
  return count - sizes.slice(0, -1).reduce((sum, size) => sum + size, 0)
}

test('closing writes what is queued, and refuses what comes later', async (t) => {
  const { numbers, writer } = await openWriter()
  const last = writer.submit(numbers.put('one', 1))
  await writer.close()
  t.is(await last, 1)
  await t.throwsAsync(writer.submit(numbers.put('two', 2)), unavailable)
})

test('closing while the store is being reopened ends that too', async (t) => {
  const { clock, store, numbers, writer, states } = await openWriter()
  store.failCommits('before')
  store.failOpenings('failed')
  await t.throwsAsync(writer.submit(numbers.put('one', 1)), unavailable)
  await writer.close()
  await clock.run(60_000)
  t.is(states.at(-1), 'closed')
  await t.notThrowsAsync(store.open(), 'nobody holds the store')
})
