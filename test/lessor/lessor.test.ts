import test from 'ava'
import { LeaseholdError } from '../../agent/errors.ts'
import { Core, minute, promised, secondsOf, stored, supply, turn } from './core.ts'

test('R2: an overdue seat is ended in the same batch that gives it to somebody else', async (t) => {
  const core = await Core.start([supply(1)])
  await core.open('ana')
  core.clock.advance(promised - 1)
  t.is((await core.open('ben')).kind, 'short')
  core.clock.advance(1)
  t.is((await core.open('ben')).kind, 'granted')
  t.deepEqual(core.lastEntries(), ['session.ended ana', 'session.opened ben'])
})

test('R2: who ended never lives again, even when the seat is free', async (t) => {
  const core = await Core.start([supply(5)])
  await core.open('ana')
  await core.lessor.end('ana', 'released')
  t.deepEqual(await core.open('ana'), { kind: 'ended', reason: 'released' })
  t.deepEqual(await core.lessor.renew('ana'), { kind: 'ended', reason: 'released' })
  await core.open('ben')
  core.clock.advance(promised)
  t.deepEqual(await core.lessor.renew('ben'), { kind: 'ended', reason: 'expired' })
  t.is(core.lessor.view.used('L1/cad'), 0)
})

test('R3: a renewal is written only when it does not fit into what is stored', async (t) => {
  const core = await Core.start([supply(1)])
  await core.open('ana')
  const { revision } = core.writer
  core.clock.advance(500_000)
  t.false(core.lessor.renew('ana') instanceof Promise)
  core.clock.advance(100_000)
  t.false(core.lessor.renew('ana') instanceof Promise, 'it just fits')
  t.is(core.writer.revision, revision)
  core.clock.advance(1)
  t.is(secondsOf(await core.lessor.renew('ana')), 600)
  t.is(core.writer.revision, revision + 1)
})

test('R3: a renewal from memory does not outlive its record, also when the machine slept', async (t) => {
  const core = await Core.start([supply(1)])
  await core.open('ana')
  core.clock.sleepMachine(700_000)
  t.is(secondsOf(await core.lessor.renew('ana')), 600)
  await core.restart()
  core.clock.advance(600_000)
  t.is((await core.open('ben')).kind, 'short', 'Ana may believe in her seat until now')
  t.is((await core.lessor.renew('ana')).kind, 'renewed')
})

test('R3: after a restart in the same boot a record counts from its writing', async (t) => {
  const core = await Core.start([supply(1)])
  await core.open('ana')
  core.clock.advance(1_000_000)
  await core.restart()
  core.clock.advance(stored - 1_000_000 - 1)
  t.is((await core.open('ben')).kind, 'short')
  core.clock.advance(1)
  t.is((await core.open('ben')).kind, 'granted')
})

test('R3: what is read is written anew before it is promised from', async (t) => {
  const core = await Core.start([supply(1)])
  await core.open('ana')
  await core.restart()
  const { revision } = core.writer
  t.is((await core.lessor.renew('ana')).kind, 'renewed')
  t.is(core.writer.revision, revision + 1)
})

test('R3: a crash loop pins no seat', async (t) => {
  for (const [reboots, longest] of [
    [false, stored + minute],
    // Each start counts from the beginning what it has not written anew since: every 30 s.
    [true, 2 * stored + minute],
  ] as const) {
    const core = await Core.start([supply(1)])
    await core.open('ana')
    let lasted = 0
    for (; core.lessor.view.grantCount > 0 && lasted < 10 * stored; lasted += minute) {
      await core.crash()
      if (reboots) core.clock.reboot(0)
      await core.begin()
      core.lessor.start()
      await core.clock.run(minute)
    }
    t.true(lasted >= promised && lasted <= longest, `${lasted} ms with ${reboots ? 'reboots' : 'restarts'}`)
  }
})

test('R3: records of another boot are written anew right after loading, and never over a renewal', async (t) => {
  const core = await Core.start([supply(2)])
  await core.open('ana')
  await core.open('ben')
  await core.crash()
  core.clock.reboot()
  await core.begin()
  core.clock.advance(1_000_000)
  // In one batch: Ana's renewal, then the tick that writes the records of the boot before.
  const renewal = core.lessor.renew('ana')
  core.lessor.start()
  core.clock.advance(1)
  t.is((await renewal).kind, 'renewed')
  await core.restart()
  core.lessor.start()
  await core.clock.run(stored - 1_000_000 + 1_000)
  t.is(core.lessor.view.grant('ben'), undefined, 'nobody heard of Ben')
  t.truthy(core.lessor.view.grant('ana'), 'Ana was renewed')
})

test('R3: what was overdue while nothing ran is ended after loading', async (t) => {
  const core = await Core.start([supply(1)])
  await core.open('ana')
  await core.crash()
  core.clock.sleepMachine(2 * stored)
  await core.begin()
  core.lessor.start()
  await core.clock.run(1_000)
  t.is(core.lessor.view.grantCount, 0)
  t.deepEqual(await core.records('tombstone'), ['ana'])
})

test('R4: nothing is answered, told or shown before the batch is on disk', async (t) => {
  const core = await Core.start([supply(1)])
  core.store.hold()
  let answered = false
  const opening = core.open('ana').then((answer) => {
    answered = true
    return answer
  })
  await turn()
  t.false(answered)
  t.is(core.lessor.view.grant('ana'), undefined)
  t.is(core.events.length, 0)
  core.store.release()
  t.is((await opening).kind, 'granted')
  t.deepEqual(
    core.events.map((event) => event.kind),
    ['opened'],
  )
})

test('R4: what is being written is not renewed from memory', async (t) => {
  const core = await Core.start([supply(1)])
  await core.open('ana')
  core.store.hold()
  const ending = core.lessor.end('ana', 'released')
  await turn()
  const renewal = core.lessor.renew('ana')
  t.true(renewal instanceof Promise)
  core.store.release()
  t.is((await ending).kind, 'ended')
  t.deepEqual(await renewal, { kind: 'ended', reason: 'released' })
})

test('R4: a failed batch leaves nothing behind, the head of the journal included', async (t) => {
  const core = await Core.start([supply(2)])
  await core.open('ana')
  const { head } = core.writer
  core.store.failCommits('before')
  await t.throwsAsync(core.open('ben'), { instanceOf: LeaseholdError })
  await turn()
  t.is(core.lessor.view.grant('ben'), undefined)
  t.is(core.writer.head.sequence, head.sequence + 1, 'only the probe was journaled')
  t.is((await core.open('ben')).kind, 'granted')
})

test('R4: when a batch whose outcome was unknown freed a seat, who waits is told after loading', async (t) => {
  const core = await Core.start([supply(1)])
  core.lessor.start()
  await core.open('ana')
  await core.clock.run(1_000)
  core.events.length = 0
  core.store.failCommits('after')
  await t.throwsAsync(core.lessor.end('ana', 'released'), { instanceOf: LeaseholdError })
  await core.clock.run(2_000)
  t.is(core.lessor.view.used('L1/cad'), 0)
  t.deepEqual(core.events, [{ kind: 'supplies' }])
})

test('R14: a repeat of a live id is the same session, with its times computed anew', async (t) => {
  const core = await Core.start([supply(1)])
  const first = await core.open('ana')
  core.clock.advance(400_000)
  const again = await core.open('ana')
  t.is(again.kind, 'repeated')
  t.is(secondsOf(again), 600)
  t.is('grant' in again && 'grant' in first && again.grant.startedAt - first.grant.startedAt, 0)
  t.is(core.lessor.view.used('L1/cad'), 1)
  core.clock.advance(600_000)
  t.is((await core.open('ben')).kind, 'short')
})

test('R14: a repeat in the same batch takes no second seat', async (t) => {
  const core = await Core.start([supply(2)])
  const [one, other] = await Promise.all([core.open('ana'), core.open('ana')])
  t.deepEqual([one.kind, other.kind], ['granted', 'repeated'])
  t.is(core.lessor.view.used('L1/cad'), 1)
})

test('R15: the same id with another body is a conflict, and a refusal ends nothing', async (t) => {
  const core = await Core.start([supply(1)])
  await core.open('ana')
  t.deepEqual(await core.open('ana', { body: 'other' }), { kind: 'conflict' })
  t.is((await core.open('ben')).kind, 'short')
  await core.lessor.end('ana', 'released')
  t.is((await core.open('ben')).kind, 'granted')
})

test('R15: what became of an id is known for a day, through restarts', async (t) => {
  const core = await Core.start([supply(1)])
  await core.open('ana')
  await core.lessor.end('ana', 'released')
  core.clock.advance(24 * 60 * minute - 1)
  t.is((await core.open('ana')).kind, 'ended')
  await core.restart()
  t.is((await core.open('ana')).kind, 'ended')
  core.clock.advance(24 * 60 * minute)
  t.is((await core.open('ana')).kind, 'granted')
  t.deepEqual(await core.records('tombstone'), [])
})

test('R15: thousands of ids are forgotten when their day is over, while nobody asks for a seat', async (t) => {
  const core = await Core.start([supply(9_000)])
  const ids = Array.from({ length: 5_000 }, (_, index) => `id-${index}`)
  await Promise.all(ids.map((id) => core.open(id)))
  for (const part of [ids.slice(0, 2_500), ids.slice(2_500)]) {
    await Promise.all(part.map((id) => core.lessor.end(id, 'released')))
    core.clock.advance(minute)
  }
  t.is((await core.records('tombstone')).length, 5_000)
  core.clock.advance(24 * 60 * minute - 3 * minute)
  core.lessor.start()
  await core.clock.run(30_000)
  t.is((await core.records('tombstone')).length, 5_000)
  await core.clock.run(minute)
  t.is((await core.records('tombstone')).length, 2_500)
  await core.clock.run(minute)
  t.deepEqual([...core.lessor.view.tombstones()], [])
  t.deepEqual(await core.records('tombstone'), [])
})

test('R15: an id whose day is over and that is granted again in the same batch has a seat after a restart', async (t) => {
  const core = await Core.start([supply(1)])
  await core.open('ana')
  await core.lessor.end('ana', 'released')
  core.clock.advance(24 * 60 * minute + 1)
  t.is((await core.open('ana')).kind, 'granted')
  t.deepEqual([await core.records('grant'), await core.records('tombstone')], [['ana'], []])
  await core.restart()
  t.is((await core.open('ben')).kind, 'short')
})

test('R2: a session that is opened and ended in one batch is known as ended after a restart', async (t) => {
  const core = await Core.start([supply(1)])
  const [opened, ended] = await Promise.all([core.open('ana'), core.lessor.end('ana', 'released')])
  t.deepEqual([opened.kind, ended.kind], ['granted', 'ended'])
  await core.restart()
  t.is((await core.open('ana')).kind, 'ended')
  t.is((await core.open('ben')).kind, 'granted')
})

test('500 clients race for 100 seats: 100 get one, and each seat that comes back goes to one more', async (t) => {
  const core = await Core.start([supply(60), supply(40, { license: 'L2', rule: 'user' })])
  const insist = async <T>(ask: () => Promise<T>): Promise<T> => {
    for (;;) {
      try {
        return await ask()
      } catch (error) {
        if (!(error instanceof LeaseholdError && error.code === 'store_unavailable')) throw error
        await turn()
      }
    }
  }
  const race = async (ids: readonly string[]): Promise<string[]> => {
    const answers = await Promise.all(ids.map((id) => insist(() => core.open(id))))
    return ids.filter((_, index) => ['granted', 'repeated'].includes(answers[index]?.kind ?? ''))
  }
  const ids = Array.from({ length: 500 }, (_, index) => `client-${index}`)
  core.store.failCommits('after')
  const holders = await race(ids)
  t.is(holders.length, 100)
  t.is(core.lessor.view.used('L1/cad') + core.lessor.view.used('L2/cad'), 100)
  core.store.failCommits('works', 'before')
  const [, more] = await Promise.all([
    Promise.all(holders.slice(0, 30).map((id) => insist(() => core.lessor.end(id, 'released')))),
    race(ids.filter((id) => !holders.includes(id)).slice(0, 50)),
  ])
  t.is(more.length, 30)
  t.is(core.lessor.view.grantCount, 100)
  t.is((await core.records('grant')).length, 100)
})

test('S12: activity after a long pause is known after a restart', async (t) => {
  const core = await Core.start([supply(1)])
  await core.open('ana', { activity: 'reported' })
  for (let passed = 0; passed < 50; passed += 5) {
    core.clock.advance(5 * minute)
    t.is((await core.lessor.renew('ana')).kind, 'renewed')
  }
  core.lessor.noteActivity('ana', core.clock.atLeast())
  t.is((await core.lessor.renew('ana')).kind, 'renewed')
  await core.restart()
  for (let passed = 0; passed < 45; passed += 5) {
    core.clock.advance(5 * minute)
    t.is((await core.lessor.renew('ana')).kind, 'renewed', `${passed} min after the restart`)
  }
  core.clock.advance(20 * minute)
  t.is((await core.lessor.renew('ana')).kind, 'ended')
})
