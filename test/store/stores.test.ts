import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { LevelStore } from '../../agent/store/level-store.ts'
import { MemoryStore } from '../../agent/store/memory-store.ts'
import { rejectsWith, storeContract } from './contract.ts'
import { FailingStore } from './failing-store.ts'
import { Hand, loadAll, put } from './hand.ts'

storeContract('level', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'leasehold-store-'))
  return { store: new LevelStore({ folder }), dispose: () => rm(folder, { recursive: true }) }
})

storeContract('memory', async () => ({ store: new MemoryStore(), dispose: async () => undefined }))

storeContract('failing', async () => ({ store: new FailingStore(new MemoryStore()), dispose: async () => undefined }))

test('R1: a commit that fails before or after writing looks the same until the store is opened again', async (t) => {
  for (const [order, keys] of [
    ['before', ['kept']],
    ['after', ['kept', 'new']],
  ] as const) {
    const store = new FailingStore(new MemoryStore(), 'disk_full')
    await store.open()
    const hand = new Hand(store)
    store.failCommits('works', order)
    await hand.commit([put('kept', 1)])
    await rejectsWith(t, 'disk_full', hand.commit([put('new', 1)]))
    await rejectsWith(t, 'failed', hand.commit([put('too early', 1)]), /opened again/)
    await store.close()
    t.is((await store.open()).revision, keys.length)
    const found = (await loadAll(store)).map(({ key }) => key)
    t.deepEqual(found, [...keys])
  }
})

test('R1: after a torn write everything is acknowledged and lost, until the store is opened again', async (t) => {
  const store = new FailingStore(new MemoryStore())
  const state = await store.open()
  const hand = new Hand(store, state)
  store.failCommits('torn')
  await rejectsWith(t, 'failed', hand.commit([put('torn', 1)]))
  await hand.commit([put('believed', 1)])
  await store.close()
  const again = new Hand(store, await store.open())
  t.deepEqual(await loadAll(store), [])
  await again.commit([put('true', 1)])
  t.is((await loadAll(store)).length, 1)
})

test('openings fail as ordered, and then work', async (t) => {
  const store = new FailingStore(new MemoryStore())
  store.failOpenings('locked', 'disk_full')
  await rejectsWith(t, 'locked', store.open())
  await rejectsWith(t, 'disk_full', store.open())
  t.is((await store.open()).startCounter, 1)
})
