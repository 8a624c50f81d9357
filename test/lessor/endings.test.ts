import test from 'ava'
import { Core, minute, promised, secondsOf, supply, turn } from './core.ts'

test('R5: a session that is disconnected is renewed no more and counts until its time is over', async (t) => {
  const core = await Core.start([supply(1)])
  await core.open('ana')
  core.clock.advance(100_000)
  const answer = await core.lessor.disconnect('ana', 'disconnected')
  t.is(answer.kind, 'ending')
  t.is('freeAt' in answer && answer.freeAt - core.clock.wall(), promised - 100_000)
  core.clock.advance(promised - 100_001)
  t.is((await core.open('ben')).kind, 'short')
  core.clock.advance(1)
  t.is((await core.open('ben')).kind, 'granted')
})

test('R5: the holder confirms by being answered, and a crash before the answer is out frees nothing', async (t) => {
  const core = await Core.start([supply(1)])
  await core.open('ana')
  await core.lessor.disconnect('ana', 'disconnected')
  t.deepEqual(core.lessor.renew('ana'), { kind: 'ended', reason: 'disconnected' })
  await core.restart()
  core.clock.advance(5_000)
  t.is((await core.open('ben')).kind, 'short', 'the answer may never have been out')
  t.deepEqual(core.lessor.renew('ana'), { kind: 'ended', reason: 'disconnected' })
  core.clock.advance(1_999)
  t.is((await core.open('ben')).kind, 'short')
  core.clock.advance(1)
  t.is((await core.open('ben')).kind, 'granted')
})

test('R5: the answer that a session has ended counts from when it goes out, however slow the disk is', async (t) => {
  const core = await Core.start([supply(1, { leaseSeconds: 20, until: 80_000 })])
  await core.open('ana')
  core.clock.advance(20_000)
  core.store.hold()
  const renewal = core.lessor.renew('ana')
  await turn()
  core.clock.advance(10_000)
  core.store.release()
  t.deepEqual(await renewal, { kind: 'ended', reason: 'expired' })
  await core.putSupply(supply(1, { leaseSeconds: 20 }))
  core.clock.advance(1_000)
  t.is((await core.open('ben')).kind, 'short')
  core.clock.advance(1_000)
  t.is((await core.open('ben')).kind, 'granted')
})

test('R5: a seat that is freed now is an overlap for as long as its holder may believe, this batch included', async (t) => {
  const core = await Core.start([supply(1)])
  await core.open('ana')
  core.clock.advance(605_000)
  // In one batch: the renewal for 600 s more, then the order.
  const renewal = core.lessor.renew('ana')
  const answer = await core.lessor.disconnect('ana', 'disconnected', { freeNow: true, by: 'admin' })
  t.is(secondsOf(await renewal), 600)
  t.like(answer, { kind: 'ended', overlap: { seats: 1, until: core.clock.wall() + promised } })
  t.is((await core.open('ben')).kind, 'granted')
  const forbidden = await Core.start([supply(1, { overlap: false })])
  await forbidden.open('ana')
  t.deepEqual(await forbidden.lessor.disconnect('ana', 'disconnected', { freeNow: true }), {
    kind: 'overlap_forbidden',
  })
  // Taking the license away and putting it back is no way around that.
  await forbidden.dropSupply('L1/cad')
  t.deepEqual(await forbidden.lessor.disconnect('ana', 'disconnected', { freeNow: true }), {
    kind: 'overlap_forbidden',
  })
})

test('R6: a removed license ends its supply and not its grants, and finds them when it is installed again', async (t) => {
  const core = await Core.start([supply(2)])
  await core.open('ana')
  await core.dropSupply('L1/cad')
  t.is((await core.open('ben')).kind, 'unknown_product')
  t.is(core.lessor.view.grant('ana')?.ending, 'license_removed')
  await core.putSupply(supply(1))
  t.is((await core.open('ben')).kind, 'short', 'Ana may still use the one seat')
  t.deepEqual(await core.lessor.renew('ana'), { kind: 'ended', reason: 'license_removed' })
  core.clock.advance(2_000)
  t.is((await core.open('ben')).kind, 'granted')
})

test('R6: with fewer seats than are out nobody is thrown out, and nobody new comes in until below', async (t) => {
  const core = await Core.start([supply(3)])
  for (const id of ['ana', 'ben', 'cleo']) await core.open(id)
  await core.putSupply(supply(1))
  for (const id of ['ana', 'ben', 'cleo']) t.is((await core.lessor.renew(id)).kind, 'renewed')
  t.is((await core.open('dora')).kind, 'short')
  await core.lessor.end('ana', 'released')
  await core.lessor.end('ben', 'released')
  t.is((await core.open('dora')).kind, 'short')
  await core.lessor.end('cleo', 'released')
  t.is((await core.open('dora')).kind, 'granted')
})

test('R31: a session moves out of any-product seats before somebody is refused', async (t) => {
  const core = await Core.start([
    supply(1, { license: 'any', product: undefined }),
    supply(1),
    supply(0, { license: 'L2' }),
  ])
  await core.open('own')
  t.is(core.lessor.view.grant('own')?.parts[0]?.supply, 'L1/cad')
  await core.open('any')
  t.is(core.lessor.view.grant('any')?.parts[0]?.supply, 'any/*')
  t.is((await core.open('cam', { product: 'acme/cam' })).kind, 'short')
  await core.putSupply(supply(1, { license: 'L2' }))
  t.is(core.lessor.view.grant('any')?.parts[0]?.supply, 'L2/cad', 'it moved when a seat of its product came')
  t.is((await core.open('cam', { product: 'acme/cam' })).kind, 'granted')
})

test('R31: a session moves back when a seat of its product comes free, with the same id and no new promise', async (t) => {
  const core = await Core.start([supply(1, { license: 'any', product: undefined }), supply(1)])
  await core.open('own')
  await core.open('any')
  await core.lessor.end('own', 'released')
  t.is(core.lessor.view.grant('any')?.parts[0]?.supply, 'L1/cad')
  t.deepEqual(core.lastEntries(), ['session.ended own', 'session.moved any'])
  t.is((await core.lessor.renew('any')).kind, 'renewed')
})

test('R31: when a supply ends, its sessions move where they fit and the rest begins to end', async (t) => {
  const core = await Core.start([supply(2), supply(1, { license: 'L2', until: 60 * minute })])
  await core.open('ana')
  await core.open('ben')
  await core.dropSupply('L1/cad')
  const grants = ['ana', 'ben'].map((id) => core.lessor.view.grant(id))
  t.is(grants.filter((grant) => grant?.parts[0]?.supply === 'L2/cad' && grant.ending === undefined).length, 1)
  t.is(grants.filter((grant) => grant?.ending === 'license_removed').length, 1)
})

test('R31: nobody moves to a supply that ends before what was promised, this batch included', async (t) => {
  const core = await Core.start([supply(1), supply(1, { license: 'L2', until: 760_000 })])
  await core.open('ana')
  core.clock.advance(605_000)
  // In one batch: renewed for 600 s, then its license is removed; the other one ends in 95 s.
  const renewal = core.lessor.renew('ana')
  await core.dropSupply('L1/cad')
  t.is(secondsOf(await renewal), 600)
  t.is(core.lessor.view.grant('ana')?.ending, 'license_removed')
})
