/**
 * What a simulated application does next: it asks, retries with the same id, keeps its seat in time or late, gives it back,
 * forgets it, crashes. What it may not do is use a seat beyond its belief.
 */
import type { Application, Attempt, Wish } from './application.ts'
import type { Site } from './site.ts'

const users = [
  { email: 'Ana@example.com' },
  { email: 'ana@example.com', account: 'DOMAIN\\ana' },
  { account: 'ben' },
  { account: 'DOMAIN\\Cleo' },
  { account: 'domain\\cleo' },
]

export function act(site: Site, application: Application): void {
  const { machine, network, world } = site
  const { random } = world
  const { attempt } = application
  application.nextAt = machine.now + random.integer(100, 8_000)
  if (!attempt) {
    if (random.chance(0.7)) network.send(application, application.begin(random.text(20), makeWish(site)), 'open')
    return
  }
  if (attempt.isOver) leave(site, application, attempt)
  else if (!attempt.session) insist(site, application, attempt)
  else use(site, application, attempt)
}

function makeWish({ world: { random, sites } }: Site): Wish {
  const license = random.pick(sites.flatMap(({ catalog }) => catalog))
  const product = license.product ?? random.pick(['cad', 'cam'])
  const feature = product === 'cad' && random.chance(0.3) ? random.pick(['render', 'plot']) : undefined
  const seats = sites.flatMap(({ ledger }) => [...ledger.licenses.values()].map((one) => one.seats))
  return {
    product: `${license.vendor}/${product}`,
    ...(feature === undefined ? {} : { feature }),
    seats: random.chance(0.75) ? 1 : random.integer(1, Math.min(3, Math.max(1, ...seats))),
    ...(random.chance(0.85) ? { user: random.pick(users) } : {}),
    tellsProcess: random.chance(0.6),
    wait: random.chance(0.3) ? random.integer(1, 90) : 0,
    activity: random.chance(0.2) ? 'reported' : 'heartbeat',
  }
}

/** It has ended; a late repeat of the same id must not bring it back. */
function leave(site: Site, application: Application, attempt: Attempt): void {
  const { network, world } = site
  const { random } = world
  if (attempt.sentClose && attempt.knownEndedFrom === undefined && random.chance(0.8)) {
    if (application.waitingFor === 0) network.send(application, attempt, 'close')
    return
  }
  if (attempt.knownEndedFrom !== undefined && random.chance(0.4)) network.send(application, attempt, 'open')
  else forget(site, application)
}

/** Asked and not answered, refused, or the reply was lost. */
function insist(site: Site, application: Application, attempt: Attempt): void {
  const { network, world } = site
  const isOut = application.waitingFor > 0
  const choice = world.random.next()
  if (choice < (isOut ? 0.1 : 0.7)) network.send(application, attempt, 'open')
  else if (choice > (isOut ? 0.9 : 0.7)) forget(site, application)
}

function use(site: Site, application: Application, attempt: Attempt): void {
  const { network, machine, world } = site
  const { random } = world
  const dueIn = attempt.lastBeat + attempt.renewIn * 1000 - application.clock()
  if (random.chance(0.06)) {
    attempt.isOver = true
    attempt.sentClose = true
    network.send(application, attempt, 'close')
    return
  }
  if (random.chance(0.02)) {
    forget(site, application)
    return
  }
  if (random.chance(0.03)) network.send(application, attempt, 'open')
  else if (dueIn <= 0 || random.chance(0.3)) network.send(application, attempt, 'beat', random.chance(0.3))
  // In time, late, or too late.
  const pause = random.chance(0.07) ? attempt.renewIn * random.integer(2, 8) : attempt.renewIn * (0.3 + random.next())
  application.nextAt = machine.now + Math.ceil(pause * 1000)
}

/** It goes on without the seat and says nothing to anybody. */
function forget(site: Site, application: Application): void {
  site.network.hangUp(application)
  application.crash()
}
