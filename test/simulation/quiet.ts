/**
 * What must be true when nothing goes wrong any more: after the longest time all seats are free again on every machine, nobody
 * waits for an answer, nothing is leased, and exactly as many sessions fit as there are seats, whoever asks where. So no seat
 * is lost, and nobody is refused for ever.
 */
import { restoreLicenses } from './incidents.ts'
import { type License, supplyIdOf } from './licenses.ts'
import { allowAll, removeReserves } from './network-incidents.ts'
import { checkSite, recycleAll, stopAll } from './quiet-sites.ts'
import { step } from './schedule.ts'
import type { Site } from './site.ts'
import { Violation } from './violation.ts'
import type { World } from './world.ts'

/** Twice the longest lease time and its grace, as a record holds, then time for the last end. */
const longestTime = 2 * 120_000 + 15_000 + 10_000
/** Each agent between needs the same anew, then leases are kept for a while and given back. */
const longestNetworkTime = (agents: number): number => Math.max(3, agents - 1) * longestTime + 300_000
/** The longest detachment here, its grace, and as much as a clock that was wrong may have added. */
const longestTrip = 900_000 + 600_000 + 300_000
const mostSteps = 200_000

/** What an application was answered that asked in quiet, and keeps its seat until it is closed. */
interface Opened {
  readonly site: Site
  readonly kind: string
  readonly code?: string
  readonly session?: { readonly id: string; readonly key: string; readonly renewIn: number }
  /** True time of its next heartbeat. */
  beatAt: number
}

export async function checkQuiet(world: World): Promise<void> {
  world.say('everything is quiet')
  world.isQuiet = true
  const { sites } = world
  for (const { disk, machine, applications, network } of sites) {
    machine.wake()
    disk.full = false
    disk.fault = undefined
    disk.openingFails = false
    for (const application of applications) {
      network.hangUp(application)
      application.crash()
      application.nextAt = Number.POSITIVE_INFINITY
    }
  }
  await until(world, 'the agents are well', () =>
    sites.every(({ agent }) => agent?.writer.state.kind === 'open' && agent.isListening),
  )
  world.wires.heal()
  for (const site of sites) allowAll(site)
  for (const { visitors } of sites) visitors.quiet(true)
  // What was set a moment ago is not on the disk yet.
  const set = world.now + 10_000
  await until(world, 'the reserves are set', () => world.now >= set)
  let removed = 0
  for (const site of sites) void removeReserves(site).then(() => removed++)
  await until(world, 'the reserves are removed', () => removed === sites.length)
  if (world.options.sites) {
    await recycleAll(world, (what, isTrue) => until(world, what, isTrue))
    await stopAll(world, (what, isTrue) => until(world, what, isTrue))
  }
  if (world.options.detaching) await endTrips(world)
  const end = world.now + (world.isNetwork ? longestNetworkTime(world.options.isRow ? sites.length : 0) : longestTime)
  world.isWaiting = true
  await until(world, 'the longest time is over', () => world.now >= end)
  world.isWaiting = false
  for (const site of sites) checkFree(site)
  let restored = 0
  for (const site of sites) void restoreLicenses(site).then(() => restored++)
  await until(world, 'the licenses are as at first', () => restored === sites.length)
  // Until everybody has asked everybody what there is, over the agents between.
  const known = world.now + (world.isNetwork ? 60_000 : 0)
  await until(world, 'the licenses are known everywhere', () => world.now >= known)
  if (world.options.sites)
    await checkSite(
      world,
      (what, isTrue) => until(world, what, isTrue),
      (site, product) => seatsAt(site, product),
    )
  const catalog = sites.flatMap((site) => site.catalog)
  for (const product of new Set(catalog.map((one) => `${one.vendor}/${one.product ?? 'cam'}`)))
    await checkFullHouse(world, product)
  world.isQuiet = false
  for (const { visitors } of sites) visitors.quiet(false)
  for (const site of sites) for (const application of site.applications) application.nextAt = world.now
}

/** Nobody takes anything along any more, all clocks are right, and every date passes. */
async function endTrips(world: World): Promise<void> {
  world.mail.lose()
  let accepted = 0
  for (const site of world.sites) {
    site.settings.detaching = true
    site.settings.kept = 0
    site.setRight()
    void site.agent?.network?.travel?.floor.acceptWall().then(() => accepted++)
  }
  await until(world, 'the clocks are right', () => accepted === world.sites.length)
  const end = world.now + longestTrip
  world.isWaiting = true
  const isAway = (): boolean =>
    world.sites.some(({ ledger }) => [...ledger.detachments.outs.values()].some(({ state }) => state === 'out'))
  await until(world, 'all dates are over', () => world.now >= end || !isAway())
  world.isWaiting = false
}

function checkTrips({ ledger, name }: Site): void {
  const { ins, outs } = ledger.detachments
  const here = [...ins.values()].filter(({ state }) => state !== 'returned' && state !== 'ended')
  const away = [...outs.values()].filter(({ state }) => state === 'out')
  const left = [...here, ...away].map(({ id, state }) => `${id} ${state}`)
  if (left.length > 0) throw new Violation(`${name}: detachments are left: ${left.join(', ')}`)
}

function checkFree(site: Site): void {
  const { ledger, agent, network, name } = site
  if (!agent) throw new Violation('the agent is gone')
  checkTrips(site)
  if (ledger.grants.size > 0) throw new Violation(`${name}: seats are lost: ${[...ledger.grants.keys()].join(', ')}`)
  if (ledger.leases.size > 0)
    throw new Violation(
      `${name}: leases are left: ${[...ledger.leases].map(([id, { state }]) => `${id} ${state}`).join(', ')}`,
    )
  if (agent.lessor.view.grantCount > 0) throw new Violation('the lessor knows of sessions that have no record')
  if (network.unanswered > 0) throw new Violation(`${network.unanswered} requests are never answered`)
  const waiting = agent.broker.queue().length
  if (waiting > 0) throw new Violation(`${waiting} wait in a line for seats that are free`)
  for (const license of site.catalog) {
    const used = agent.lessor.view.used(supplyIdOf(license))
    if (used !== 0) throw new Violation(`${used} seats of ${supplyIdOf(license)} are in use by nobody`)
  }
}

/** As many sessions as there are seats, one more that is refused; who waits at another machine gets what is given back. */
async function checkFullHouse(world: World, product: string): Promise<void> {
  const { random, sites } = world
  const [vendor, name] = product.split('/')
  const supplies = sites
    .flatMap(({ catalog }) => catalog)
    .filter((one) => one.vendor === vendor && (one.product === undefined || one.product === name))
  if (supplies.some((one) => one.rule === 'host')) return
  const seats = supplies.reduce((sum, one) => sum + one.seats, 0)
  const spread = world.isNetwork && random.chance(0.5)
  const everywhere = sites.filter((site) => reaches(site, supplies))
  if (everywhere.length === 0) return
  const first = random.pick(everywhere)
  const answers: Opened[] = []
  const ask = async (site: Site, user: string, wait: number): Promise<void> => {
    const answer = await site.agent?.broker.open({
      idempotencyKey: random.text(20),
      address: '127.0.0.1',
      product,
      seats: 1,
      user: { email: `${user}@example.com` },
      ...(wait > 0 ? { wait } : {}),
      activity: 'heartbeat',
    })
    if (answer) answers.push({ site, beatAt: world.now, ...answer })
  }
  for (let index = 0; index <= seats; index++) {
    // Seats that nobody uses any more come back from where they were first.
    const wait = world.isNetwork && index < seats ? 200 : 0
    void ask(spread ? random.pick(everywhere) : first, `user-${index}`, wait)
    await until(
      world,
      'a seat is answered',
      () => answers.length > index,
      () => answers,
    )
  }
  const opened = answers.filter(({ session }) => session !== undefined)
  if (opened.length !== seats || answers.at(-1)?.kind !== 'refused')
    throw new Violation(
      `${opened.length} sessions of ${product} fit into ${seats} seats: ${answers.map(told).join(', ')}`,
    )
  const waiting = world.isNetwork ? random.integer(1, 3) : 0
  for (let index = 0; index < waiting; index++) void ask(random.pick(everywhere), `waiting-${index}`, 250)
  await close(world, opened)
  const served = (): Opened[] => answers.slice(seats + 1)
  await until(world, 'who waits is answered', () => served().length === waiting, served)
  const refused = served().filter(({ session }) => session === undefined)
  if (refused.length > Math.max(0, waiting - seats))
    throw new Violation(
      `${product}: who waits gets nothing although all seats came free: ${refused.map(told).join(', ')}`,
    )
  await close(
    world,
    served().filter(({ session }) => session !== undefined),
  )
  for (const { ledger } of sites)
    for (const id of ledger.grants.keys())
      if (!id.includes('/')) throw new Violation('a session that was given back still has its seat')
}

function told({ site, code, kind }: Opened): string {
  return `${site.name} ${code ?? kind}`
}

/** How long a lease must be to be passed on over so many agents between (R10, R21). */
const shortestOver = [0, 60, 120, 120]

/** Whether seats of all these licenses can be had there; over agents between if they can be promised for long enough. */
function reaches(site: Site, licenses: readonly License[]): boolean {
  const known: (readonly Site[])[] = [[site, ...site.knows]]
  for (const sites of known) if (known.length < shortestOver.length) known.push(sites.flatMap(({ knows }) => knows))
  return licenses.every((license) =>
    known.some(
      (sites, between) =>
        license.leaseSeconds >= (shortestOver[between] ?? 0) && sites.some(({ catalog }) => catalog.includes(license)),
    ),
  )
}

/** Of the product alone, as far as they can be had there. */
function seatsAt(site: Site, product: string): number {
  return site.world.sites
    .flatMap(({ catalog }) => catalog)
    .filter((one) => `${one.vendor}/${one.product}` === product && reaches(site, [one]))
    .reduce((sum, { seats }) => sum + seats, 0)
}

async function close(world: World, opened: readonly Opened[]): Promise<void> {
  let closed = 0
  for (const { site, session } of opened)
    void site.agent?.broker.close(session?.id ?? '', session?.key).then(() => closed++)
  await until(world, 'all are given back', () => closed === opened.length)
}

/** @param kept sessions that beat meanwhile */
async function until(
  world: World,
  what: string,
  isTrue: () => boolean,
  kept: () => readonly Opened[] = () => [],
): Promise<void> {
  for (let count = 0; !isTrue(); count++) {
    if (count > mostSteps) throw new Violation(`waited in vain until ${what}`)
    for (const opened of kept()) if (opened.session && opened.beatAt <= world.now) beat(world, opened)
    await step(world)
    if (world.isNetwork) world.check()
  }
}

function beat(world: World, opened: Opened): void {
  const { site, session } = opened
  opened.beatAt = world.now + 2_000
  void site.agent?.broker.heartbeat(session?.id ?? '', session?.key, {}).then((answer) => {
    if (answer.kind === 'kept') return
    const why = `${answer.code} ${answer.facts?.reason ?? ''}`
    world.report(new Violation(`${site.name}: session ${session?.id} beat in time and is lost: ${why}`))
  })
}
