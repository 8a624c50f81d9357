/** Web sites: their server seat, their reserve, who signs in, activity, recycling, and what survives a crash. */
import test from 'ava'
import fc from 'fast-check'
import { siteOf } from '../../agent/agent-sites.ts'
import { active, isRefused, minute, occupied, server, shop, signIn, signInAs, startShop } from './shop.ts'
import { own, Stand } from './stand.ts'

const day = 24 * 60 * minute

test('P1: a site takes one server seat and its client seats when it starts, and gives both back when it stops', async (t) => {
  const stand = await Stand.start([server, own('l1/cad', { seats: 5 })])
  t.deepEqual(await startShop(stand), { kind: 'started', asked: 2, taken: 2 })
  t.is(stand.used('s1/portal'), 1)
  t.is(stand.used(), 2)
  t.like(siteOf('shop', stand.owners, false), { state: 'started', server: true, taken: 2, occupied: 0, signIns: [] })
  t.deepEqual(await stand.kept.sites.startSite('shop', 'site'), { kind: 'started', asked: 2, taken: 2 })
  await signInAs(stand, 'ana')
  t.like(await stand.kept.sites.stopSite('shop', 'site'), { kind: 'stopped' })
  await stand.until('all back', () => stand.used() + stand.used('s1/portal') === 0, 5_000)
  isRefused(t, await signIn(stand, 'ben'), 'site_not_started')
  t.like(await stand.journal('site.started'), [{ site: 'shop' }])
  t.like(await stand.journal('site.stopped'), [{ site: 'shop' }])
})

test('P1: without a server seat a site does not start, takes no client seat, and says who was asked', async (t) => {
  const stand = await Stand.start([own('l1/cad', { seats: 5 })])
  const refusal = isRefused(t, await startShop(stand), 'no_server_license')
  t.regex(refusal.detail, /acme\/portal/)
  await stand.clock.run(10_000)
  t.is(stand.used(), 0)
  t.like(siteOf('shop', stand.owners, false), { state: 'stopped', server: false })
  stand.supplies = [server, ...stand.supplies]
  await stand.restart()
  t.like(await stand.kept.sites.startSite('shop', 'site'), { kind: 'started', taken: 2 })
})

test('P2, P3: a sign-in takes a seat of the reserve and never another; an empty reserve refuses with the reason', async (t) => {
  const stand = await Stand.start([server, own('l1/cad', { seats: 5 })], [{ seats: 5 }])
  await startShop(stand)
  const ana = await signInAs(stand, 'ana')
  t.is(ana.access, 'full')
  t.like(await signIn(stand, 'ana'), { kind: 'signed-in', created: false, signIn: { session: ana.session } })
  await signInAs(stand, 'ben')
  const refusal = isRefused(t, await signIn(stand, 'cleo'), 'site_reserve_empty')
  t.regex(refusal.detail, /All 2 seats are in use\..*next is free in 240 minutes\./)
  t.like(refusal.facts, { seats: 2, taken: 2, used: 2, nextAt: '2027-01-04T12:00:00.000Z' })
  t.is(stand.used(), 2)
  t.is(stand.manager().calls.length, 0)
  await stand.kept.sites.signOut('shop', 'ana')
  t.is(occupied(stand), 1)
  t.is((await signInAs(stand, 'cleo')).access, 'full')
  // Each sign-in counts for itself, whoever it is.
  isRefused(
    t,
    await stand.kept.sites.signIn('shop', {
      id: 'x',
      user: { email: 'ben@x.example' },
      isAdministrator: false,
      address: '',
    }),
    'site_reserve_empty',
  )
})

test('P2: nobody but the site has its seats: not the machine, not another site, not another agent', async (t) => {
  const stand = await Stand.start([server, own('l1/cad', { seats: 4, rule: 'user' })])
  await startShop(stand)
  t.like(await startShop(stand, 'wiki'), { kind: 'started', taken: 2 })
  const found = await stand.finder.find({
    id: 'local-1',
    instance: 'agent-1',
    holder: 'agent-1',
    product: 'acme/cad',
    seats: 1,
    who: { email: 'ana@x.example' },
    body: 'b',
    activity: 'heartbeat',
    waited: false,
  })
  t.is(found.answer.kind, 'short')
  await signInAs(stand, 'ana')
  await signInAs(stand, 'ben')
  isRefused(t, await signIn(stand, 'cleo'), 'site_reserve_empty')
  t.is((await signInAs(stand, 'cleo', 'wiki')).access, 'full')
  t.is(occupied(stand, 'wiki'), 1)
})

test('P4: administrators take no seat and are let in when there is none', async (t) => {
  const stand = await Stand.start([server, own('l1/cad', { seats: 1 })])
  t.deepEqual(await startShop(stand), { kind: 'started', asked: 2, taken: 1 })
  await signInAs(stand, 'ana')
  t.like(await signIn(stand, 'root', true), { kind: 'signed-in', created: true, signIn: { access: 'administration' } })
  t.is(occupied(stand), 1)
  t.like(await active(stand, 'root'), { seat: false, access: 'administration' })
})

test('P6: fewer seats than asked for are taken, said once, and topped up', async (t) => {
  const stand = await Stand.start([server], [{ seats: 3 }])
  stand.manager().others = 2
  t.deepEqual(await startShop(stand, 'shop', { seats: 3 }), { kind: 'started', asked: 3, taken: 1 })
  t.deepEqual(await stand.journal('site.filled'), [{ site: 'shop', asked: 3, taken: 1 }])
  t.is(stand.warnings.length, 1)
  await signInAs(stand, 'ana')
  const refusal = isRefused(t, await signIn(stand, 'ben'), 'site_reserve_empty')
  t.regex(refusal.detail, /Its 1 seat is in use \(3 are wanted\)/)
  await stand.clock.run(2 * minute)
  t.is(stand.warnings.length, 1)
  stand.manager().others = 0
  await stand.until('filled', () => stand.manager().used === 3, 3 * minute)
  await stand.clock.run(1_000)
  t.deepEqual(await stand.journal('site.filled'), [
    { site: 'shop', asked: 3, taken: 1 },
    { site: 'shop', asked: 3, taken: 3 },
  ])
})

test('P7: without activity a seat goes back after the minutes that are set, and the next activity takes one again', async (t) => {
  const stand = await Stand.start([server, own('l1/cad', { seats: 2 })])
  await startShop(stand, 'shop', { inactivityMinutes: 30, seats: 1 })
  await signInAs(stand, 'ana')
  await stand.clock.run(20 * minute)
  t.like(await active(stand, 'ana'), { seat: true, idleEndsAt: '2027-01-04T08:50:00.000Z' })
  await stand.clock.run(29 * minute)
  t.is(occupied(stand), 1)
  await stand.clock.run(2 * minute)
  t.is(occupied(stand), 0)
  t.like(siteOf('shop', stand.owners, true)?.signIns, [{ id: 'ana', access: 'none' }])
  t.like(await active(stand, 'ana'), { seat: true, access: 'full' })
  t.is(occupied(stand), 1)
  t.like(await active(stand, 'nobody'), { seat: false, code: 'unknown_sign_in' })
})

test('P5: a recycle gives all seats back and takes them anew; who is signed in has one again at the next activity', async (t) => {
  const stand = await Stand.start([server], [{ seats: 3 }])
  await startShop(stand)
  const ana = await signInAs(stand, 'ana')
  await signInAs(stand, 'ben')
  await stand.clock.run(11_000)
  const before = [...stand.manager().leases.keys()]
  stand.calendar.tasks.get('30 4 * * * Europe/Berlin')?.()
  await stand.until('recycled', () => siteOf('shop', stand.owners, false)?.recycledAt !== undefined, 20_000)
  t.deepEqual(await stand.journal('site.recycled'), [
    { site: 'shop', returned: 2, asked: 2, taken: 2, signedIn: 2, by: 'schedule' },
  ])
  t.is(stand.manager().used, 2)
  for (const id of stand.manager().leases.keys()) t.false(before.includes(id))
  t.like(siteOf('shop', stand.owners, false), { occupied: 0, taken: 2, state: 'started' })
  // The seat of a browser that was closed is free for somebody else.
  t.is((await signInAs(stand, 'cleo')).access, 'full')
  const again = await active(stand, 'ana')
  t.like(again, { seat: true, access: 'full' })
  t.not(siteOf('shop', stand.owners, true)?.signIns.find(({ id }) => id === 'ana')?.session, ana.session)
  t.like(await active(stand, 'ben'), { seat: false, access: 'none', code: 'site_reserve_empty' })
  const ended = (await stand.journal('session.ended')).map(({ reason }) => reason)
  t.deepEqual(ended, ['recycled', 'recycled'])
})

test('P5: a manager that is out of reach while seats are recycled costs the site its seats only until it is back', async (t) => {
  const stand = await Stand.start([server], [{ seats: 2 }])
  await startShop(stand)
  await signInAs(stand, 'ana')
  stand.manager().isUp = false
  const recycled = stand.kept.sites.recycle('shop', 'test')
  await stand.clock.run(60_000)
  t.like(await recycled, { kind: 'recycled' })
  t.like(await active(stand, 'ana'), { seat: false, code: 'site_reserve_empty' })
  stand.manager().isUp = true
  await stand.until('taken', () => siteOf('shop', stand.owners, false)?.taken === 2, 20 * minute)
  t.like(await active(stand, 'ana'), { seat: true })
})

test('P8: several sites with different numbers share one manager', async (t) => {
  const stand = await Stand.start([server], [{ seats: 5 }])
  t.like(await startShop(stand, 'shop', { seats: 3 }), { taken: 3 })
  t.like(await startShop(stand, 'wiki', { seats: 3 }), { taken: 2 })
  isRefused(t, await startShop(stand, 'blog'), 'no_server_license')
  t.is(stand.manager().used, 5)
  await stand.kept.sites.remove('shop', 'test')
  await stand.until('wiki is full', () => siteOf('wiki', stand.owners, false)?.taken === 3, 3 * minute)
  t.deepEqual(
    stand.kept.sites.list().map(({ id }) => id),
    ['blog', 'wiki'],
  )
  t.like(await stand.kept.sites.startSite('blog', 'site'), { kind: 'started', taken: 2 })
})

for (const how of ['crash', 'reboot'] as const)
  test(`after a ${how} a site goes on, with the seats of everybody who is signed in`, async (t) => {
    const stand = await Stand.start([server], [{ seats: 3 }])
    await startShop(stand)
    await signInAs(stand, 'ana')
    await signIn(stand, 'root', true)
    await stand.clock.run(5 * minute)
    await stand.restart(how)
    await stand.clock.run(30_000)
    t.like(siteOf('shop', stand.owners, false), { state: 'started', server: true, taken: 2, occupied: 1 })
    t.like(await active(stand, 'ana'), { seat: true })
    t.like(await active(stand, 'root'), { access: 'administration' })
    await stand.clock.run(60 * minute)
    t.is(occupied(stand), 1)
    t.is(stand.manager().used, 2)
    t.true(stand.calendar.tasks.has('30 4 * * * Europe/Berlin'))
  })

test('a site that lost the seat of its server lets nobody new in until it has one again', async (t) => {
  const stand = await Stand.start([server, own('l1/cad', { seats: 2 })])
  await startShop(stand)
  await signInAs(stand, 'ana')
  const [kept] = stand.kept.keeper.held('site-server:shop')
  await stand.lessor.disconnect(`agent-1/${kept?.id}`, 'disconnected')
  await stand.until('no server seat', () => siteOf('shop', stand.owners, false)?.server === false, 5_000)
  isRefused(t, await signIn(stand, 'ben'), 'no_server_license')
  t.like(await active(stand, 'ana'), { seat: true })
  await stand.until('a server seat', () => siteOf('shop', stand.owners, false)?.server === true, 40_000)
  t.is((await signInAs(stand, 'ben')).access, 'full')
})

test('S14: the user rules hold for the users of a site, at sign-in and when a seat is taken again', async (t) => {
  const stand = await Stand.start([server, own('l1/cad', { seats: 2 })])
  await startShop(stand)
  stand.denied = ['ben@x.example']
  isRefused(t, await signIn(stand, 'ben'), 'denied_by_rule')
  await signInAs(stand, 'ana')
  stand.denied = ['ana@x.example']
  t.like(await active(stand, 'ana'), { seat: true })
  await stand.clock.run(11_000)
  await stand.kept.sites.recycle('shop', 'test')
  t.like(await active(stand, 'ana'), { seat: false, code: 'denied_by_rule' })
})

test('the token of a site is told once and is good for that site alone, until another is made', async (t) => {
  const stand = await Stand.start([server])
  const { sites } = stand.kept
  const defined = await sites.define('shop', shop, 'test')
  if (defined.kind === 'refused' || defined.token === undefined) throw new Error('no token')
  t.deepEqual(await sites.define('shop', { ...shop, seats: 3 }, 'test'), { kind: 'defined' })
  const { token } = defined
  await sites.define('wiki', shop, 'test')
  t.true(sites.isToken('shop', token))
  t.false(sites.isToken('wiki', token))
  t.false(sites.isToken('nowhere', token))
  const renewed = await sites.renewToken('shop', 'test')
  if (renewed.kind === 'refused') throw new Error(renewed.detail)
  await stand.restart()
  t.false(stand.kept.sites.isToken('shop', token))
  t.true(stand.kept.sites.isToken('shop', renewed.token))
  for await (const record of stand.store.load()) t.false(JSON.stringify(record).includes(renewed.token))
  const wrong = await stand.kept.sites.define('shop', { ...shop, recycle: { cron: 'x', zone: 'UTC' } }, 'test')
  t.deepEqual(isRefused(t, wrong, 'invalid_request').facts?.fields, [
    { field: 'recycle.cron', message: 'must be five fields' },
  ])
})

test('two sign-ins of one id at the same moment are one, and who is idle for a week is forgotten', async (t) => {
  const stand = await Stand.start([server, own('l1/cad', { seats: 3 })])
  await startShop(stand, 'shop', { seats: 3, inactivityMinutes: 15 })
  await Promise.all([signIn(stand, 'ana'), signIn(stand, 'ana'), signIn(stand, 'ana')])
  t.is(occupied(stand), 1)
  await Promise.all([active(stand, 'ana'), stand.kept.sites.signOut('shop', 'ana')])
  t.is(occupied(stand), 0)
  await signInAs(stand, 'ben')
  await stand.clock.run(16 * minute)
  t.like(siteOf('shop', stand.owners, true)?.signIns, [{ id: 'ben', access: 'none' }])
  stand.clock.setWall(stand.clock.wall() + 8 * day)
  await stand.clock.run(20_000)
  t.deepEqual(siteOf('shop', stand.owners, true)?.signIns, [])
})

test('P2: whatever happens, never more are signed in with a seat than the site took, and nobody holds two', async (t) => {
  const names = fc.constantFrom('a', 'b', 'c', 'd', 'e')
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('in' as const), id: names }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('out' as const), id: names }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('active' as const), id: names }) },
    fc.record({ kind: fc.constant('recycle' as const) }),
    fc.record({ kind: fc.constant('seats' as const), seats: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ kind: fc.constant('run' as const), minutes: fc.integer({ min: 1, max: 20 }) }),
    fc.record({ kind: fc.constant('restart' as const), how: fc.constantFrom('crash' as const, 'reboot' as const) }),
    fc.record({ kind: fc.constant('cut' as const), isUp: fc.boolean() }),
    fc.record({ kind: fc.constant('disconnect' as const) }),
    fc.record({ kind: fc.constant('stop' as const) }),
    fc.record({ kind: fc.constant('start' as const) }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 14 }), async (steps) => {
      const stand = await Stand.start([server, own('l1/cad', { seats: 1 })], [{ seats: 2 }])
      await startShop(stand, 'shop', { seats: 3, inactivityMinutes: 15 })
      for (const one of steps) {
        const { sites } = stand.kept
        const work: Promise<unknown>[] = []
        if (one.kind === 'in') work.push(signIn(stand, one.id), signIn(stand, one.id))
        else if (one.kind === 'out') work.push(sites.signOut('shop', one.id))
        else if (one.kind === 'active') work.push(active(stand, one.id), active(stand, one.id))
        else if (one.kind === 'recycle') void sites.recycle('shop', 'test').catch(() => undefined)
        else if (one.kind === 'seats')
          work.push(sites.define('shop', { ...shop, seats: one.seats, inactivityMinutes: 15 }, 'test'))
        else if (one.kind === 'run') await stand.clock.run(one.minutes * minute)
        else if (one.kind === 'restart') await stand.restart(one.how)
        else if (one.kind === 'cut') stand.manager().isUp = one.isUp
        else if (one.kind === 'disconnect')
          for (const id of stand.manager().leases.keys()) stand.manager().disconnect(id)
        else if (one.kind === 'stop') work.push(sites.stopSite('shop', 'test'))
        else work.push(sites.startSite('shop', 'test'))
        await Promise.all(work)
        const seats = stand.used() + stand.manager().used
        const live = [...stand.lessor.view.grants()].filter(({ kind }) => kind === 'session')
        const used = live.reduce((sum, { seats }) => sum + seats, 0)
        t.true(used <= seats, `${used} of ${seats}`)
        t.true(stand.used() <= 1 && stand.manager().used <= 2)
        const users = live.filter(({ ending }) => ending === undefined).map(({ who }) => who.email)
        t.is(new Set(users).size, users.length)
      }
    }),
    {
      numRuns: 25,
      // What a process wrote after it had crashed once broke this.
      examples: [
        [
          [
            { kind: 'in', id: 'e' },
            { kind: 'recycle' },
            { kind: 'in', id: 'a' },
            { kind: 'restart', how: 'crash' },
            { kind: 'active', id: 'e' },
          ],
        ],
      ],
    },
  )
})
