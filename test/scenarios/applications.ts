/** Applications that put an agent under load and know what they were told, and the scenario that kills it meanwhile. */
import { randomUUID } from 'node:crypto'
import type { ExecutionContext } from 'ava'
import { waitFor } from '../helpers/wait-for.ts'
import { blockOf, TestVendor } from '../licenses/test-vendor.ts'
import { freshFolder, RealAgent, seatIn } from './real-agent.ts'

const acme = new TestVendor('acme')

/** A license block for so many seats of acme/cad. */
export function licenseOf(seats: number): string {
  return blockOf(acme.license({ products: [{ name: 'cad', seats }] }, Date.UTC(2026, 0, 1)))
}

interface Known {
  readonly idempotencyKey: string
  readonly id: string
  readonly key: string
}

/** What many applications know about their seats; an unknown outcome is one whose answer never came. */
class Applications {
  readonly held = new Map<string, Known>()
  readonly returned = new Set<string>()
  /** Idempotency-Keys asked for without an answer. */
  readonly unanswered = new Set<string>()
  /** Sessions given back without an answer. */
  readonly leaving = new Map<string, Known>()
  refused = 0

  async run(agent: RealAgent, until: () => boolean): Promise<void> {
    while (!until()) {
      const idempotencyKey = randomUUID()
      this.unanswered.add(idempotencyKey)
      const opened = await agent.open(idempotencyKey)
      this.unanswered.delete(idempotencyKey)
      if (opened.status === 409) {
        this.refused++
        const [some] = [...this.held.values()].slice(-1)
        if (some) await this.giveBack(agent, some)
        continue
      }
      const { id, key } = seatIn(opened)
      this.held.set(id, { idempotencyKey, id, key })
      const beat = await agent.ask('PUT', `/sessions/${id}`, {}, { 'session-key': key })
      if (beat.status !== 200 && this.held.has(id)) throw new Error(`a heartbeat is answered ${beat.status}`)
    }
  }

  async giveBack(agent: RealAgent, known: Known): Promise<void> {
    const { id, key } = known
    this.held.delete(id)
    this.leaving.set(id, known)
    const { status } = await agent.ask('DELETE', `/sessions/${id}`, undefined, { 'session-key': key })
    if (status !== 204) throw new Error(`giving back is answered ${status}`)
    this.leaving.delete(id)
    this.returned.add(id)
  }
}

/** Kills an agent again and again while applications come and go, and checks after each start what they were told. */
export async function killUnderLoad(t: ExecutionContext, rounds: number): Promise<void> {
  const seats = 20
  const folder = await freshFolder()
  let agent = await RealAgent.start(folder)
  await agent.install(licenseOf(seats))
  const applications = new Applications()
  for (let round = 1; round <= rounds; round++) {
    let killed = false
    const answered = () => applications.held.size + applications.returned.size
    const aim = answered() + 40 * Math.min(round, 8)
    const workers = Array.from({ length: 12 }, () =>
      applications
        .run(agent, () => killed)
        .catch((error: unknown) => {
          if (!killed) throw error
        }),
    )
    const done = Promise.all(workers)
    await Promise.race([done, waitFor('enough answers', () => answered() >= aim, 30_000)])
    killed = true
    await agent.kill()
    await done
    agent = await RealAgent.start(folder)

    const listed = await agent.sessions()
    const ids = new Set(listed.map((one) => one.id))
    t.is(ids.size, listed.length, 'no session is there twice')
    t.true(listed.length <= seats, `${listed.length} of ${seats} seats are in use`)
    for (const { id } of applications.held.values())
      t.true(ids.has(id), `an acknowledged session is lost in round ${round}`)
    for (const id of applications.returned) t.false(ids.has(id), 'a seat that was given back is out again')

    // Whose answer never came asks again with the same key, and gets the one seat or is refused.
    for (const idempotencyKey of applications.unanswered) {
      const again = await agent.open(idempotencyKey)
      if (again.status === 409) continue
      t.true(again.status === 200 || again.status === 201, JSON.stringify(again.body))
      const { id, key } = seatIn(again)
      t.is(again.status === 200, ids.has(id), '200 says that it was there already')
      applications.held.set(id, { idempotencyKey, id, key })
    }
    applications.unanswered.clear()
    const [known] = applications.held.values()
    if (known) {
      const again = await agent.open(known.idempotencyKey)
      t.is(again.status, 200)
      t.like(seatIn(again), { id: known.id, key: known.key })
    }
    for (const known of [...applications.leaving.values()]) await applications.giveBack(agent, known)
    for (let more = (await agent.sessions()).length; more < seats; more++) {
      const idempotencyKey = randomUUID()
      const { id, key } = seatIn(await agent.open(idempotencyKey))
      applications.held.set(id, { idempotencyKey, id, key })
    }
    t.is((await agent.open(randomUUID())).status, 409, 'one more is refused')
    for (const one of [...applications.held.values()].slice(seats / 2)) await applications.giveBack(agent, one)
  }
  const verdict = await agent.ask('GET', '/journal/verify')
  t.like(verdict.body, { kind: 'good' })
  t.log(`${rounds} kills, ${applications.returned.size} seats given back, ${applications.refused} refusals`)
  t.is((await agent.stop()).code, 0)
}
