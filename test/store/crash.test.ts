/**
 * What must survive: a process that is killed while it writes, and a disk that is full.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { mkdir, mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { checkEntry, emptyHead } from '../../agent/domain/journal.ts'
import { Ballast, freeBytes } from '../../agent/store/ballast.ts'
import { LevelStore } from '../../agent/store/level-store.ts'
import { StoreError, type StoreState } from '../../agent/store/store.ts'
import { testNeeding } from '../helpers/needing.ts'
import { rejectsWith } from './contract.ts'
import { Hand, journalAll, loadAll } from './hand.ts'
import { changesOf, contentAt } from './workload.ts'

const childPath = fileURLToPath(new URL('./child.js', import.meta.url))

/** Lets a child write until it has said so many revisions, and kills it in the middle of the next. Returns the last it said. */
async function writeAndKill(folder: string, count: number): Promise<number> {
  const child = spawn(process.execPath, [childPath, 'write', folder], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exited = once(child, 'exit')
  let last = 0
  let said = 0
  for await (const line of createInterface({ input: child.stdout })) {
    if (!/^\d+$/.test(line)) throw new Error(line)
    last = Number(line)
    said += 1
    if (said === count) child.kill('SIGKILL')
  }
  await exited
  return last
}

/** The content follows from the revision, and the journal is whole. */
async function checkContent(
  t: ExecutionContext,
  store: LevelStore,
  state: StoreState,
  noteBytes: number,
): Promise<void> {
  const found = Object.fromEntries((await loadAll(store)).map(({ key, value }) => [key, value]))
  t.deepEqual(found, contentAt(state.revision, noteBytes))
  let head = emptyHead
  for (const entry of await journalAll(store)) {
    const check = checkEntry(head, entry)
    if (check.kind !== 'good') return t.fail(`journal entry ${check.sequence}: ${check.reason}`)
    head = check.head
  }
  t.deepEqual(head, state.head)
}

test('R8: a process killed while it writes loses nothing that it acknowledged', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'leasehold-kill-'))
  const rounds = 8
  let total = 0
  for (let round = 1; round <= rounds; round += 1) {
    const acknowledged = await writeAndKill(folder, 29 * round)
    const store = new LevelStore({ folder })
    const state = await store.open()
    t.true(state.revision >= acknowledged, `round ${round}: ${acknowledged} acknowledged, ${state.revision} there`)
    t.is(state.startCounter, 2 * round)
    await checkContent(t, store, state, 300)
    total = state.revision
    await store.close()
  }
  t.log(`${rounds} kills, ${total} batches`)
  await rm(folder, { recursive: true })
})

/** A small disk of its own in memory, where this process may mount one. */
function mountDisk(megabytes: number): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return undefined
  const path = mkdtempSync(join(tmpdir(), 'leasehold-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'leasehold-test', path], { stdio: 'ignore' })
    return path
  } catch {
    rmdirSync(path)
    return undefined
  }
}

const disk = mountDisk(112)
test.after.always(() => {
  if (disk === undefined) return
  // Lazily: a child of another test may have inherited a file, since LevelDB leaves its files open to children
  execFileSync('umount', ['-l', disk])
  rmdirSync(disk)
})

/** A file that leaves so much free. */
async function fillDisk(path: string, leaveBytes: number): Promise<void> {
  const file = await open(path, 'w')
  const folder = join(path, '..')
  const chunk = Buffer.alloc(1024 * 1024, 1)
  for (let free = await freeBytes(folder); free > leaveBytes; free = await freeBytes(folder))
    await file.write(chunk, 0, Math.min(chunk.length, free - leaveBytes))
  await file.close()
}

/** Commits until the store refuses. Returns the last revision that was acknowledged. */
async function commitUntilFull(
  t: ExecutionContext,
  store: LevelStore,
  state: StoreState,
  noteBytes: number,
): Promise<number> {
  const hand = new Hand(store, state)
  for (let revision = state.revision + 1; ; revision += 1) {
    try {
      await hand.commit(changesOf(revision, noteBytes), 1)
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      t.is(error.code, 'disk_full', error.message)
      await rejectsWith(t, 'failed', hand.commit([]), /closed and opened again/)
      await rejectsWith(t, 'failed', loadAll(store), /closed and opened again/)
      return revision - 1
    }
  }
}

testNeeding(disk !== undefined, 'a full disk is tried as root, which may mount one')(
  'R1: a full disk loses nothing, and the ballast lets the store open again',
  (t) => fullDisk(t, join(disk ?? '', 'data'), join(disk ?? '', 'filler')),
)

async function fullDisk(t: ExecutionContext, folder: string, filler: string): Promise<void> {
  const noteBytes = 2000
  await mkdir(folder)
  const ballast = new Ballast(join(folder, 'ballast'))
  const store = new LevelStore({ folder, ballast })
  let state = await store.open()
  t.true(ballast.held)

  await fillDisk(filler, 2_000_000)
  const first = await commitUntilFull(t, store, state, noteBytes)
  await store.close()
  state = await store.open()
  t.false(ballast.held, 'given to the store')
  t.true(state.revision === first || state.revision === first + 1, `${first} acknowledged, ${state.revision} there`)
  await checkContent(t, store, state, noteBytes)

  // With what the ballast gave, writing goes on for a while; then there is nothing more to give
  await fillDisk(`${filler}-2`, 4_000_000)
  const second = await commitUntilFull(t, store, state, noteBytes)
  t.true(second > first + 50, `${second - first} batches more`)
  await store.close()
  const outcome = await store.open().catch((error: unknown) => error)
  if (outcome instanceof StoreError) t.is(outcome.code, 'disk_full')
  else await store.close()

  await rm(filler)
  await rm(`${filler}-2`)
  state = await store.open()
  t.true(ballast.held, 'made again, since there is room')
  t.true(state.revision === second || state.revision === second + 1, `${second} acknowledged, ${state.revision} there`)
  await checkContent(t, store, state, noteBytes)
  const hand = new Hand(store, state)
  await hand.commit(changesOf(state.revision + 1, noteBytes), 1)
  await store.close()
  t.log(`full at ${first} and at ${second}; ${outcome instanceof StoreError ? 'refused' : 'opened'} on the full disk`)
}
