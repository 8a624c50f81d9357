/**
 * Damage to the files of a store: it is refused and named, or everything is there. Never is anything missing or changed.
 */
import { randomBytes } from 'node:crypto'
import { cp, mkdtemp, readdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { ClassicLevel } from 'classic-level'
import { emptyHead, type JournalEntry, type JournalHead } from '../../agent/domain/journal.ts'
import { crc32c } from '../../agent/store/crc32c.ts'
import { readHeadFile } from '../../agent/store/head-file.ts'
import { journalKey, recordKey, stateKey } from '../../agent/store/keys.ts'
import { LevelStore } from '../../agent/store/level-store.ts'
import { seal } from '../../agent/store/records.ts'
import { type StoredRecord, StoreError } from '../../agent/store/store.ts'
import { checkTables, isWholeTable, listTables } from '../../agent/store/table-check.ts'
import { rejectsWith } from './contract.ts'
import { collect, Hand, instance, journalAll, loadAll, put, remove } from './hand.ts'

interface Content {
  readonly records: StoredRecord[]
  readonly entries: JournalEntry[]
}

let workshop = ''
let template = ''
let content: Content

/** Records of which most are rewritten later, so that a lost batch leaves the counts as they were. */
async function fill(hand: Hand, rounds: number): Promise<void> {
  const value = (key: number, round: number) => ({ seats: key, round, note: `${key * 7919}-${'x'.repeat(key % 90)}` })
  for (let round = 0; round < rounds; round += 1) {
    const keys = Array.from({ length: 5 }, (_, index) => (round * 5 + index * 37) % 150)
    await hand.commit(
      [...keys.map((key) => put(`grant-${key}`, value(key, round))), remove(`grant-${(round * 11) % 150}`)],
      1,
    )
  }
}

test.before(async () => {
  workshop = await mkdtemp(join(tmpdir(), 'leasehold-damage-'))
  template = join(workshop, 'template')
  const store = new LevelStore({ folder: template })
  await store.open()
  const hand = new Hand(store)
  await fill(hand, 200)
  await store.close()
  const db = new ClassicLevel(join(template, 'store'))
  await db.compactRange('', '\uffff')
  await db.close()
  await store.open()
  await fill(hand, 200)
  content = { records: await loadAll(store), entries: await journalAll(store) }
  await store.close()
})

test.after.always(() => rm(workshop, { recursive: true, force: true }))

let copies = 0

async function copyTemplate(): Promise<string> {
  copies += 1
  const folder = join(workshop, `copy-${copies}`)
  await cp(template, folder, { recursive: true })
  return folder
}

async function read(folder: string): Promise<Content> {
  const store = new LevelStore({ folder })
  try {
    await store.open()
    return { records: await loadAll(store), entries: await journalAll(store) }
  } finally {
    await store.close()
  }
}

/** Damages a copy. It must be refused by name, twice, or hold everything. Returns the first refusal. */
async function damaged(
  t: ExecutionContext,
  what: string,
  damage: (folder: string) => Promise<void>,
): Promise<StoreError | undefined> {
  const folder = await copyTemplate()
  await damage(folder)
  let refusal: StoreError | undefined
  for (let attempt = 1; attempt <= 2; attempt += 1) {
    try {
      const found = await read(folder)
      if (refusal !== undefined) t.fail(`${what}: refused at first (${refusal.message}), then opened`)
      t.deepEqual(found, content, what)
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      t.is(error.code, 'damaged', `${what}: ${error.message}`)
      refusal ??= error
    }
  }
  await rm(folder, { recursive: true })
  return refusal
}

async function filesOf(folder: string, pattern: RegExp): Promise<string[]> {
  const names = (await readdir(join(folder, 'store'))).filter((name) => pattern.test(name))
  return names.map((name) => join('store', name))
}

async function onlyFile(pattern: RegExp): Promise<{ name: string; size: number }> {
  const sized = await Promise.all(
    (await filesOf(template, pattern)).map(async (name) => ({ name, size: (await stat(join(template, name))).size })),
  )
  const largest = sized.sort((one, other) => other.size - one.size)[0]
  if (largest === undefined) throw new Error(`no file ${pattern}`)
  return largest
}

async function flip(path: string, position: number): Promise<void> {
  const bytes = await readFile(path)
  bytes.writeUInt8(bytes.readUInt8(position) ^ 0x10, position)
  await writeFile(path, bytes)
}

async function flipThrough(t: ExecutionContext, pattern: RegExp, flips: number): Promise<void> {
  const { name, size } = await onlyFile(pattern)
  const refusals: string[] = []
  for (let index = 0; index < flips; index += 1) {
    const position = Math.floor((index * size) / flips)
    const refusal = await damaged(t, `${name} flipped at ${position}`, (folder) => flip(join(folder, name), position))
    if (refusal !== undefined) refusals.push(refusal.message)
  }
  t.log(`${name}: ${size} bytes, ${refusals.length} of ${flips} flips refused, the others changed nothing`)
  t.true(refusals.length > flips / 2)
}

test('R8: a byte flipped anywhere in the log is named at start, or nothing is lost', (t) =>
  flipThrough(t, /\.log$/, 40))

test('R8: a byte flipped anywhere in a table file is named at start, or nothing is lost', (t) =>
  flipThrough(t, /\.ldb$/, 40))

test('R8: the checksums of a table file cover every byte that means something', async (t) => {
  t.is(crc32c(Buffer.from('123456789')), 0xe3069283)
  const folder = join(workshop, 'tables')
  const db = new ClassicLevel(folder)
  // Enough blocks that the list of them is compressed, and values of which some are and some are not
  const value = (index: number) => (index % 500 < 250 ? 'x'.repeat(600) : randomBytes(300).toString('base64'))
  for (let index = 0; index < 3000; index += 1) await db.put(`record-${index}`, value(index))
  await db.compactRange('', '\uffff')
  await db.close()
  const [path = ''] = await listTables(folder)
  await checkTables([path, join(folder, 'deleted-meanwhile.ldb')])
  const file = await readFile(path)
  const footer = file.length - 48
  const positions: number[] = []
  for (let position = 3; position < footer - 2000; position += 4999) positions.push(position)
  for (let position = footer - 2000; position < file.length; position += 3) positions.push(position)
  for (const position of positions) {
    const before = file.readUInt8(position)
    const padding = before === 0 && position >= footer
    file.writeUInt8(before ^ 0x04, position)
    if (!padding) t.false(isWholeTable(file), `at ${position}`)
    file.writeUInt8(before, position)
  }
  t.true(isWholeTable(file))
  for (const length of [0, 7, 47, 48, 1000, file.length - 1]) t.false(isWholeTable(file.subarray(0, length)))
  await truncate(path, footer)
  await rejectsWith(t, 'damaged', checkTables([path]), /table file .*ldb is damaged/)
})

test('R8: a byte flipped anywhere in the head file is named at start', async (t) => {
  for (const position of [0, 5, 15, 23, 40, 57, 63]) {
    const refusal = await damaged(t, `head at ${position}`, (folder) => flip(join(folder, 'store.head'), position))
    t.regex(refusal?.message ?? '', /store\.head is damaged/)
  }
  const path = join(await copyTemplate(), 'store.head')
  for (let position = 0; position < 64; position += 1) {
    await flip(path, position)
    t.is((await readHeadFile(path)).kind, 'torn', `at ${position}`)
    await flip(path, position)
  }
  t.is((await readHeadFile(path)).kind, 'read')
  await truncate(path, 63)
  t.is((await readHeadFile(path)).kind, 'torn')
})

test('R8: a log that ends too early is named by the head file', async (t) => {
  const { name, size } = await onlyFile(/\.log$/)
  for (const length of [size - 1, size - 100, Math.floor(size / 2), 1000, 0]) {
    const refusal = await damaged(t, `log of ${length}`, (folder) => truncate(join(folder, name), length))
    t.regex(refusal?.message ?? '', /has lost changes/)
  }
})

test('R8: garbage behind the log loses nothing', async (t) => {
  const { name } = await onlyFile(/\.log$/)
  for (const garbage of [Buffer.alloc(5000), Buffer.alloc(5000, 'garbage')]) {
    const refusal = await damaged(t, 'garbage', (folder) => writeFile(join(folder, name), garbage, { flag: 'a' }))
    t.is(refusal, undefined)
  }
})

test('R8: a table file that is cut is named at start', async (t) => {
  const { name, size } = await onlyFile(/\.ldb$/)
  for (const length of [size - 1, Math.floor(size / 2), 0])
    t.truthy(await damaged(t, `table of ${length}`, (folder) => truncate(join(folder, name), length)))
})

test('R8: every file that is missing is named at start', async (t) => {
  const names = [...(await filesOf(template, /^(CURRENT|MANIFEST.*|.*\.ldb|.*\.log)$/)), 'store.head', 'store']
  t.true(names.length >= 6)
  for (const name of names) {
    const refusal = await damaged(t, `${name} deleted`, (folder) => rm(join(folder, name), { recursive: true }))
    t.truthy(refusal, `${name} deleted`)
  }
})

test('a refusal over a missing CURRENT leaves the other files alone', async (t) => {
  const folder = await copyTemplate()
  for (const alsoMissing of ['store.marker', 'store.head']) {
    await rename(join(folder, 'store', 'CURRENT'), join(folder, 'aside'))
    const before = await readdir(join(folder, 'store'))
    await t.throwsAsync(read(folder), { code: 'damaged', message: /CURRENT/ })
    t.deepEqual(await readdir(join(folder, 'store')), before)
    await rename(join(folder, 'aside'), join(folder, 'store', 'CURRENT'))
    t.deepEqual(await read(folder), content)
    await rm(join(folder, alsoMissing))
  }
})

test('a missing marker is made again and loses nothing', async (t) => {
  const folder = await copyTemplate()
  await rm(join(folder, 'store.marker'))
  t.deepEqual(await read(folder), content)
  t.true((await readdir(folder)).includes('store.marker'))
})

test('R8: an emptied CURRENT and a flipped MANIFEST are named at start', async (t) => {
  t.truthy(await damaged(t, 'CURRENT', (folder) => writeFile(join(folder, 'store', 'CURRENT'), '')))
  const { name, size } = await onlyFile(/MANIFEST/)
  for (let position = 0; position < size; position += Math.ceil(size / 12))
    await damaged(t, `${name} at ${position}`, (folder) => flip(join(folder, name), position))
})

/** Rewrites what LevelDB holds, as no agent would. */
async function tamper(folder: string, act: (db: ClassicLevel<string, string>) => Promise<void>): Promise<void> {
  const db = new ClassicLevel<string, string>(join(folder, 'store'))
  await act(db)
  await db.close()
}

const grantKey = (key: string) => recordKey({ kind: 'grant', instance, key })

test('R8: each damage is named for what it is', async (t) => {
  const [first] = content.records
  if (first === undefined) throw new Error('the template has records')
  const name = first.key
  const newest = content.entries.length
  const cases: [RegExp, (db: ClassicLevel<string, string>) => Promise<void>][] = [
    [
      new RegExp(`grant "${name}" of instance "agent-1" is damaged`),
      (db) => db.put(grantKey(name), '00000000{"seats":1}'),
    ],
    [/than it was/, (db) => db.put(grantKey(name), seal(grantKey(name), '{"seats":1}').text)],
    [/should be \d+ records of the kind grant/, (db) => db.del(grantKey(name))],
    [/should be \d+ records of the kind grant/, (db) => db.put(grantKey('extra'), seal(grantKey('extra'), '1').text)],
    [
      /should be 0 records of the kind vendor/,
      (db) => putAs(db, recordKey({ kind: 'vendor', instance, key: 'v' }), '1'),
    ],
    [/The record "record.*is damaged/, (db) => putAs(db, 'record\0grant\0only', '1')],
    [/state record of the store is damaged/, (db) => db.put(stateKey, '00000000{}')],
    [/state record of the store is missing/, (db) => db.del(stateKey)],
    [
      new RegExp(`entry ${newest}, the newest.*missing`),
      (db) => db.del(`journal\0${String(newest).padStart(16, '0')}`),
    ],
    [new RegExp(`entry ${newest} is not the one`), (db) => swapNewest(db, newest)],
    [/Journal entry 7 is missing/, (db) => db.del('journal\0'.padEnd(23, '0').concat('7'))],
    [/Journal entry 7 is damaged/, (db) => db.put('journal\0'.padEnd(23, '0').concat('7'), '00000000{}')],
    [/Journal entry 1 is missing/, (db) => db.del('journal\0'.padEnd(23, '0').concat('1'))],
  ]
  for (const [pattern, act] of cases) {
    const refusal = await damaged(t, String(pattern), (folder) => tamper(folder, act))
    t.regex(refusal?.message ?? 'opened', pattern)
  }
})

test('R8: a record of several journal entries that is damaged or missing is named when it is read', async (t) => {
  const folder = join(workshop, 'shared')
  const store = new LevelStore({ folder })
  await store.open()
  const hand = new Hand(store)
  for (const count of [1, 5, 1]) await hand.commit([], count)
  await store.close()
  const cases: [number, RegExp, (text: string) => string | undefined][] = [
    [6, /entry [26] is missing/, () => undefined],
    [6, /entry 6 is damaged/, (text) => text.replace('"seats":1', '"seats":7')],
    [6, /entry 3 is damaged/, (text) => resealed(6, JSON.parse(text.slice(8)).with(1, { sequence: 3 }))],
    [6, /entry 2 is missing/, (text) => resealed(6, JSON.parse(text.slice(8)).slice(1))],
    [1, /entry 1 is damaged/, (text) => resealed(1, JSON.parse(text.slice(8)).facts)],
  ]
  for (const [last, pattern, change] of cases) {
    const before = await swap(folder, last, change)
    for (const order of ['oldest-first', 'newest-first'] as const) {
      await store.open()
      await rejectsWith(t, 'damaged', collect(store.journal({ limit: 100, order })), pattern)
      t.deepEqual((await collect(store.journal({ from: 7, limit: 1, order }))).length, 1)
      await store.close()
    }
    await swap(folder, last, () => before)
  }
  await store.open()
  t.is((await journalAll(store)).length, 7)
  await store.close()
})

function resealed(last: number, content: unknown): string {
  return seal(journalKey(last), JSON.stringify(content)).text
}

/** @returns what was there */
async function swap(folder: string, last: number, change: (text: string) => string | undefined): Promise<string> {
  let before = ''
  await tamper(folder, async (db) => {
    before = (await db.get(journalKey(last))) ?? ''
    const after = change(before)
    await (after === undefined ? db.del(journalKey(last)) : db.put(journalKey(last), after))
  })
  return before
}

async function putAs(db: ClassicLevel<string, string>, key: string, json: string): Promise<void> {
  await db.put(key, seal(key, json).text)
}

/** A whole entry with a right checksum, but another hash than the head has. */
async function swapNewest(db: ClassicLevel<string, string>, sequence: number): Promise<void> {
  const key = `journal\0${String(sequence).padStart(16, '0')}`
  const entry: unknown = JSON.parse((await db.get(key))?.slice(8) ?? '')
  await putAs(db, key, JSON.stringify(Object.assign({}, entry, { hash: 'A'.repeat(43) })))
}

test('a record of a kind that this version does not know is the work of a newer one', async (t) => {
  const folder = await copyTemplate()
  await tamper(folder, (db) => putAs(db, `record\0quota\0${instance}\0q`, '1'))
  await t.throwsAsync(read(folder), { code: 'newer_schema', message: /quota/ })
})

test('a damaged record that is to be overwritten is found before the batch is written', async (t) => {
  const folder = await copyTemplate()
  await tamper(folder, (db) => db.put(grantKey(content.records[0]?.key ?? ''), '00000000{}'))
  const store = new LevelStore({ folder })
  const hand = new Hand(store, await store.open())
  await rejectsWith(t, 'damaged', hand.commit([put(content.records[0]?.key ?? '', 1)]), /damaged/)
  await store.close()
})

/** Two copies of one store, of which the second went on for a few batches. */
async function twoAges(more: number): Promise<{ older: string; younger: string }> {
  const [older, younger] = [await copyTemplate(), await copyTemplate()]
  const store = new LevelStore({ folder: younger })
  await fill(new Hand(store, await store.open()), more)
  await store.close()
  return { older, younger }
}

test('R8: a store behind its head file has lost changes; one ahead of it has not', async (t) => {
  const { older, younger } = await twoAges(3)
  await cp(join(younger, 'store.head'), join(workshop, 'younger.head'))
  await cp(join(older, 'store.head'), join(younger, 'store.head'))
  t.is((await read(younger)).entries.length, content.entries.length + 3)
  await cp(join(workshop, 'younger.head'), join(older, 'store.head'))
  await t.throwsAsync(read(older), {
    code: 'damaged',
    message: /has lost changes: it is at revision 400.*revision 403/,
  })
})

test('R8: a start that was counted and lost is named, so that no start counter is used twice', async (t) => {
  const { older, younger } = await twoAges(0)
  await cp(join(younger, 'store.head'), join(older, 'store.head'))
  await t.throwsAsync(read(older), { code: 'damaged', message: /start 2, but .* start 3/ })
})

test('R8: the head file of another store at the same revision is recognized', async (t) => {
  const heads: JournalHead[] = []
  const folders = ['one', 'other'].map((name) => join(workshop, name))
  for (const [index, folder] of folders.entries()) {
    const store = new LevelStore({ folder })
    await store.open()
    const hand = new Hand(store)
    await hand.commit([], index + 1)
    heads.push(hand.head)
    await store.close()
  }
  t.notDeepEqual(heads[0], emptyHead)
  const [one = '', other = ''] = folders
  await cp(join(other, 'store.head'), join(one, 'store.head'))
  await t.throwsAsync(read(one), { code: 'damaged', message: /another store/ })
})
