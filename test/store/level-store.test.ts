/**
 * Opening a store on disk: the folder, the lock, rights, the start counter, migrations, the ballast.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { emptyHead } from '../../agent/domain/journal.ts'
import { readGrantRecord } from '../../agent/grant-records.ts'
import { Ballast } from '../../agent/store/ballast.ts'
import { toStoreError } from '../../agent/store/failures.ts'
import { LevelStore } from '../../agent/store/level-store.ts'
import type { Migration } from '../../agent/store/migrations.ts'
import { seal, unseal } from '../../agent/store/records.ts'
import { Tallies } from '../../agent/store/state-record.ts'
import { testNeeding } from '../helpers/needing.ts'
import { rejectsWith } from './contract.ts'
import { Hand, instance, journalAll, loadAll, put, remove } from './hand.ts'

let workshop = ''
test.before(async () => {
  workshop = await mkdtemp(join(tmpdir(), 'leasehold-level-'))
})
test.after.always(() => rm(workshop, { recursive: true, force: true }))

let folders = 0
function newFolder(): string {
  folders += 1
  return join(workshop, `folder-${folders}`)
}

const childPath = fileURLToPath(new URL('./child.js', import.meta.url))

const children: ChildProcess[] = []
test.after.always(() => {
  for (const child of children) child.kill()
})

async function holdInChild(
  folder: string,
  options: { uid?: number } = {},
): Promise<{ child: ChildProcess; says: string }> {
  const child = spawn(process.execPath, [childPath, 'hold', folder], { stdio: ['pipe', 'pipe', 'inherit'], ...options })
  children.push(child)
  const lines = createInterface({ input: child.stdout })
  const [says] = await once(lines, 'line')
  return { child, says: String(says) }
}

async function letGo(child: ChildProcess): Promise<void> {
  const exited = child.exitCode === null ? once(child, 'exit') : undefined
  child.stdin?.end()
  await exited
}

test('a second process is told that the store is in use, and gets it when the first lets go', async (t) => {
  const folder = newFolder()
  const { child, says } = await holdInChild(folder)
  t.is(says, 'open')
  const store = new LevelStore({ folder })
  await rejectsWith(t, 'locked', store.open(), /another Leasehold agent has this store open/)
  await letGo(child)
  t.is((await store.open()).startCounter, 2)
  await store.close()
})

test('the folder is made with those above it, for the owner alone', async (t) => {
  const folder = join(newFolder(), 'var', 'lib')
  const store = new LevelStore({ folder, ballast: new Ballast(join(folder, 'ballast'), { roomBytes: 0, bytes: 100 }) })
  await store.open()
  const rights = async (...names: string[]) => (await stat(join(folder, ...names))).mode & 0o777
  if (process.platform !== 'win32') {
    t.is(await rights('..'), 0o700)
    t.is(await rights(), 0o700)
    t.is(await rights('store'), 0o700)
    for (const name of ['store.head', 'store.marker', 'ballast']) t.is(await rights(name), 0o600, name)
    for (const name of await readdir(join(folder, 'store'))) t.is(await rights('store', name), 0o600, name)
  }
  await store.close()
})

test('a path that can be no folder is refused by name, and at once', async (t) => {
  const file = newFolder()
  await writeFile(file, '')
  await rejectsWith(t, 'failed', new LevelStore({ folder: file }).open(), /is not a folder/)
  await rejectsWith(t, 'failed', new LevelStore({ folder: join(file, 'below') }).open(), /ENOTDIR/)
  if (process.platform === 'linux') {
    // Where `mkdir` with `recursive` never comes back
    const error = await t.throwsAsync(new LevelStore({ folder: '/proc/leasehold/data' }).open())
    t.regex(error?.message ?? '', /\/proc\/leasehold/)
  }
})

const root = process.getuid?.() === 0
testNeeding(root, 'root, to become another user')('a folder in which we may not write is refused', async (t) => {
  await chmod(workshop, 0o755)
  const folder = newFolder()
  await mkdir(folder, { mode: 0o755 })
  const { child, says } = await holdInChild(folder, { uid: 65534 })
  t.regex(says, /^not_permitted: /)
  await letGo(child)
  const closed = await holdInChild(join(folder, 'new'), { uid: 65534 })
  t.regex(closed.says, /^not_permitted: /)
  await letGo(closed.child)
})

test('a first start that was cut off before the store was whole is a first start again', async (t) => {
  for (const missing of [['store.marker'], ['store.marker', 'store.head']]) {
    const folder = newFolder()
    const store = new LevelStore({ folder })
    await store.open()
    await store.close()
    for (const name of missing) await rm(join(folder, name))
    t.deepEqual(await store.open(), { revision: 0, head: emptyHead, startCounter: 2 })
    await store.close()
  }
  const folder = newFolder()
  await mkdir(join(folder, 'store'), { recursive: true })
  await writeFile(join(folder, 'store', 'MANIFEST-000001'), '')
  const store = new LevelStore({ folder })
  t.is((await store.open()).startCounter, 1)
  await store.close()
})

test('a store whose head file and marker are gone is not taken for a new one', async (t) => {
  const folder = newFolder()
  const store = new LevelStore({ folder })
  const hand = new Hand(store, await store.open())
  await hand.commit([put('one', 1)])
  await store.close()
  await rm(join(folder, 'store.head'))
  await rm(join(folder, 'store.marker'))
  await rejectsWith(t, 'damaged', store.open(), /store\.head is missing/)
})

test('a second store in the same process is refused and does not take the lock away', async (t) => {
  const folder = newFolder()
  const store = new LevelStore({ folder })
  await store.open()
  await rejectsWith(
    t,
    'locked',
    new LevelStore({ folder: join(folder, '..', basename(folder)) }).open(),
    /open already/,
  )
  const { child, says } = await holdInChild(folder)
  t.regex(says, /^locked: /)
  await letGo(child)
  await store.close()
})

test('one batch at a time: a second one is refused and the first goes on', async (t) => {
  const store = new LevelStore({ folder: newFolder() })
  const hand = new Hand(store, await store.open())
  const first = hand.commit([put('one', 1)])
  await rejectsWith(t, 'failed', hand.commit([put('two', 2)]), /being written/)
  await first
  t.is((await loadAll(store)).length, 1)
  await store.close()
})

test('closing waits for the batch that is being written', async (t) => {
  const store = new LevelStore({ folder: newFolder() })
  const hand = new Hand(store, await store.open())
  const writing = hand.commit([put('one', 1)], 1)
  await store.close()
  await writing
  t.is((await store.open()).revision, 1)
  await store.close()
})

const upper: Migration = {
  does: 'writes names in capitals',
  change: (record) => ({ ...record, value: String(record.value).toUpperCase() }),
}
const tidy: Migration = {
  does: 'drops pending records and renames grants',
  change: (record) => (record.kind === 'pending' ? undefined : { ...record, key: `${record.key}-2` }),
}

test('an older schema goes through every step once, in one batch with the start', async (t) => {
  const folder = newFolder()
  const old = new LevelStore({ folder, migrations: [] })
  const hand = new Hand(old, await old.open())
  await hand.commit([put('a', 'ana'), put('b', 'bob'), put('p', 'x', 'pending')], 2)
  await old.close()
  const entries = 2

  for (const [steps, startCounter] of [
    [[upper, tidy], 2],
    [[upper, tidy], 3],
  ] as const) {
    const store = new LevelStore({ folder, migrations: steps })
    t.deepEqual(await store.open(), { revision: 1, head: hand.head, startCounter })
    const found = (await loadAll(store)).map(({ kind, key, value }) => [kind, key, value])
    t.deepEqual(found, [
      ['grant', 'a-2', 'ANA'],
      ['grant', 'b-2', 'BOB'],
    ])
    t.is((await journalAll(store)).length, entries)
    await store.close()
  }
  await rejectsWith(t, 'newer_schema', new LevelStore({ folder, migrations: [upper] }).open(), /schema 3.* up to 2/)
  await rejectsWith(t, 'newer_schema', old.open(), /schema 3.* up to 1/)
})

test('R15: what a store of schema 1 knows of ended sessions is known as the grant that they were', async (t) => {
  const folder = newFolder()
  const old = new LevelStore({ folder, migrations: [] })
  const overlap = { supplies: ['L1/cad'], seats: 1, until: 1_764_000_000_000 }
  await new Hand(old, await old.open()).commit([
    put('ana', { reason: 'released' }, 'tombstone'),
    put('ben', { reason: 'disconnected', overlap }, 'tombstone'),
    put('eva', { seats: 1 }),
  ])
  await old.close()
  const store = new LevelStore({ folder })
  const hand = new Hand(store, await store.open())
  const [ana, ben, eva] = await loadAll(store)
  if (ana === undefined || ben === undefined || eva === undefined) throw new Error('there are three records')
  t.deepEqual(readGrantRecord(ana), { kind: 'tombstone', tombstone: { id: 'ana', instance, reason: 'released' } })
  t.deepEqual(readGrantRecord(ben), {
    kind: 'tombstone',
    tombstone: { id: 'ben', instance, reason: 'disconnected', overlap },
  })
  t.deepEqual(eva.value, { seats: 1 })
  await hand.commit([remove('ana'), put('eva', { ended: 'released' })])
  await hand.reopen()
  t.deepEqual(
    (await loadAll(store)).map((record) => readGrantRecord(record).kind),
    ['tombstone', 'tombstone'],
  )
  await store.close()
})

test('a migration that fails leaves the store as it was', async (t) => {
  const folder = newFolder()
  const old = new LevelStore({ folder, migrations: [] })
  const hand = new Hand(old, await old.open())
  await hand.commit([put('a', 'ana'), put('b', 'bob')])
  const before = await loadAll(old)
  await old.close()
  const thrower: Migration = {
    does: 'fails',
    change: (record) => {
      if (record.key === 'b') throw new Error('no way for b')
      return record
    },
  }
  const merger: Migration = { does: 'makes one of two', change: (record) => ({ ...record, key: 'same' }) }
  await rejectsWith(t, 'failed', new LevelStore({ folder, migrations: [thrower] }).open(), /no way for b/)
  await rejectsWith(t, 'failed', new LevelStore({ folder, migrations: [merger] }).open(), /Two records would become/)
  t.is((await old.open()).startCounter, 2)
  t.deepEqual(await loadAll(old), before)
  await old.close()
})

test('R1: the ballast is really written, held, freed and made again only where there is room', async (t) => {
  const folder = newFolder()
  await mkdir(folder)
  const path = join(folder, 'ballast')
  const ballast = new Ballast(path, { bytes: 3_000_000, roomBytes: 4_000_000 })
  t.false(ballast.held)
  t.is(await ballast.restore(), 'made')
  t.true(ballast.held)
  const { size, blocks } = await stat(path)
  t.is(size, 3_000_000)
  t.true(blocks * 512 >= size)
  t.is(await ballast.restore(), 'held')
  await truncate(path, 1_000_000)
  t.is(await ballast.restore(), 'made')
  t.is((await stat(path)).size, 3_000_000)
  t.true(await ballast.free())
  t.false(ballast.held)
  t.false(await ballast.free())
  const greedy = new Ballast(path, { roomBytes: Number.MAX_SAFE_INTEGER })
  t.is(await greedy.restore(), 'no_room')
  t.false(greedy.held)
  t.deepEqual(await readdir(folder), [])
})

test('a failure gets its code from what LevelDB or the system said', (t) => {
  const level = (code: string, message: string) =>
    Object.assign(new Error('Database failed to open', { cause: Object.assign(new Error(message), { code }) }), {
      code: 'LEVEL_DATABASE_NOT_OPEN',
    })
  const cases = [
    [level('LEVEL_IO_ERROR', 'IO error: /d/000005.log: No space left on device'), 'disk_full'],
    [level('LEVEL_IO_ERROR', 'IO error: /d/000005.log: Disk quota exceeded'), 'disk_full'],
    [level('LEVEL_IO_ERROR', 'IO error: /d/LOCK: Permission denied'), 'not_permitted'],
    [level('LEVEL_IO_ERROR', 'IO error: /d/000005.ldb: Input/output error'), 'failed'],
    [level('LEVEL_IO_ERROR', 'IO error: /d/MANIFEST-000004: No such file or directory'), 'damaged'],
    [level('LEVEL_LOCKED', 'IO error: lock /d/LOCK: already held by process'), 'locked'],
    [level('LEVEL_CORRUPTION', 'Corruption: 1 missing files'), 'damaged'],
    [Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' }), 'disk_full'],
    [Object.assign(new Error('EROFS'), { code: 'EROFS' }), 'not_permitted'],
    [new Error('no such file'), 'failed'],
    ['a text', 'failed'],
  ] as const
  for (const [error, code] of cases) {
    const failure = toStoreError(error, 'Doing')
    t.is(failure.code, code, failure.message)
    t.is(toStoreError(failure, 'Again'), failure)
  }
})

test('R8: the checksum of a value covers its key, and the sums of a kind do not cancel out', (t) => {
  const { text, checksum } = seal('key', '{"a":1}')
  t.deepEqual(unseal('key', text), { json: '{"a":1}', checksum })
  t.is(unseal('kez', text), undefined)
  t.is(unseal('key', text.replace('1', '2')), undefined)
  t.is(unseal('key', ''), undefined)

  const made = (...values: string[]) => {
    const tallies = new Tallies()
    for (const [index, value] of values.entries())
      tallies.add('grant', seal(`key-${index}`, `{"until":${value}}`).checksum)
    return tallies
  }
  // The same two bits turned in both records: their checksums change by the same bits
  t.is(made('1000', '1000').difference(made('1000', '1000')), undefined)
  t.regex(made('1000', '1000').difference(made('2000', '2000')) ?? '', /older form/)
  const emptied = made('1')
  emptied.remove('grant', seal('key-0', '{"until":1}').checksum)
  t.is(new Tallies().difference(emptied), undefined)
  t.is(new Tallies(made('7', '8').toRecord()).difference(made('7', '8')), undefined)
})

test('R8: grants replaced and deleted after loading keep the sums right, and a batch decided before loading too', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'leasehold-store-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  for (let round = 0; round < 3; round += 1) {
    const store = new LevelStore({ folder })
    const hand = new Hand(store, await store.open())
    if (round !== 1) await loadAll(store)
    await hand.commit([put('stays', round, 'grant'), put(`of ${round}`, round, 'grant')])
    await loadAll(store)
    await hand.commit([put('stays', `again ${round}`, 'grant'), put('short', 1, 'tombstone')])
    await hand.commit([remove('short', 'tombstone')])
    await hand.commit([put('short', 2, 'tombstone')])
    await hand.commit([remove('short', 'tombstone')])
    await store.close()
  }
  const store = new LevelStore({ folder })
  await store.open()
  const kept = (await loadAll(store)).map((one) => [one.key, one.value])
  t.deepEqual(kept, [
    ['of 0', 0],
    ['of 1', 1],
    ['of 2', 2],
    ['stays', 'again 2'],
  ])
  await store.close()
})
