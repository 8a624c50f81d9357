/** A branch office: an agent that keeps seats of another one in advance and serves them on; and a web site at such an agent. */
import { randomUUID } from 'node:crypto'
import test, { type ExecutionContext } from 'ava'
import { z } from 'zod'
import { verifyProof } from '../../agent/domain/proof.ts'
import { waitFor } from '../helpers/wait-for.ts'
import {
  acme,
  beat,
  issue,
  knows,
  managersOf,
  Relay,
  restart,
  startManager,
  startWorkstation,
  takeSeat,
  usedAt,
} from './office.ts'
import { cleanUp, type RealAgent } from './real-agent.ts'
import { audit } from './seat-audit.ts'

const relays: Relay[] = []
test.after.always(async () => {
  for (const relay of relays) relay.close()
  await cleanUp()
})

async function startBranch(head: RealAgent): Promise<{ branch: RealAgent; line: Relay }> {
  const line = await Relay.to(head.port)
  relays.push(line)
  const branch = await startManager([], {
    environment: { LEASEHOLD_REMOTE_SEARCH: `127.0.0.1:${line.port}`, LEASEHOLD_CACHE_LINGER_SECONDS: '0' },
  })
  await knows(branch, 1)
  return { branch, line }
}

const reserve = z.looseObject({
  taken: z.number(),
  used: z.number(),
  from: z.array(z.looseObject({ seats: z.number(), until: z.string() })),
  missing: z.looseObject({ code: z.string() }).optional(),
})

async function reserveAt(agent: RealAgent, id = 'office') {
  return reserve.parse((await agent.ask('GET', `/reserves/${id}`)).body)
}

async function keep(agent: RealAgent, seats: number) {
  const { status, body } = await agent.ask('PUT', '/reserves/office', { product: 'acme/cad', seats })
  if (status !== 200 && status !== 201) throw new Error(`no reserve: ${status} ${JSON.stringify(body)}`)
  return reserve.parse(body)
}

test.serial(
  'R17, R19: a branch serves its reserve on, through a cut to head office, until its leases end, and says until when',
  async (t) => {
    const { license, terms } = issue(3, { leaseSeconds: 40 })
    const head = await startManager([{ license, terms }])
    const { branch, line } = await startBranch(head)
    t.like(await keep(branch, 2), { taken: 2, used: 0 })
    t.is(await usedAt(head), 2)
    const near = await startWorkstation([branch.port])
    const seat = await takeSeat(near)
    // The seat is one that the branch had, so head office gave out no other.
    t.is(await usedAt(head), 2)
    t.like(await reserveAt(branch), { taken: 2, used: 1 })
    line.cut = true
    line.reset()
    const cutAt = Date.now()
    const other = await takeSeat(near)
    t.is((await beat(other)).status, 200)
    // Whoever asks now gets none, and the reason.
    const third = await near.open(randomUUID())
    t.is(third.status, 409)
    const { from } = await reserveAt(branch)
    const until = Date.parse(from[0]?.until ?? '')
    t.true(until > cutAt && until <= cutAt + 40_000)
    await waitFor('the leases of the branch are over', async () => (await reserveAt(branch)).taken === 0, 90_000)
    t.true(Date.now() >= until - 1_000)
    t.not((await beat(seat)).status, 200)
    // Nobody was promised a seat for longer than the branch had it, so head office may give them to others.
    line.cut = false
    await waitFor('the branch has its reserve again', async () => (await reserveAt(branch)).taken === 2, 90_000)
    t.is(await usedAt(head), 2)
    await waitFor('a seat by way of the branch', async () => (await near.open(randomUUID())).status === 201, 60_000)
    const report = await audit([head, branch, near], [terms])
    t.deepEqual(report.violations, [])
    for (const agent of [near, branch, head]) t.is((await agent.stop()).code, 0)
  },
)

/** The proof of a seat, checked as an application does. */
async function prove(t: ExecutionContext, agent: RealAgent, links: number): Promise<void> {
  const nonce = randomUUID().replaceAll('-', '')
  const { status, body } = await agent.open(randomUUID(), { nonce })
  t.is(status, 201, JSON.stringify(body))
  const { id, proof } = z.looseObject({ id: z.string(), proof: z.array(z.string()) }).parse(body)
  t.is(proof.length, links)
  const now = Math.floor(Date.now() / 1000)
  const expected = { vendorKey: acme.key.jwk, product: 'acme/cad', nonce, binding: nonce, session: id, now }
  const verified = verifyProof(proof, expected)
  t.is(verified.kind, 'valid', JSON.stringify(verified))
}

test.serial(
  'R21, R26: seats go over as many agents as the license says and never in a circle; proofs hold over all of them, and of seats kept here',
  async (t) => {
    const { license, terms } = issue(3, { depth: 2, activation: { needed: true } })
    const head = await startManager([{ license, terms }])
    const { id } = license.payload
    const asked = await head.ask('POST', `/licenses/${id}/activation-request`, {})
    const { request } = z.looseObject({ request: z.string() }).parse(asked.body)
    const answer = acme.answer(request, license, { now: Date.now() })
    t.like(await head.ask('POST', '/documents', { text: answer, apply: true }), { status: 200 })
    t.like(await keep(head, 1), { taken: 1 })
    await prove(t, head, 3)
    t.like(await reserveAt(head), { used: 1 })
    const { branch } = await startBranch(head)
    t.like(await keep(branch, 1), { taken: 1 })
    const desk = await startManager([], { environment: { LEASEHOLD_REMOTE_SEARCH: `127.0.0.1:${branch.port}` } })
    await knows(desk, 1)
    await prove(t, desk, 5)
    t.is(await usedAt(head), 2)
    // One agent further is one too many.
    const deep = await startWorkstation([desk.port])
    t.not((await deep.open(randomUUID())).status, 201)
    // Head office knows the branch as well, and is never offered its own seats.
    await head.ask('PUT', '/configuration', { 'remote.search': [`127.0.0.1:${branch.port}`] })
    await knows(head, 1)
    const [offering] = await managersOf(head)
    t.deepEqual(offering?.offers, [])
    for (const agent of [deep, desk, branch, head]) t.is((await agent.stop()).code, 0)
  },
)

const defined = z.looseObject({ token: z.string() })

test.serial(
  'P1 to P7: a site lives on the seats of another machine, over HTTP, with its token and through a kill of its agent',
  async (t) => {
    const { license, terms } = issue(3, {
      leaseSeconds: 20,
      products: [
        { name: 'portal', seats: 1 },
        { name: 'cad', seats: 3 },
      ],
    })
    const head = await startManager([{ license, terms: { ...terms, seats: 4 } }])
    let web = await startWorkstation([head.port])
    const wish = { serverProduct: 'acme/portal', clientProduct: 'acme/cad', seats: 2 }
    const made = await web.ask('PUT', '/sites/shop', wish)
    t.is(made.status, 201)
    const headers = { authorization: `Bearer ${defined.parse(made.body).token}` }
    const site = (method: 'GET' | 'POST' | 'DELETE', path = '', body?: object, own: object = headers) =>
      web.ask(method, `/sites/shop${path}`, body, own)
    t.like(await site('POST', '/start', {}, {}), { status: 401, body: { code: 'sign_in_needed' } })
    t.like(await site('POST', '/start', {}, { authorization: 'Bearer wrong' }), {
      status: 403,
      body: { code: 'not_permitted' },
    })
    t.like(await site('POST', '/start', {}), { status: 200, body: { asked: 2, taken: 2 } })
    t.is(await usedAt(head), 2)
    t.is(await usedAt(head, 'acme/portal'), 1)
    const ana = await site('POST', '/sign-ins', { id: 'a1', user: { email: 'ana@example.com' } })
    t.like(ana, { status: 201, body: { id: 'a1', seat: true, access: 'full' } })
    t.is((await site('POST', '/sign-ins', { id: 'a1', user: { email: 'ana@example.com' } })).status, 200)
    t.is((await site('POST', '/sign-ins', { id: 'b1', user: { email: 'ben@example.com' } })).status, 201)
    const cleo = await site('POST', '/sign-ins', { id: 'c1', user: { email: 'cleo@example.com' } })
    t.like(cleo, { status: 409, body: { code: 'site_reserve_empty', seats: 2, taken: 2 } })
    t.like(await site('POST', '/sign-ins', { id: 'r1', user: {}, administrator: true }), {
      status: 201,
      body: { seat: false, access: 'administration' },
    })
    await web.kill()
    web = await restart(web)
    t.like(await site('POST', '/activity', { ids: ['a1', 'c1'] }), {
      status: 200,
      body: {
        items: [
          { id: 'a1', seat: true },
          { id: 'c1', seat: false, code: 'unknown_sign_in' },
        ],
      },
    })
    t.is((await site('DELETE', '/sign-ins/b1')).status, 204)
    t.is((await site('POST', '/sign-ins', { id: 'c1', user: { email: 'cleo@example.com' } })).status, 201)
    t.like(await web.ask('POST', '/sites/shop/recycle', {}), { status: 200, body: { taken: 2, occupied: 0 } })
    t.like(await site('POST', '/activity', { ids: ['c1'] }), { status: 200, body: { items: [{ seat: true }] } })
    t.like((await site('GET')).body, { occupied: 1, server: true, state: 'started' })
    t.is((await site('POST', '/stop', {})).status, 204)
    // What was given back often in a short time is free at the end of its text (R28).
    await waitFor('all is back', async () => (await usedAt(head)) + (await usedAt(head, 'acme/portal')) === 0, 60_000)
    for (const agent of [web, head]) t.is((await agent.stop()).code, 0)
  },
)
