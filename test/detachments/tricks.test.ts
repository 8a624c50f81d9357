import test from 'ava'
import { readLastLink } from '../../agent/domain/proof-signer.ts'
import { day, hour, Machine, minute, pass, turns } from './machine.ts'
import { codeOf, inOf, iso, monday, office, outOf, take } from './office.ts'

test('trick 1, R12: the clock set back lengthens nothing: the seat ends when its time has passed', async (t) => {
  const { laptop } = await office()
  await take(laptop)
  laptop.clock.setWall(monday - 100 * day)
  await laptop.look()
  await pass(7 * day - minute, laptop)
  t.is(inOf(laptop).length, 1)
  await pass(minute, laptop)
  t.is(inOf(laptop).length, 0)
  t.is(await laptop.opens('ana'), 'unknown_product')
})

test('trick 1, R12: with a wall that is behind detached seats take new sessions for 24 hours, and again when it is right', async (t) => {
  const { laptop, server } = await office()
  await take(laptop)
  server.isUp = false
  t.is(await laptop.opens('ana'), 'granted')
  await laptop.parts.lessor.end('ana', 'released')
  laptop.clock.setWall(laptop.clock.wall() - 3 * hour)
  await laptop.look()
  await pass(24 * hour - minute, laptop)
  t.is(await laptop.opens('bob'), 'granted')
  await laptop.parts.lessor.end('bob', 'released')
  await pass(2 * minute, laptop)
  t.is(await laptop.opens('cid'), 'clock_set_back')
  laptop.clock.setWall(laptop.clock.wall() + 3 * hour)
  await laptop.look()
  t.is(await laptop.opens('cid'), 'granted')
})

test('trick 1, R12: a session that runs goes on while the clock is behind', async (t) => {
  const { laptop } = await office()
  await take(laptop)
  t.is(await laptop.opens('ana'), 'granted')
  laptop.clock.setWall(laptop.clock.wall() - day)
  await laptop.look()
  for (let hours = 0; hours < 30 * 6; hours++) {
    await pass(10 * minute, laptop)
    t.is((await laptop.parts.lessor.renew('ana')).kind, 'renewed')
  }
  t.is(await laptop.opens('bob'), 'clock_set_back')
})

test('trick 2: the service stopped, the machine asleep or off: the date comes all the same', async (t) => {
  const { laptop } = await office()
  await take(laptop)
  laptop.clock.advance(5 * day)
  await laptop.restart()
  laptop.clock.sleepMachine(day)
  await laptop.restart()
  t.is(inOf(laptop).length, 1)
  await laptop.reboot(day)
  // A wall that is ahead is believed after an hour of running; until then nothing new is had.
  t.is(await laptop.opens('ana'), 'license_expired')
  t.is(laptop.parts.detachments.list()[0]?.state, 'held')
  for (let minutes = 0; minutes < 62; minutes++) await laptop.pass(minute)
  t.is(inOf(laptop).length, 0)
})

test('trick 2, R12: with the clock set back at every start the seat lasts for its duration of running, and not longer', async (t) => {
  const { laptop } = await office()
  const start = laptop.clock.wall()
  await take(laptop, { days: 2 })
  let ran = 0
  while (inOf(laptop).length > 0 && ran < 10 * day) {
    await laptop.pass(6 * hour)
    ran += 6 * hour
    await laptop.reboot(hour)
    laptop.clock.setWall(start)
    await laptop.look()
  }
  t.is(ran, 2 * day)
})

test('trick 3, R23: the folder put back after the seat was returned: it is over at the first contact', async (t) => {
  const { laptop, server } = await office()
  const { detachment } = await take(laptop)
  const folder = await laptop.copy()
  t.like(await laptop.parts.detachments.giveBack(detachment.id), { state: 'returned' })
  t.is(await server.used(), 0)
  await laptop.putBack(folder)
  // Offline this can not be prevented: only the date ends it.
  t.is(await laptop.opens('ana'), 'granted')
  laptop.parts.contact.noteManagers()
  await turns(20)
  t.is(inOf(laptop).length, 0)
  t.is(laptop.parts.lessor.view.grant('ana')?.ending, 'detachment_ended')
  t.is(await server.used(), 0)
  t.is(codeOf(await laptop.parts.detachments.extend(detachment.id, { days: 10 })), 'detachment_over')
})

test('trick 3: the folder put back brings no earlier version to life again', async (t) => {
  const { laptop } = await office()
  const { detachment } = await take(laptop, { days: 2 })
  const folder = await laptop.copy()
  await laptop.parts.detachments.extend(detachment.id, { days: 5 })
  await laptop.putBack(folder)
  t.is(inOf(laptop)[0]?.version, 1)
  await laptop.parts.contact.meetAll()
  t.like(inOf(laptop)[0], { version: 2, until: monday + 5 * day })
})

test('trick 3, R24: a manager set back to before it detached counts the seat again when it is shown, and says so', async (t) => {
  const { laptop, server } = await office({ products: [{ name: 'cad', seats: 1 }], activation: { needed: true } })
  const folder = await server.copy()
  const { detachment } = await take(laptop)
  await server.putBack(folder)
  t.is(await server.used(), 0)
  t.is(await server.opens('ana'), 'granted')
  await laptop.parts.contact.meetAll()
  t.is(await server.used(), 2)
  t.deepEqual(server.forgotten, [laptop.id])
  t.like(outOf(server)[0], { id: detachment.id, version: 1, until: monday + 7 * day })
  t.is(server.parts.making.figures('acme/cad').detachable, 0)
  await pass(7 * day + 10 * minute, server)
  t.is(outOf(server).length, 0)
  await server.reconcile()
})

test('trick 3, R24: a manager set back to before an extension waits for the later date', async (t) => {
  const { laptop, server } = await office({ activation: { needed: true } })
  const { detachment } = await take(laptop, { days: 2 })
  const folder = await server.copy()
  await laptop.parts.detachments.extend(detachment.id, { days: 6 })
  await server.putBack(folder)
  t.is(outOf(server)[0]?.until, monday + 2 * day)
  await laptop.parts.contact.meetAll()
  t.like(outOf(server)[0], { version: 2, until: monday + 6 * day })
  t.is(server.forgotten.length, 1)
  await server.reconcile()
})

test('R24: only what this agent signed counts as evidence', async (t) => {
  const { laptop } = await office({ activation: { needed: true } })
  const other = await office({ activation: { needed: true } })
  await take(laptop)
  const text = inOf(laptop)[0]?.texts.at(-1) ?? ''
  laptop.meet(other.server)
  const held = [{ id: readLastLink([text])?.id ?? '', version: 1, text, state: 'attached' as const }]
  const reply = await other.server.linkFor(laptop).report({ held, time: monday }, { timeout: 1 })
  t.like(reply, { answer: { results: [{ outcome: 'unknown' }] } })
  t.is(other.server.forgotten.length, 0)
})

test('trick 4: a copied folder works twice until the date and not a second longer, and gets nothing new once one has returned', async (t) => {
  const { laptop, server } = await office()
  const { detachment } = await take(laptop)
  const copy = await Machine.start('LAPTOP', { key: laptop.key, store: await laptop.copy() })
  copy.meet(server)
  server.known.set(laptop.id, laptop)
  t.is(await laptop.opens('ana'), 'granted')
  // Two machines with one key that never meet anybody: this is only detected (the peer book calls it a fork).
  t.is(await copy.opens('bob'), 'granted')
  await laptop.parts.lessor.end('ana', 'released')
  await laptop.parts.detachments.giveBack(detachment.id)
  await copy.parts.contact.meetAll()
  t.is(inOf(copy).length, 0)
  t.is(codeOf(await copy.parts.detachments.extend(detachment.id, { days: 8 })), 'detachment_over')
})

test('R11: a manager whose wall jumps ahead frees nothing by it for an hour of running, and at once on an administrator’s word', async (t) => {
  const { laptop, server } = await office()
  await take(laptop, { days: 2 })
  await server.reboot(0)
  server.clock.setWall(monday + 9 * day)
  await server.restart()
  t.is(server.parts.detachments.list()[0]?.state, 'held')
  for (let minutes = 0; minutes < 55; minutes++) await server.pass(minute)
  t.is(await server.used(), 1)
  t.is(await server.opens('ana'), 'granted')
  await server.parts.floor.acceptWall()
  await server.look()
  t.is(await server.used(), 1)
  t.is(outOf(server).length, 0)
})

test('R11: after a long downtime nothing is freed by date before an hour of running', async (t) => {
  const { laptop, server } = await office()
  await take(laptop, { days: 2 })
  await server.reboot(5 * day)
  t.is(await server.used(), 1)
  for (let minutes = 0; minutes < 59; minutes++) await server.pass(minute)
  t.is(await server.used(), 1)
  for (let minutes = 0; minutes < 3; minutes++) await server.pass(minute)
  t.is(await server.used(), 0)
})

test('R11: sleep counts for the date, downtime of up to 5 minutes costs nothing', async (t) => {
  const { laptop, server } = await office()
  await take(laptop, { days: 2 })
  server.clock.sleepMachine(2 * day)
  await server.pass(6 * minute)
  await server.reboot(4 * minute)
  await server.pass(minute)
  t.is(await server.used(), 0)
})

test('R11: the wall of the laptop far ahead takes no new sessions, ends nothing, and is withdrawn when it is right again', async (t) => {
  const { laptop, server } = await office()
  await take(laptop)
  server.isUp = false
  t.is(await laptop.opens('ana'), 'granted')
  laptop.clock.setWall(laptop.clock.wall() + 365 * day)
  await laptop.pass(minute)
  t.is(await laptop.opens('bob'), 'license_expired')
  t.is((await laptop.parts.lessor.renew('ana')).kind, 'renewed')
  t.is(inOf(laptop).length, 1)
  laptop.clock.setWall(laptop.clock.wall() - 365 * day)
  await laptop.pass(minute)
  await laptop.parts.lessor.end('ana', 'released')
  t.is(await laptop.opens('bob'), 'granted')
})

test('R11: a laptop that had believed a wrong year goes by the manager’s time for what the manager signed', async (t) => {
  const { laptop } = await office()
  laptop.clock.setWall(monday + 365 * day)
  await laptop.parts.floor.acceptWall()
  laptop.clock.setWall(monday)
  await laptop.look()
  const { detachment } = await take(laptop)
  t.is(detachment.until, iso(monday + 7 * day))
  await laptop.pass(2 * day)
  t.is(await laptop.opens('ana'), 'granted')
})

test('R3: a restart at any moment loses no detachment and doubles none', async (t) => {
  const { laptop, server } = await office()
  await take(laptop, { seats: 2 })
  for (let round = 0; round < 3; round++) {
    await server.restart()
    await laptop.restart()
    await pass(hour, server, laptop)
    t.is(await server.used(), 2)
    t.is(inOf(laptop)[0]?.seats, 2)
  }
  await pass(7 * day - 3 * hour, server, laptop)
  await pass(10 * minute, server)
  t.is(await server.used(), 0)
})

test('R1: a write that fails makes no half detachment, and the same request asked again has one', async (t) => {
  for (const how of ['before', 'after'] as const) {
    const { laptop, server } = await office()
    server.store.failCommits(how)
    const detaching = take(laptop)
    for (let round = 0; round < 5; round++) {
      await turns()
      server.clock.advance(200)
    }
    await detaching.catch(() => undefined)
    await pass(10_000, server, laptop)
    await pass(10_000, server, laptop)
    const taken = inOf(laptop).length
    t.is(await server.used(), taken, how)
    await server.reconcile()
  }
})
