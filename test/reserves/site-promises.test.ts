/** What a web site may rely on while the agent does not answer, and the seats that are counted for that (R5). */
import test from 'ava'
import { siteOf } from '../../agent/agent-sites.ts'
import { active, isRefused, minute, server, signIn, signInAs, startShop, untilRecycled } from './shop.ts'
import { own, Stand } from './stand.ts'

test('R5: a seat that a site may still rely on is taken back when its user is told, or when that time is over', async (t) => {
  const stand = await Stand.start([server], [{ seats: 2 }])
  await startShop(stand)
  t.is((await signInAs(stand, 'ana')).expiresAt, stand.clock.wall() + 10_000)
  await signInAs(stand, 'ben')
  void stand.kept.sites.recycle('shop', 'test')
  await stand.clock.run(1_000)
  t.is(stand.manager().used, 2)
  t.like(await active(stand, 'ana'), { seat: false, code: 'site_reserve_empty' })
  await stand.clock.run(4_000)
  // The browser of ben is closed; while the agent does not answer the site could show him its pages.
  t.is(stand.manager().used, 1)
  await stand.clock.run(4_500)
  t.is(stand.manager().used, 1)
  await untilRecycled(stand)
  t.like(siteOf('shop', stand.owners, false), { taken: 2, occupied: 0 })
  t.like(await active(stand, 'ana'), { seat: true })
  t.is((await signInAs(stand, 'cleo')).access, 'full')
  t.deepEqual(
    (await stand.journal('session.ended')).map(({ reason }) => reason),
    ['recycled', 'recycled'],
  )
})

test('R5: a site that is answered nothing has not heard that a seat is taken back', async (t) => {
  const stand = await Stand.start([server, own('l1/cad', { seats: 1 })])
  await startShop(stand, 'shop', { seats: 1 })
  await signInAs(stand, 'ana')
  void stand.kept.sites.recycle('shop', 'test')
  await stand.clock.run(1_000)
  stand.store.failCommits('before')
  // Somebody else makes the batch fail.
  await t.throwsAsync(Promise.all([active(stand, 'ana'), signIn(stand, 'root', true)]))
  await stand.clock.run(6_000)
  t.is(stand.used(), 1)
  await untilRecycled(stand)
  t.like(siteOf('shop', stand.owners, false), { taken: 1, occupied: 0 })
})

test('R5: a restart does not make a seat free earlier that a site may rely on', async (t) => {
  const stand = await Stand.start([server, own('l1/cad', { seats: 1 })])
  await startShop(stand, 'shop', { seats: 1 })
  await signInAs(stand, 'ana')
  await stand.restart()
  void stand.kept.sites.recycle('shop', 'test')
  await stand.clock.run(9_000)
  t.is(stand.used(), 1)
  isRefused(t, await signIn(stand, 'cleo'), 'site_reserve_empty')
  await untilRecycled(stand)
  t.is((await signInAs(stand, 'cleo')).access, 'full')
})

test('R5: a site that an administrator removes knows nothing of it, so its seats stay counted for a moment', async (t) => {
  const stand = await Stand.start([server, own('l1/cad', { seats: 2 })])
  await startShop(stand)
  await signInAs(stand, 'ana')
  await stand.kept.sites.remove('shop', 'test')
  await stand.clock.run(9_000)
  t.is(stand.used(), 1)
  await stand.until('all back', () => stand.used() + stand.used('s1/portal') === 0, 5_000)
})

test('R3, R9: a site is promised no more of a seat than its lease has left, be it after a restart', async (t) => {
  const stand = await Stand.start([server], [{ seats: 2 }])
  await startShop(stand)
  await signInAs(stand, 'ana')
  stand.manager().isUp = false
  await stand.clock.run(5 * minute)
  t.is((await active(stand, 'ana')).expiresIn, 10)
  await stand.clock.run(4.9 * minute)
  const last = (await active(stand, 'ana')).expiresIn ?? 0
  t.true(last < 10, `${last} s`)
  await stand.restart('reboot')
  t.like(await active(stand, 'ana'), { seat: false, code: 'manager_unreachable', retryIn: 5 })
  stand.manager().isUp = true
  await stand.clock.run(30_000)
  t.like(await active(stand, 'ana'), { seat: true, access: 'full' })
})
