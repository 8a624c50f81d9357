import test from 'ava'
import type { DetachedHere } from '../../agent/detachment-asking.ts'
import { openDocument } from '../../agent/domain/documents/document.ts'
import { verifyProof } from '../../agent/domain/proof.ts'
import { blockOf } from '../licenses/test-vendor.ts'
import { day, hour, Machine, minute, pass, turns } from './machine.ts'
import { codeOf, inOf, iso, monday, office, outOf, take } from './office.ts'

test('S10: given back online in one click; the manager frees at once, and the old id gets nothing more', async (t) => {
  const { laptop, server } = await office()
  const { detachment } = await take(laptop)
  const returned = await laptop.parts.detachments.giveBack(detachment.id)
  t.like(returned, { kind: 'returned', state: 'returned' })
  t.is(await server.used(), 0)
  t.is(await laptop.opens('ana'), 'unknown_product')
  t.is(codeOf(await laptop.parts.detachments.extend(detachment.id, { days: 8 })), 'detachment_over')
  t.like(await laptop.parts.detachments.giveBack(detachment.id), { state: 'returned' })
  t.is((await server.entries('detachment.returned'))[0]?.facts.how, 'online')
})

test('R16: it takes nothing new, and the manager is told only once nothing lives on it', async (t) => {
  const { laptop, server } = await office()
  const { detachment } = await take(laptop)
  t.is(await laptop.opens('ana'), 'granted')
  t.like(await laptop.parts.detachments.giveBack(detachment.id), { state: 'returning' })
  t.is(await laptop.opens('bob'), 'unknown_product')
  await laptop.pass(10_000)
  // It is shown what is here in the meantime.
  await laptop.parts.contact.meetAll()
  t.is(await server.used(), 1)
  t.like(inOf(laptop)[0], { state: 'returning' })
  await laptop.parts.lessor.end('ana', 'released')
  await laptop.restart()
  await laptop.pass(2_000)
  t.is(await server.used(), 0)
  t.is(laptop.parts.detachments.get(detachment.id)?.state, 'returned')
})

test('a manager that can not be reached is told of the return when it is back', async (t) => {
  const { laptop, server } = await office()
  const { detachment } = await take(laptop)
  server.isUp = false
  t.like(await laptop.parts.detachments.giveBack(detachment.id), { state: 'returning' })
  await laptop.pass(hour)
  server.isUp = true
  laptop.parts.contact.noteManagers()
  await turns()
  await laptop.pass(1_000)
  t.is(await server.used(), 0)
})

test('a license that lets seats come back on their date only has none given back early', async (t) => {
  const { laptop, server } = await office({ detach: { maxDays: 14, earlyReturn: 'atDate' } })
  const { detachment } = await take(laptop)
  t.like(detachment, { earlyReturn: 'atDate', unavailable: [{ action: 'return' }, { action: 'receipt' }] })
  t.is(codeOf(await laptop.parts.detachments.giveBack(detachment.id)), 'early_return_forbidden')
  t.is(codeOf(await laptop.parts.detachments.makeReceipt(detachment.id)), 'early_return_forbidden')
  t.is(await laptop.opens('ana'), 'granted')
  t.is(await server.used(), 1)
})

test('R16: what is being given back and still in use is not shown to its manager as given back', async (t) => {
  const { laptop, server } = await office()
  const { detachment } = await take(laptop)
  t.is(await laptop.opens('ana'), 'granted')
  await laptop.parts.detachments.giveBack(detachment.id)
  await laptop.parts.contact.meetAll()
  t.is(await server.used(), 1)
  t.is((await laptop.parts.lessor.renew('ana')).kind, 'renewed')
  await laptop.parts.lessor.end('ana', 'released')
  await laptop.pass(2 * minute)
  t.is(await server.used(), 0)
})

test('R16: what a clock that jumped has ended is not told as given back while its session was promised more', async (t) => {
  const { laptop, server } = await office()
  const { detachment } = await take(laptop, { days: undefined, until: iso(monday + 4 * minute) })
  t.is(await laptop.opens('ana'), 'granted')
  laptop.clock.setWall(monday + 4.5 * minute)
  await laptop.look()
  t.is(laptop.parts.book.in(detachment.id)?.state, 'ended')
  t.is(laptop.parts.lessor.view.grant('ana')?.ending, 'detachment_ended')
  await laptop.parts.contact.meetAll()
  t.is(await server.used(), 1)
  await laptop.parts.lessor.end('ana', 'released')
  await laptop.parts.contact.meetAll()
  t.is(await server.used(), 0)
})

test('S10: an extension is a new version, durable at the manager before the laptop hears of it', async (t) => {
  const { laptop, server } = await office()
  const { detachment } = await take(laptop, { days: 2 })
  await pass(day, server, laptop)
  server.fates.push('reply lost')
  t.is(codeOf(await laptop.parts.detachments.extend(detachment.id, { days: 5 })), 'manager_unreachable')
  t.like(outOf(server)[0], { version: 2, until: monday + 6 * day })
  t.like(inOf(laptop)[0], { version: 1, until: monday + 2 * day })
  await laptop.parts.contact.meetAll()
  t.like(inOf(laptop)[0], { version: 2, until: monday + 6 * day })
  await pass(3 * day, server, laptop)
  t.is(await laptop.opens('ana'), 'granted')
  t.is(codeOf(await laptop.parts.detachments.extend(detachment.id, { days: 1 })), 'date_in_past')
  const { version } = inOf(laptop)[0] ?? {}
  t.is((await laptop.parts.detachments.extend(detachment.id, { until: iso(monday + 6 * day) })).kind, 'made')
  t.like(inOf(laptop)[0], { version }, 'the same end again is no other version')
  t.is((await server.entries('detachment.extended')).length, 1)
  await server.reconcile()
  await laptop.reconcile()
})

test('X4: a session of a detachment proves itself with the vendor key alone', async (t) => {
  const { vendor, laptop } = await office({ activation: { needed: true } })
  await take(laptop)
  const nonce = 'nonce-of-the-application-1'
  const opened = await laptop.open('ana', { binding: nonce })
  if (opened.kind !== 'granted') throw new Error(opened.kind)
  const { proof = [] } = (await laptop.parts.proofs.prove(opened.grant, nonce)) as { proof?: string[] }
  const expected = { vendorKey: vendor.key.jwk, product: 'acme/cad', nonce, binding: nonce }
  const now = Math.floor(laptop.clock.wall() / 1000)
  const verified = verifyProof(proof, { ...expected, now })
  t.is(verified.kind, 'valid')
  t.is(proof.length, 4)
  t.is(verified.kind === 'valid' ? verified.endsAt : 0, Math.floor((monday + 7 * day) / 1000))
  t.is(verifyProof(proof, { ...expected, now: now + 8 * 86_400 }).kind, 'invalid')
})

test('X6: a soft one is valid for 3 days and goes on as long as it is renewed', async (t) => {
  const { laptop, server } = await office()
  const { detachment } = await take(laptop, { soft: true, days: undefined })
  t.like(detachment, { soft: true, until: iso(monday + 3 * day) })
  for (let hours = 0; hours < 24 * 5; hours += 12) {
    await pass(12 * hour, server, laptop)
    await laptop.parts.contact.renewSoft()
  }
  t.is(inOf(laptop)[0]?.until, monday + 8 * day)
  server.isUp = false
  await pass(3 * day - minute, server, laptop)
  t.is(await laptop.opens('ana'), 'granted')
  await pass(11 * minute, server, laptop)
  t.is(inOf(laptop).length, 0)
  t.is(await server.used(), 0)
  t.is((await server.entries('detachment.extended')).length, 0)
})

test('X6: reminders come 3 days, 1 day and 2 hours before the end, each once', async (t) => {
  const { laptop } = await office()
  await take(laptop, { days: 7 })
  const seen: (string | undefined)[] = []
  for (const left of [4 * day, 3 * day, 2 * day, day, 3 * hour, 2 * hour, hour]) {
    await laptop.pass(monday + 7 * day - left - laptop.clock.wall())
    await laptop.remind()
    seen.push(
      laptop.parts.health
        .list()
        .find(({ code }) => code === 'detachment_ends')
        ?.text.split(' within ')[1]
        ?.split(',')[0],
    )
    t.is(laptop.parts.detachments.list()[0]?.reminder, seen.at(-1) as never)
  }
  t.deepEqual(seen, [undefined, '3 days', '3 days', '1 day', '1 day', '2 hours', '2 hours'])
  const told = (await laptop.entries('detachment.reminded')).map(({ facts }) => facts.within)
  t.deepEqual(told, ['3 days', '1 day', '2 hours'])
  await laptop.pass(2 * hour)
  await laptop.remind()
  t.deepEqual(
    laptop.parts.health
      .list()
      .map(({ code }) => code)
      .filter((code) => code.startsWith('detach')),
    [],
  )
})

test('S8: an administrator detaches for a known agent, which takes it when it next connects', async (t) => {
  const { laptop, server } = await office()
  const { detachment, block } = await take(server, { recipient: 'LAPTOP' })
  t.is(block, undefined)
  t.like(detachment, { direction: 'out', state: 'waiting', actions: ['block', 'extend', 'withdraw'] })
  t.deepEqual(server.told, [`LAPTOP ${detachment.id}`])
  t.is(await server.used(), 1)
  t.deepEqual(server.parts.desk.readyFor(laptop.id), [detachment.id])
  laptop.parts.contact.noteReady(server.id, server.parts.desk.readyFor(laptop.id))
  await turns(10)
  t.is(await laptop.opens('ana'), 'granted')
  t.is(server.parts.detachments.get(detachment.id)?.state, 'active')
  t.deepEqual(server.parts.desk.readyFor(laptop.id), [])
  t.is(codeOf(await server.parts.detachments.giveBack(detachment.id)), 'early_return_forbidden')
})

test('what nobody has taken yet is withdrawn, and is free', async (t) => {
  const { laptop, server } = await office()
  const { detachment } = await take(server, { recipient: laptop.id })
  t.like(await server.parts.detachments.giveBack(detachment.id), { state: 'withdrawn' })
  t.is(await server.used(), 0)
  laptop.parts.contact.noteReady(server.id, [detachment.id])
  await turns(10)
  t.is(await laptop.opens('ana'), 'unknown_product')
  const second = await take(server, { recipient: laptop.id })
  await server.parts.detachments.block(second.detachment.id)
  t.is(codeOf(await server.parts.detachments.giveBack(second.detachment.id)), 'early_return_forbidden')
})

test('R24: declared lost it is free at its date; earlier only where the license says so, as an overlap until then', async (t) => {
  const strict = await office()
  const first = await take(strict.laptop)
  const lost = await strict.server.parts.detachments.declareLost(first.detachment.id, { by: 'ana' })
  t.like(lost, { kind: 'declared', detachment: { state: 'lost', lost: { early: false }, freeIn: 7 * 86_400 + 600 } })
  await pass(7 * day, strict.server)
  t.is(await strict.server.used(), 1)
  await pass(10 * minute, strict.server)
  t.is(await strict.server.used(), 0)
  t.is((await strict.server.entries('seat.overlap')).length, 0)

  const { server, laptop } = await office({
    products: [{ name: 'cad', seats: 2 }],
    detach: { maxDays: 14, lost: { afterDays: 2, perYear: 1 } },
  })
  const [a, b] = [await take(laptop), await take(laptop)]
  t.like(await server.parts.detachments.declareLost(a.detachment.id, { by: 'ana' }), {
    detachment: { lost: { early: true } },
  })
  await server.parts.detachments.declareLost(b.detachment.id, { by: 'ana' })
  await pass(2 * day, server)
  t.is(await server.used(), 0)
  const [overlap] = await server.entries('seat.overlap')
  t.like(overlap?.facts, { seats: 1, until: iso(monday + 7 * day + 600_000), reason: 'lost' })
  const third = await take(laptop, { days: 5 }).catch((error: Error) => error.message)
  t.regex(String(third), /clocks_differ/)
  await pass(2 * day, laptop)
  const again = await take(laptop)
  t.like(await server.parts.detachments.declareLost(again.detachment.id, { by: 'ana' }), {
    detachment: { lost: { early: false } },
  })
  t.is(codeOf(await server.parts.detachments.extend(again.detachment.id, { days: 9 })), 'not_detachable')
})

test('R6: a license that is removed leaves its detachments counting, and finds them when it is back', async (t) => {
  const { vendor, laptop, server } = await office()
  const license = vendor.license({ detach: { maxDays: 14 } })
  const id = await server.install(blockOf(license))
  await server.parts.licenses.remove((await entriesOf(server))[0] ?? '')
  await take(laptop)
  await server.parts.licenses.remove(id)
  await server.reconcile()
  t.is(await server.used(), 0)
  await server.install(blockOf(license))
  t.is(await server.used(), 1)
  await pass(7 * day + 10 * minute, server)
  t.is(await server.used(), 0)
})

async function entriesOf(server: Machine): Promise<string[]> {
  return server.parts.shelf.list().map(({ license }) => license.payload.id)
}

test('the wire tells an agent nothing of what is detached to another', async (t) => {
  const { laptop, server } = await office()
  const other = await Machine.start('OTHER')
  other.meet(server)
  const { detachment } = await take(laptop)
  const [record] = inOf(laptop)
  const link = server.linkFor(other)
  t.like(await link.take(detachment.id, { timeout: 1 }), { problem: { code: 'unknown_detachment' } })
  t.is((await link.giveBack(detachment.id, { timeout: 1 })).kind, 'acknowledged')
  t.is(await server.used(), 1)
  const text = record?.texts.at(-1) ?? ''
  const held = [{ id: detachment.id, version: 1, text, state: 'attached' as const }]
  t.like(await link.report({ held, time: monday }, { timeout: 1 }), { answer: { results: [{ outcome: 'unknown' }] } })
  t.is(openDocument(text, 'leasehold-detachment').kind, 'opened')
})

const attached = (outcome: DetachedHere): boolean => outcome.kind === 'attached'

test('an id belongs to who asked for it first', async (t) => {
  const { laptop, server } = await office()
  const other = await Machine.start('OTHER')
  other.meet(server)
  const { detachment } = await take(laptop)
  const ask = {
    product: 'acme/cad' as const,
    seats: 1,
    until: monday + day,
    version: 1,
    time: monday,
    who: {},
    machine: 'OTHER',
    chain: [other.id],
  }
  const reply = await server.linkFor(other).detach(detachment.id, ask, { timeout: 1 })
  t.like(reply, { problem: { code: 'id_conflict' } })
  t.false(attached(await laptop.parts.asking.extend('d-unknown-at-all', { until: monday })))
})
