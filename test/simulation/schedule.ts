/**
 * The scheduler: chooses by the seed what happens next, one thing at a time, and lets every promise that this settles go on
 * before the next. Time runs only when it is chosen to run.
 */
import { act } from './behavior.ts'
import { type Incident, incidents } from './incidents.ts'
import { networkIncidents } from './network-incidents.ts'
import { tripIncidents } from './trips.ts'
import { siteIncidents } from './web-sites.ts'
import type { World } from './world.ts'

type Step = () => void | Promise<void>

/** How often something goes wrong, in steps. */
const incidentChance = 0.012

/** How late a timer fires at most, in ms. */
const longestLate = 500
const longestNetworkLate = 1_000
const longestWaitingLate = 3_000
const timerSlack = 900
/** In ms. What adding up times may make wrong, and how far time goes in one step at most. */
const tiny = 0.001
const longestPass = 5_000
const longestSleepPass = 60_000
const waitingPass = 2_000

export async function step(world: World): Promise<void> {
  if (!world.isQuiet && world.random.chance(incidentChance)) await strike(world)
  else await chooseStep(world)()
  await settle()
}

/** Lets promises go on until none can without the scheduler. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

async function strike(world: World): Promise<void> {
  const { random, sites } = world
  const possible: readonly Incident[] = [
    ...(world.options.detaching ? tripIncidents : []),
    ...(world.options.detaching ? incidents.filter(([, name]) => name !== 'wall is set') : incidents),
    ...(world.isNetwork ? networkIncidents : []),
    ...(world.options.sites ? siteIncidents : []),
  ]
  const [, name, happen] = random.weigh(possible.map((incident) => [incident[0], incident] as const))
  const site = random.pick(sites)
  if (!site.machine.isRunning) return
  world.count(name)
  await happen(site)
}

function chooseStep(world: World): Step {
  const { random, wires, now } = world
  const running = world.sites.filter(({ machine }) => machine.isRunning)
  const choices: [number, Step][] = []

  const messages = running.flatMap((site) => [
    ...site.network.messages.map((message) => ({
      site,
      deadline: message.deadline,
      deliver: () => site.network.deliver(message),
    })),
    ...site.visitors.errands.map((errand) => ({
      site,
      deadline: errand.deadline,
      deliver: () => site.visitors.deliver(errand),
    })),
  ])
  const overdue = messages.filter(({ site, deadline }) => deadline <= site.machine.monotonic + tiny)
  const chosen = overdue.length > 0 ? overdue : messages
  if (chosen.length > 0) choices.push([20, () => random.pick(chosen).deliver()])

  const mailed = world.mail.arriving()
  if (mailed.length > 0) choices.push([5, () => world.mail.deliver(random.pick(mailed))])

  const letters = wires.arriving()
  const late = letters.filter(({ latest }) => latest <= now + tiny)
  const arriving = late.length > 0 ? late : letters
  if (arriving.length > 0) choices.push([20, () => wires.take(random.pick(arriving))])

  const busy = running.filter(({ disk }) => disk.pending.length > 0)
  if (busy.length > 0) choices.push([20, () => random.pick(busy).disk.goOn()])

  const timed = running.flatMap((site) => {
    const lateness = site.machine.monotonic - (site.process?.nextDue ?? Number.POSITIVE_INFINITY)
    return lateness >= -tiny ? [{ site, lateness }] : []
  })
  const latest = Math.max(-1, ...timed.map(({ lateness }) => lateness))
  if (timed.length > 0)
    choices.push([
      15,
      () => {
        const { process } = random.pick(timed).site
        // Together, as after a turn of the event loop that took long.
        for (let isDue = process?.fire(); isDue && random.chance(0.85); ) isDue = process?.fire()
      },
    ])

  const due = running.flatMap((site) =>
    site.applications
      .filter((application) => application.nextAt <= now + tiny)
      .map((application) => ({ site, application })),
  )
  if (due.length > 0)
    choices.push([
      15,
      () => {
        const { site, application } = random.pick(due)
        act(site, application)
      },
    ])

  const visited = running.filter(({ visitors }) => visitors.nextAt <= now + tiny)
  if (visited.length > 0) choices.push([8, () => random.pick(visited).visitors.act()])

  const down = running.filter(({ agent }) => !agent)
  const failed = running.filter(({ agent }) => agent?.hasFailed)
  if (down.length > 0) choices.push([5, () => random.pick(down).startAgent()])
  if (failed.length > 0) choices.push([5, () => random.pick(failed).crashAgent()])

  const most = world.isWaiting ? longestWaitingLate : world.isNetwork ? longestNetworkLate : longestLate
  const left = most - Math.max(0, latest)
  if (overdue.length === 0 && late.length === 0 && left > 0)
    choices.push([choices.length === 0 || busy.length > 0 ? 1 : 4, () => passTime(world, left)])
  return random.weigh(choices)
}

/**
 * Up to the next thing that waits for its time, and not always all the way.
 * @param most ms, after which timers that are due would be too late
 */
function passTime(world: World, most: number): void {
  const { random, sites, wires, now } = world
  const waits = [wires.nextAt - now, world.mail.nextAt - now]
  for (const { machine, network, visitors, process, applications } of sites) {
    if (machine.backAt !== undefined) {
      waits.push(machine.backAt - now)
      continue
    }
    for (const message of network.messages) waits.push(machine.until(message.deadline))
    for (const errand of visitors.errands) waits.push(machine.until(errand.deadline))
    waits.push(visitors.nextAt - now)
    for (const application of applications) waits.push(application.nextAt - now)
    // Timers are a little late anyway; those of many machines are late together.
    const slack = world.isNetwork ? random.next() * timerSlack : 0
    waits.push(machine.until((process?.nextDue ?? Number.POSITIVE_INFINITY) + slack))
  }
  const isAnybodyUp = sites.some(({ machine }) => machine.isRunning)
  const longest = Math.min(isAnybodyUp ? longestPass : longestSleepPass, ...waits.filter((ms) => ms > tiny))
  // Nothing but timers go on: they may be late together, which is over sooner.
  const isIdle = world.isWaiting && wires.letters.length === 0 && sites.every((site) => site.isIdle)
  const next = Math.min(most, isIdle ? Math.max(longest, waitingPass) : longest)
  const ms = random.chance(0.8) ? next : random.next() * next
  const back = Math.min(...sites.map(({ machine }) => (machine.backAt ?? Number.POSITIVE_INFINITY) - now))
  for (const { machine } of sites) machine.pass(Math.min(ms, back))
}
