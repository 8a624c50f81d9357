/**
 * What must be true when nothing goes wrong any more: after the longest time all seats are free again, nobody waits for an
 * answer, and exactly as many sessions fit as there are seats. So no seat is lost, and nobody is refused for ever.
 */
import { restoreLicenses } from './incidents.ts'
import { supplyIdOf } from './licenses.ts'
import { step } from './schedule.ts'
import { Violation } from './violation.ts'
import type { World } from './world.ts'

/** Twice the longest lease time and its grace, as a record holds, then time for the last end. */
const longestTime = 2 * 120_000 + 15_000 + 10_000
const mostSteps = 100_000

export async function checkQuiet(world: World): Promise<void> {
  world.say('everything is quiet')
  world.isQuiet = true
  world.disk.full = false
  world.disk.fault = undefined
  world.disk.openingFails = false
  for (const application of world.applications) {
    world.network.hangUp(application)
    application.crash()
    application.nextAt = Number.POSITIVE_INFINITY
  }
  await until(world, 'the agent is well', () => world.agent?.writer.state.kind === 'open' && world.agent.isListening)
  const end = world.machine.now + longestTime
  await until(world, 'the longest time is over', () => world.machine.now >= end)
  checkFree(world)
  let isDone = false
  void restoreLicenses(world).then(() => {
    isDone = true
  })
  await until(world, 'the licenses are as at first', () => isDone)
  for (const product of new Set(world.catalog.map((one) => `${one.vendor}/${one.product ?? 'cam'}`)))
    await checkFullHouse(world, product)
  world.isQuiet = false
  for (const application of world.applications) application.nextAt = world.machine.now
}

function checkFree(world: World): void {
  const { ledger, agent, network } = world
  if (!agent) throw new Violation('the agent is gone')
  if (ledger.grants.size > 0) throw new Violation(`seats are lost: ${[...ledger.grants.keys()].join(', ')}`)
  if (agent.lessor.view.grantCount > 0) throw new Violation('the lessor knows of sessions that have no record')
  if (network.unanswered > 0) throw new Violation(`${network.unanswered} requests are never answered`)
  const waiting = agent.broker.queue().length
  if (waiting > 0) throw new Violation(`${waiting} wait in a line for seats that are free`)
  for (const license of world.catalog) {
    const used = agent.lessor.view.used(supplyIdOf(license))
    if (used !== 0) throw new Violation(`${used} seats of ${supplyIdOf(license)} are in use by nobody`)
  }
}

/** As many sessions as there are seats, one more that is refused, and all given back. */
async function checkFullHouse(world: World, product: string): Promise<void> {
  const [vendor, name] = product.split('/')
  const supplies = world.catalog.filter(
    (one) => one.vendor === vendor && (one.product === undefined || one.product === name),
  )
  if (supplies.some((one) => one.rule === 'host')) return
  const { broker } = world.agent ?? {}
  if (!broker) return
  const seats = supplies.reduce((sum, one) => sum + one.seats, 0)
  const answers: { readonly kind: string; readonly session?: { readonly id: string; readonly key: string } }[] = []
  const ask = async (index: number): Promise<void> => {
    const answer = await broker.open({
      idempotencyKey: world.random.text(20),
      address: '127.0.0.1',
      product,
      seats: 1,
      user: { email: `user-${index}@example.com` },
      activity: 'heartbeat',
    })
    answers.push(answer)
  }
  for (let index = 0; index <= seats; index++) {
    void ask(index)
    await until(world, 'a seat is answered', () => answers.length > index)
  }
  const opened = answers.flatMap((answer) => answer.session ?? [])
  if (opened.length !== seats || answers.at(-1)?.kind !== 'refused')
    throw new Violation(`${opened.length} sessions of ${product} fit into ${seats} seats`)
  let closed = 0
  for (const { id, key } of opened) void broker.close(id, key).then(() => closed++)
  await until(world, 'all are given back', () => closed === seats)
  if (world.ledger.grants.size > 0) throw new Violation('a session that was given back still has its seat')
}

async function until(world: World, what: string, isTrue: () => boolean): Promise<void> {
  for (let count = 0; !isTrue(); count++) {
    if (count > mostSteps) throw new Violation(`waited in vain until ${what}`)
    await step(world)
  }
}
