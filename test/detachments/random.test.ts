/**
 * Random histories of a manager and a laptop that takes seats along: whatever is lost, restarted, extended, returned or declared lost,
 * and however the laptop's clock is turned, no seat is used twice and none is missing after its date.
 */
import test from 'ava'
import fc from 'fast-check'
import { isGone } from '../../agent/detachment-view.ts'
import { day, type Fate, hour, type Machine, minute, turns } from './machine.ts'
import { inOf, iso, office, outOf } from './office.ts'

const seats = 3
const which = fc.nat({ max: 5 })

type Step =
  | {
      readonly kind: 'detach'
      readonly seats: number
      readonly days: number
      readonly by: 'laptop' | 'server' | 'block'
    }
  | { readonly kind: 'extend'; readonly which: number; readonly days: number; readonly by: 'laptop' | 'server' }
  | { readonly kind: 'return' | 'receipt' | 'lost' | 'take' | 'old block'; readonly which: number }
  | { readonly kind: 'use' | 'stop' | 'contact' | 'soft' }
  | { readonly kind: 'restart' | 'sleep'; readonly at: 'laptop' | 'server' }
  | { readonly kind: 'turn clock'; readonly by: number }
  | { readonly kind: 'pass'; readonly ms: number }
  /** So near to the next date, in ms. */
  | { readonly kind: 'near'; readonly left: number }
  | { readonly kind: 'network'; readonly fate: Fate | 'down' | 'up' }

const at = fc.constantFrom<'laptop' | 'server'>('laptop', 'server')
const of = <Kind extends Step['kind']>(kind: Kind) => fc.constant(kind)

const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: of('detach'),
      seats: fc.integer({ min: 1, max: 2 }),
      days: fc.integer({ min: 1, max: 9 }),
      by: fc.constantFrom<'laptop' | 'server' | 'block'>('laptop', 'laptop', 'server', 'block'),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: of('extend'), which, days: fc.integer({ min: 1, max: 12 }), by: at }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom<'return' | 'receipt' | 'lost' | 'take' | 'old block'>(
        'return',
        'return',
        'receipt',
        'lost',
        'take',
        'old block',
      ),
      which,
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom<'use' | 'stop' | 'contact' | 'soft'>('use', 'stop', 'contact', 'soft'),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom<'restart' | 'sleep'>('restart', 'sleep'), at }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: of('turn clock'),
      by: fc.constantFrom(-400 * day, -day, -5 * minute, 0, 20 * minute, day),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ kind: of('pass'), ms: fc.constantFrom(1_000, 10 * minute, 5 * hour, day, 3 * day) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: of('near'), left: fc.constantFrom(1_000, 5 * minute, 30 * minute) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: of('network'),
      fate: fc.constantFrom<Fate | 'down' | 'up'>('lost', 'reply lost', 'reply lost', 'down', 'up', 'up'),
    }),
  },
)

/** Given back while an application still uses it, and shown to the manager then. */
const returnedInUse: Step[] = [
  { kind: 'detach', seats: 1, days: 3, by: 'laptop' },
  { kind: 'use' },
  { kind: 'return', which: 0 },
  { kind: 'contact' },
]

class Play {
  readonly server: Machine
  readonly laptop: Machine
  readonly blocks: string[] = []
  /** What was freed before its date since it was declared lost: until when it may still be in use, and how many seats. */
  readonly overlaps: { readonly until: number; readonly seats: number }[] = []
  #uses = 0

  constructor(server: Machine, laptop: Machine) {
    this.server = server
    this.laptop = laptop
  }

  async do(step: Step): Promise<void> {
    const { server, laptop } = this
    const detachments = { server: server.parts.detachments, laptop: laptop.parts.detachments }
    const all = [...laptop.parts.book.ins()]
    const outs = [...server.parts.book.outs()]
    switch (step.kind) {
      case 'detach':
        await this.#detach(step)
        break
      case 'extend': {
        const list = step.by === 'laptop' ? all : outs
        const record = list[step.which % Math.max(1, list.length)]
        const made = record && (await detachments[step.by].extend(record.id, { days: step.days }))
        if (made?.kind === 'made' && made.block !== undefined) this.blocks.push(made.block)
        break
      }
      case 'return':
        await detachments.laptop.giveBack(all[step.which % Math.max(1, all.length)]?.id ?? 'none')
        break
      case 'receipt': {
        const made = await detachments.laptop.makeReceipt(all[step.which % Math.max(1, all.length)]?.id ?? 'none')
        if (made.kind === 'made') await server.parts.documents.process(made.receipt, { apply: true, trust: false })
        break
      }
      case 'lost': {
        const id = outs[step.which % Math.max(1, outs.length)]?.id ?? 'none'
        const before = server.parts.book.out(id)
        const declared = await detachments.server.declareLost(id, { by: 'ana' })
        if (declared.kind === 'declared' && before?.lost === undefined && declared.detachment.lost?.early)
          this.overlaps.push({ until: Date.parse(declared.detachment.until) + hour, seats: declared.detachment.seats })
        break
      }
      case 'take':
        laptop.parts.contact.noteReady(server.id, server.parts.desk.readyFor(laptop.id))
        break
      case 'old block': {
        const block = this.blocks[step.which % Math.max(1, this.blocks.length)]
        if (block !== undefined) await laptop.parts.documents.process(block, { apply: true, trust: false })
        break
      }
      case 'use':
        await (this.#uses % 2 === 0 ? laptop : server).open(`use-${++this.#uses}`)
        break
      case 'stop':
        for (const machine of [laptop, server])
          for (const { id, kind } of [...machine.parts.lessor.view.grants()])
            if (kind === 'session') await machine.parts.lessor.end(id, 'released')
        break
      case 'contact':
        await laptop.parts.contact.meetAll()
        break
      case 'soft':
        await laptop.parts.contact.renewSoft()
        break
      case 'restart':
        await this[step.at].restart()
        break
      case 'sleep':
        this[step.at === 'laptop' ? 'server' : 'laptop'].clock.advance(hour)
        this[step.at].clock.sleepMachine(hour)
        break
      case 'turn clock':
        // 0: right again.
        laptop.clock.setWall(step.by === 0 ? server.clock.wall() : laptop.clock.wall() + step.by)
        await laptop.look()
        break
      case 'pass':
        server.clock.advance(step.ms)
        laptop.clock.advance(step.ms)
        break
      case 'near': {
        const next = Math.min(...outs.map(({ until }) => until).filter((until) => until > server.clock.wall()))
        const ms = next - server.clock.wall() - step.left
        if (!Number.isFinite(ms) || ms <= 0) break
        server.clock.advance(ms)
        laptop.clock.advance(ms)
        break
      }
      case 'network':
        if (step.fate === 'down' || step.fate === 'up') server.isUp = step.fate === 'up'
        else server.fates.push(step.fate)
    }
    await turns(8)
    await server.look()
    await laptop.look()
    await turns(4)
  }

  async #detach({ seats: count, days, by }: Extract<Step, { kind: 'detach' }>): Promise<void> {
    const { server, laptop } = this
    const wish = { product: 'acme/cad', seats: count, days, soft: false, who: {} }
    if (by === 'laptop') {
      const soft = days % 4 === 0 ? { days: undefined, soft: true } : {}
      await laptop.parts.detachments.detach({ ...wish, ...soft })
      return
    }
    const recipient = by === 'server' ? laptop.id : laptop.parts.detachments.recipient().recipient
    const made = await server.parts.detachments.detach({ ...wish, recipient })
    if (made.kind !== 'made' || made.block === undefined) return
    this.blocks.push(made.block)
    if (days % 2 === 0) await laptop.parts.documents.process(made.block, { apply: true, trust: false })
  }

  /** True after every step. */
  async check(): Promise<void> {
    const { server, laptop } = this
    const now = server.clock.wall()
    const sum = (list: readonly { readonly seats: number }[]): number => list.reduce((all, one) => all + one.seats, 0)
    // What is being given back takes nothing new (R16).
    const usable = inOf(laptop).filter(
      (one) =>
        laptop.parts.holding.left(one) > 0 && !(one.state === 'returning' && laptop.parts.lessor.isEmpty(one.id)),
    )
    const out = sum(outOf(server))
    const overlapping = sum(this.overlaps.filter(({ until }) => until > now))
    if (sum(usable) > out + overlapping)
      throw new Error(`${sum(usable)} seats can be used at the laptop, ${out} are counted at the manager (${iso(now)})`)
    // Applications at the laptop live on seats of the manager only, those that were told to end, too.
    const live = [...laptop.parts.lessor.view.grants()].filter(({ id, kind }) => {
      const promise = kind === 'session' ? laptop.parts.lessor.promiseOf(id) : undefined
      return promise?.heard === true && promise.promisedUntil - laptop.clock.atLeast() > 2_000
    })
    if (sum(live) > out + overlapping)
      throw new Error(`${sum(live)} seats are in use at the laptop, ${out} are counted at the manager (${iso(now)})`)
    const used = await server.used()
    if (used > seats) throw new Error(`${used} of ${seats} seats are given out`)
    for (const record of usable) {
      const supply = laptop.parts.lessor.view.supply(record.id)
      for (const { id } of laptop.parts.lessor.view.grantsOf(record.id)) {
        const promise = laptop.parts.lessor.promiseOf(id)
        // What was only read counts for all that is stored; nobody was promised so much (R3).
        const promised = promise?.heard ? promise.promisedUntil - laptop.clock.atLeast() : 0
        const lasts = (supply?.until ?? 0) - laptop.clock.boot().at
        // A supply wavers by up to 2 s before it is told anew.
        if (promised > lasts + 2_000)
          throw new Error(`a session is promised ${promised} ms, its seat lasts ${lasts} ms`)
      }
    }
    await server.reconcile()
    await laptop.reconcile()
  }

  /** After its date no seat is missing, and none can be used any more. */
  async end(): Promise<void> {
    const { server, laptop } = this
    server.isUp = false
    for (const machine of [laptop, server])
      for (const { id, kind } of [...machine.parts.lessor.view.grants()])
        if (kind === 'session') await machine.parts.lessor.end(id, 'released')
    await server.pass(14 * day + 30 * minute)
    await laptop.pass(14 * day)
    for (const { state, id } of [...server.parts.detachments.list(), ...laptop.parts.detachments.list()])
      if (!isGone(state) && state !== 'asking') throw new Error(`${id} is still ${state}`)
    if ((await server.used()) !== 0) throw new Error(`${await server.used()} seats are missing`)
    const { detachable } = server.parts.making.figures('acme/cad')
    if (detachable !== seats) throw new Error(`${detachable} of ${seats} seats can be detached`)
  }
}

test('R2, R7, R12, R16, R23: no seat is used twice, and none is missing after its date, whatever happens', async (t) => {
  const terms = fc.constantFrom(
    {},
    { detach: { maxDays: 12, lost: { afterDays: 1, perYear: 5 } } },
    { activation: { needed: true }, detach: { maxDays: 12 } },
    { detach: { maxDays: 12, earlyReturn: 'online' as const } },
    { detach: { maxDays: 12, earlyReturn: 'atDate' as const } },
  )
  await fc.assert(
    fc.asyncProperty(terms, fc.array(steps, { minLength: 4, maxLength: 30 }), async (license, list) => {
      const { server, laptop } = await office({
        products: [{ name: 'cad', seats }],
        detach: { maxDays: 12 },
        ...license,
      })
      const play = new Play(server, laptop)
      for (const step of list) {
        await play.do(step)
        await play.check()
      }
      await play.end()
    }),
    { numRuns: 40, includeErrorInReport: true, examples: [[{}, returnedInUse]] },
  )
  t.pass()
})
