/**
 * Whatever is done with licenses in whatever order, with restarts in between: seats are never given out twice, nothing is lost
 * or changed by reading the store anew, and the journal is whole.
 */
import fc from 'fast-check'
import type { Store } from '../../agent/store/store.ts'
import { MemoryAgent, usualHardware } from '../helpers/memory-agent.ts'
import { blockOf, openText, type TestLicense, TestVendor } from './test-vendor.ts'

const start = Date.UTC(2027, 0, 4, 8)
const minute = 60_000

/** What there is to install: added up, replacing one another in a chain, of any product, bound, ending and beginning. */
function makeLicenses(vendor: TestVendor): TestLicense[] {
  const cad = (seats: number) => [{ name: 'cad', seats }]
  const at = (minutes: number) => Math.floor((start + minutes * minute) / 1000)
  const needed = { activation: { needed: true } } as const
  const one = vendor.license({ products: [...cad(3), { name: 'cam', seats: 1 }], ...needed })
  const two = vendor.license({ products: cad(2), replaces: [one.payload.id], nbf: at(30), ...needed })
  const three = vendor.license({ products: [{ any: true, seats: 2 }], replaces: [two.payload.id] })
  const four = vendor.license({ products: cad(1), exp: at(90) })
  const five = vendor.license({ products: [...cad(1), { any: true, seats: 1 }], overlap: false, ...needed })
  return [one, two, three, four, five]
}

type Session = Awaited<ReturnType<MemoryAgent['seat']>>

class Play {
  readonly vendor = new TestVendor('acme')
  readonly licenses = makeLicenses(this.vendor)
  readonly agent: MemoryAgent
  /** Sessions that their application believes in, and until when (wall time in ms). */
  readonly believed = new Map<string, { readonly session: Session; until: number }>()
  readonly moved = new Set<string>()

  constructor(agent: MemoryAgent) {
    this.agent = agent
  }

  pick(place: number): TestLicense {
    const license = this.licenses[place % this.licenses.length]
    if (!license) throw new Error('no license')
    return license
  }

  session(place: number): Session | undefined {
    const all = [...this.believed.values()]
    return all[place % Math.max(1, all.length)]?.session
  }

  believe(session: Session, expiresIn: number): void {
    this.believed.set(session.id, { session, until: this.agent.clock.wall() + expiresIn * 1000 })
  }

  /** Whether all that is out of a license is ending already. */
  ghosts(id: string): boolean {
    const { view } = this.agent.parts.lessor
    const out = [...view.grants()].filter((grant) => grant.parts.some((part) => part.supply.startsWith(`${id}/`)))
    return out.every((grant) => grant.ending !== undefined)
  }

  /** Supplies that give out more seats than they have, with how many are out. */
  excess(): Map<string, number> {
    const { view } = this.agent.parts.lessor
    const over = [...view.supplies()].filter((supply) => view.used(supply.id) > supply.seats)
    return new Map(over.map((supply) => [supply.id, view.used(supply.id)]))
  }
}

type Step = (play: Play) => Promise<void>

/** Anything may be refused; what is said must be true. */
const steps: Record<string, (place: number) => Step> = {
  install: (place) => async (play) => {
    await play.agent.parts.desk.addLicenses(blockOf(play.pick(place)), true)
  },
  activate: (place) => async (play) => {
    const license = play.pick(place)
    const { id } = license.payload
    const requested = await play.agent.parts.licenses.requestActivation(id)
    if (requested.kind === 'refused') return
    const now = play.agent.clock.wall()
    const answer = play.vendor.answer(play.agent.parts.desk.writeBlock(requested.text), license, { now })
    const activated = await play.agent.parts.desk.activate(id, answer)
    if (activated.kind === 'activated') play.moved.delete(id)
  },
  remove: (place) => async (play) => {
    const { id, activation } = play.pick(place).payload
    const outcome = await play.agent.parts.licenses.remove(id)
    // A text that needs no activation serves wherever it is installed: here again, too, once nothing is left of the move.
    if (outcome.kind === 'removed' && !activation.needed) play.moved.delete(id)
  },
  moveAway: (place) => async (play) => {
    const { id } = play.pick(place).payload
    const outcome = await play.agent.parts.licenses.deactivate(id, place % 2 === 0)
    if (outcome.kind !== 'deactivated') return
    const receipt = openText(play.agent.parts.desk.writeBlock(outcome.receipt))
    const out = [...play.agent.parts.lessor.view.grants()].filter((grant) =>
      grant.parts.some((part) => part.supply.startsWith(`${id}/`)),
    )
    if (receipt.typ === 'leasehold-deactivation' && !receipt.payload.overlap && !play.moved.has(id) && out.length > 0)
      throw new Error(`a receipt for ${id} was made while seats were out of it`)
    play.moved.add(id)
  },
  open: (place) => async (play) => {
    const before = play.excess()
    const product = place % 3 === 0 ? 'acme/cam' : 'acme/cad'
    const opened = await play.agent.open({ product, seats: place % 5 === 0 ? 2 : 1 })
    if (opened.kind === 'refused') return
    play.believe(opened.session, opened.session.expiresIn)
    const grant = play.agent.parts.lessor.view.grant(opened.session.id)
    for (const { supply } of grant?.parts ?? []) {
      const { view } = play.agent.parts.lessor
      if (before.has(supply) || view.used(supply) > (view.supply(supply)?.seats ?? 0))
        throw new Error(`a seat of ${supply} was given out beyond its seats`)
      if (play.moved.has(supply.split('/')[0] ?? '')) throw new Error(`${supply} was moved away and gives out seats`)
    }
  },
  beat: (place) => async (play) => {
    const session = play.session(place)
    if (!session) return
    const beat = await play.agent.beat(session)
    if (beat.kind === 'kept') play.believe(session, beat.session.expiresIn)
    else play.believed.delete(session.id)
  },
  close: (place) => async (play) => {
    const session = play.session(place)
    if (!session) return
    await play.agent.close(session)
    play.believed.delete(session.id)
  },
  pass: (place) => async (play) => {
    await play.agent.pass((1 + (place % 12)) * minute)
  },
  changeHardware: (place) => async (play) => {
    play.agent.hardware = place % 2 === 0 ? usualHardware : { machine: 'another machine', board: 'another board' }
    await play.agent.restart()
  },
  replaceAtOnce: (place) => async (play) => {
    const { licenses } = play.agent.parts
    const blocks = [0, 1, 2].map((more) => play.pick(place + more))
    await Promise.all([...blocks.map((one) => licenses.install(one, true)), steps.open?.(place)(play)])
  },
}

/** What must be the same before and after the store is read anew. */
function snapshot({ agent, licenses }: Play) {
  const { shelf, lessor, vendors } = agent.parts
  const installed = licenses.flatMap(({ payload }) => (shelf.get(payload.id) ? [agent.license(payload.id)] : []))
  const grants = [...lessor.view.grants()].map(({ id, parts, ending }) => ({ id, parts, ending }))
  return structuredClone({
    installed,
    grants: grants.sort((a, b) => (a.id < b.id ? -1 : 1)),
    products: agent.products(),
    trusted: vendors.list().map((one) => [one.name, one.key.id]),
  })
}

/** True after every step. */
async function check(play: Play, allowed: ReadonlyMap<string, number>): Promise<void> {
  const { agent, believed, licenses } = play
  const { view } = agent.parts.lessor
  for (const supply of view.supplies()) {
    const out = [...view.grantsOf(supply.id)].flatMap((grant) =>
      grant.parts.filter((part) => part.supply === supply.id),
    )
    const seats = out.reduce((sum, part) => sum + part.seats, 0)
    if (seats !== view.used(supply.id)) throw new Error(`${supply.id} counts ${view.used(supply.id)}, not ${seats}`)
    // Only a license that takes over more than it has may be over its seats, and from then on it only gets less.
    const most = Math.max(supply.seats, allowed.get(supply.id) ?? 0)
    const overlaps = (await agent.entries('seat.overlap')).some((entry) => entry.facts.supply === supply.id)
    if (seats > most && !overlaps) throw new Error(`${supply.id} has ${seats} of ${supply.seats} seats out`)
  }
  for (const [id, { until }] of believed)
    if (until > agent.clock.wall() && !view.grant(id)) throw new Error(`session ${id} is believed in and not counted`)
  for (const { payload } of licenses) {
    const { shelf } = agent.parts
    if (!shelf.get(payload.id)) continue
    const serves = ['active', 'expiring'].includes(agent.state(payload.id))
    const beside = (payload.replaces ?? []).filter((old) => shelf.get(old) && agent.state(old) !== 'replaced')
    const moved = beside.filter((old) => agent.state(old) !== 'deactivated')
    if (serves && moved.length > 0) throw new Error(`${moved.join()} serves beside ${payload.id}, which replaces it`)
    const gone =
      agent.state(payload.id) === 'replaced' && agent.license(payload.id).products.some((one) => one.used > 0)
    if (gone && !play.ghosts(payload.id)) throw new Error(`seats are out of ${payload.id}, which was replaced`)
  }
  const verdict = await agent.parts.journal.verify()
  if (verdict.kind !== 'good') throw new Error(`journal entry ${verdict.sequence}: ${verdict.reason}`)
}

const stepOf = fc.record({
  name: fc.constantFrom(...Object.keys(steps)),
  place: fc.nat(29),
  reopen: fc.constantFrom('no', 'restart', 'reboot'),
})
export const sequence = fc.array(stepOf, { minLength: 5, maxLength: 30 })

/** Plays one sequence; throws where something is wrong. @param store a fresh one; in memory where none is given */
export async function play(
  store: Store | undefined,
  order: readonly { name: string; place: number; reopen: string }[],
): Promise<void> {
  const played = new Play(await MemoryAgent.start(store === undefined ? {} : { store }))
  for (const { name, place, reopen } of order) {
    const before = played.excess()
    await steps[name]?.(place)(played)
    await check(played, before)
    if (reopen === 'no') continue
    await played.agent.look()
    const known = snapshot(played)
    await (reopen === 'restart' ? played.agent.restart() : played.agent.reboot(1))
    const found = snapshot(played)
    if (JSON.stringify(found) !== JSON.stringify(known))
      throw new Error(`read anew it is ${JSON.stringify(found)} instead of ${JSON.stringify(known)}`)
    await check(played, before)
  }
  await played.agent.stop()
}
