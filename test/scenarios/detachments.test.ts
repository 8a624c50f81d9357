/** Real agents that take seats along from each other: over the wire, by blocks, and with nobody there when the date comes. */
import test from 'ava'
import { z } from 'zod'
import { waitFor } from '../helpers/wait-for.ts'
import { giveBack, issue, managersOf, restart, startManager, startWorkstation, takeSeat, usedAt } from './office.ts'
import { cleanUp, RealAgent, type Reply } from './real-agent.ts'

test.after.always(cleanUp)

const enabled = { LEASEHOLD_DETACH_ENABLED: 'true', LEASEHOLD_DETACH_GRACE_SECONDS: '5' }
const detached = z.looseObject({ id: z.string(), state: z.string(), until: z.string(), version: z.number() })
const made = z.looseObject({ detachment: detached, block: z.string().optional() })
const listed = z.looseObject({ items: z.array(detached) })
const terms = { detach: { maxDays: 14 } } as const

/** The answer, which must have this status. */
function read<T>(reply: Reply, status: number, shape: z.ZodType<T>): T {
  if (reply.status !== status) throw new Error(`${reply.status} ${JSON.stringify(reply.body)}`)
  return shape.parse(reply.body)
}

const codeOf = ({ body }: Reply): unknown => body.code

async function statesOf(agent: RealAgent): Promise<string[]> {
  const { items } = read(await agent.ask('GET', '/detachments?over=with'), 200, listed)
  return items.map(({ state }) => state)
}

async function ask(agent: RealAgent, body: object) {
  return read(await agent.ask('POST', '/detachments', { product: 'acme/cad', ...body }), 201, made)
}

async function stopAll(...agents: readonly RealAgent[]): Promise<{ readonly codes: (number | null)[] }> {
  const codes: (number | null)[] = []
  for (const agent of agents) codes.push((await agent.stop()).code)
  return { codes }
}

test('S9: with the manager gone the seat works until its date, and the manager frees it a grace later by itself', async (t) => {
  const server = await startManager([issue(1, terms)], { environment: enabled })
  const laptop = await startWorkstation([server.port], enabled)
  const offers = await laptop.ask('GET', '/detachable')
  t.like(offers.body, { items: [{ product: 'acme/cad', detachable: 1, maxDays: 14, local: false }] })
  const until = new Date(Date.now() + 15_000).toISOString()
  const { detachment } = await ask(laptop, { until })
  t.is(detachment.state, 'active')
  const seat = await takeSeat(laptop)
  t.like(await laptop.ask('GET', `/sessions/${seat.id}`), { body: { source: { kind: 'detachment' } } })
  t.is(await usedAt(server), 1)
  t.is(codeOf(await laptop.open('a-second-application')), 'no_seats')
  await server.kill()
  // At another port, where the laptop does not find it: no message is exchanged from here on.
  const alone = await RealAgent.start(server.folder, server.options)
  t.is(await usedAt(alone), 1)
  const over = waitFor('the date', async () => (await statesOf(alone)).join() === 'over', 60_000)
  const gone = await waitFor(
    'the end',
    async () => {
      const { status, body } = await laptop.ask('PUT', `/sessions/${seat.id}`, {}, { 'session-key': seat.key })
      return status === 410 ? body : undefined
    },
    60_000,
  )
  t.is(gone.reason, 'detachment_ended')
  t.true(Date.now() >= Date.parse(detachment.until) - 1_000)
  await waitFor('the end of the detachment', async () => (await statesOf(laptop)).join() === 'ended', 60_000)
  await over
  await waitFor('the seat', async () => (await usedAt(alone)) === 0, 60_000)
  t.true(Date.now() >= Date.parse(detachment.until) + 5_000)
  await takeSeat(alone)
  t.like(await alone.ask('GET', '/journal/verify'), { body: { kind: 'good' } })
  t.deepEqual((await stopAll(alone, laptop)).codes, [0, 0])
})

test('S8, S10: detached, extended and given back over the wire, with what is allowed in each refusal', async (t) => {
  const server = await startManager([issue(2, terms)], { environment: enabled })
  const laptop = await startWorkstation([server.port], enabled)
  const plan = await laptop.ask('POST', '/detachments', { product: 'cad', days: 3, preview: true })
  t.like(plan, { status: 200, body: { product: 'acme/cad', seats: 1, detachable: 2, earlyReturn: 'offline' } })
  const beyond = await laptop.ask('POST', '/detachments', { product: 'acme/cad', days: 15 })
  t.like(beyond, { status: 422, body: { code: 'beyond_maximum', maxDays: 14 } })
  t.true(Date.parse(String(beyond.body.latest)) > Date.now() + 13 * 86_400_000)
  const many = await laptop.ask('POST', '/detachments', { product: 'acme/cad', days: 1, seats: 3 })
  t.like(many, { status: 409, body: { code: 'too_many_seats', detachable: 2 } })
  const order = { 'idempotency-key': 'a-trip-of-two-days-0001' }
  const trips = []
  for (let time = 0; time < 2; time += 1)
    trips.push(read(await laptop.ask('POST', '/detachments', { product: 'acme/cad', days: 2 }, order), 201, made))
  t.is(trips[0]?.detachment.id, trips[1]?.detachment.id)
  t.is(await usedAt(server), 1)
  await laptop.ask('DELETE', `/detachments/${trips[0]?.detachment.id}`)
  const seat = await takeSeat(laptop)
  t.like(await laptop.ask('GET', `/sessions/${seat.id}`), { body: { source: { kind: 'lease' } } })
  // Its lease becomes a part of the detachment, and its session goes on there (R16).
  const { detachment } = await ask(laptop, { days: 3, seats: 2 })
  t.like(await laptop.ask('GET', `/sessions/${seat.id}`), { body: { source: { kind: 'detachment' } } })
  await giveBack(seat)
  const { detachment: longer } = read(
    await laptop.ask('PATCH', `/detachments/${detachment.id}`, { days: 5 }),
    200,
    made,
  )
  t.is(longer.version, 2)
  t.like(await server.ask('GET', `/detachments/${detachment.id}`), {
    body: { direction: 'out', state: 'active', seats: 2, version: 2, until: longer.until },
  })
  await laptop.kill()
  const back = await restart(laptop)
  t.is((await takeSeat(back)).agent, back)
  const [session] = await back.sessions()
  await back.ask('POST', `/sessions/${session?.id}/disconnect`, { freeNow: true })
  t.like(await back.ask('DELETE', `/detachments/${detachment.id}`), { status: 200, body: { state: 'returned' } })
  t.is(await usedAt(server), 0)
  t.like(await back.ask('DELETE', `/detachments/${detachment.id}`), { status: 200, body: { state: 'returned' } })
  t.deepEqual((await stopAll(server, back)).codes, [0, 0])
})

test('S8: what an administrator detaches for a known machine is attached there without anybody’s doing', async (t) => {
  const server = await startManager([issue(1, terms)], { environment: enabled })
  const laptop = await startWorkstation([server.port], enabled)
  const [known] = await managersOf(server)
  const { detachment, block } = await ask(server, { days: 2, recipient: known?.id ?? 'nobody' }).catch(async () => {
    // It becomes known with its first question.
    await laptop.ask('POST', '/search', {})
    const { body } = await laptop.ask('GET', '/status')
    const { agent } = z.looseObject({ agent: z.looseObject({ id: z.string() }) }).parse(body)
    return await ask(server, { days: 2, recipient: agent.id })
  })
  t.is(block, undefined)
  t.is(detachment.state, 'waiting')
  await laptop.ask('POST', '/search', {})
  await waitFor('the attached seat', async () => (await statesOf(laptop)).includes('active'), 60_000)
  t.deepEqual(await statesOf(server), ['active'])
  t.deepEqual((await stopAll(server, laptop)).codes, [0, 0])
})

test('S11: by blocks between two agents that never meet', async (t) => {
  const server = await startManager([issue(1, terms)], { environment: enabled })
  const laptop = await startWorkstation([], enabled)
  const { recipient } = read(await laptop.ask('GET', '/recipient'), 200, z.looseObject({ recipient: z.string() }))
  const { detachment, block } = await ask(server, { days: 2, recipient })
  const attach = { text: block, apply: true }
  t.like(await laptop.ask('POST', '/documents', attach), { status: 200, body: { documents: [{ applied: true }] } })
  t.like(await laptop.ask('POST', '/documents', attach), { status: 422, body: { code: 'already_applied' } })
  t.like(await server.ask('POST', '/documents', attach), { status: 422, body: { code: 'wrong_recipient' } })
  await takeSeat(laptop)
  t.is(codeOf(await laptop.ask('POST', '/returns', { detachment: detachment.id })), 'detachment_in_use')
  const [session] = await laptop.sessions()
  await laptop.ask('POST', `/sessions/${session?.id}/disconnect`, { freeNow: true })
  const made = await laptop.ask('POST', '/returns', { detachment: detachment.id })
  const { receipt } = read(made, 200, z.looseObject({ receipt: z.string() }))
  const apply = { text: receipt, apply: true }
  t.like(await server.ask('POST', '/documents', apply), { status: 200, body: { documents: [{ applied: true }] } })
  t.like(await server.ask('POST', '/documents', apply), { status: 422, body: { code: 'already_returned' } })
  t.is(await usedAt(server), 0)
  t.like(await laptop.ask('GET', '/clock'), { status: 200, body: { ahead: undefined, behind: undefined } })
  t.is((await server.ask('POST', '/clock/confirm', {})).status, 200)
  t.deepEqual((await stopAll(server, laptop)).codes, [0, 0])
})

test('S8: the people of a machine detach to it without the password, unless the setting asks for it', async (t) => {
  const server = await startManager([issue(2, terms)], { environment: enabled })
  const laptop = await startWorkstation([server.port], enabled)
  await laptop.ask('PUT', '/password', { password: 'correct horse battery staple' })
  const { detachment } = await ask(laptop, { days: 1 })
  const other = { product: 'acme/cad', days: 1, recipient: 'nobody' }
  t.is(codeOf(await laptop.ask('POST', '/detachments', other)), 'sign_in_needed')
  t.is(codeOf(await laptop.ask('POST', `/detachments/${detachment.id}/lost`, {})), 'sign_in_needed')
  t.is((await laptop.ask('DELETE', `/detachments/${detachment.id}`)).status, 200)
  await laptop.stop()
  const strict = { ...laptop.options.environment, LEASEHOLD_DETACH_NEEDS_ADMINISTRATOR: 'true' }
  const again = await restart({ ...laptop, options: { ...laptop.options, environment: strict } })
  await waitFor('the offers', async () => (await managersOf(again)).some(({ state }) => state === 'reachable'), 60_000)
  t.is(codeOf(await again.ask('POST', '/detachments', { product: 'acme/cad', days: 1 })), 'sign_in_needed')
  t.deepEqual((await stopAll(server, again)).codes, [0, 0])
})
