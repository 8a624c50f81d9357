/**
 * Real agents under load: killed in the middle of it, and raced for by many.
 */
import { randomUUID } from 'node:crypto'
import test from 'ava'
import { killUnderLoad, licenseOf } from './applications.ts'
import { cleanUp, freshFolder, RealAgent, seatIn } from './real-agent.ts'

test.after.always(cleanUp)

test('an agent killed under load has every acknowledged seat after the restart, none twice, and gives out no more than there are', (t) =>
  killUnderLoad(t, 5))

test('500 clients race for 100 seats: all 100 are given, and never more', async (t) => {
  const agent = await RealAgent.start(await freshFolder(), { connections: 100 })
  await agent.install(licenseOf(100))
  const answers = await Promise.all(Array.from({ length: 500 }, () => agent.open(randomUUID())))
  const counts = new Map<number, number>()
  for (const { status } of answers) counts.set(status, (counts.get(status) ?? 0) + 1)
  t.deepEqual([...counts].sort(), [
    [201, 100],
    [409, 400],
  ])
  t.is((await agent.sessions()).length, 100)

  // Clients that go on and off all the time: never more than 100 between the answer that gives and the request that returns.
  let live = 100
  let most = 0
  const holders = answers.filter((one) => one.status === 201).map(seatIn)
  const returning = holders.map(async ({ id, key }) => {
    live--
    const { status } = await agent.ask('DELETE', `/sessions/${id}`, undefined, { 'session-key': key })
    t.is(status, 204)
  })
  const coming = Array.from({ length: 500 }, async () => {
    const { status } = await agent.open(randomUUID())
    if (status === 201) most = Math.max(most, ++live)
  })
  await Promise.all([...returning, ...coming])
  t.true(most <= 100, `${most} at the same time`)
  const { body } = await agent.ask('GET', '/products')
  t.like(body, { items: [{ used: live }] })
  t.is((await agent.stop()).code, 0)
})
