/**
 * The scheduler: chooses by the seed what happens next, one thing at a time, and lets every promise that this settles go on
 * before the next. Time runs only when it is chosen to run.
 */
import { act } from './behavior.ts'
import { incidents } from './incidents.ts'
import type { World } from './world.ts'

type Step = () => void | Promise<void>

/** How often something goes wrong, in steps. */
const incidentChance = 0.012

/** How late a timer fires at most, in ms. */
const longestLate = 500

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
  const chosen = world.random.weigh(incidents.map((incident) => [incident[0], incident] as const))
  world.count(chosen[1])
  await chosen[2](world)
}

function chooseStep(world: World): Step {
  const { machine, network, disk, random, process } = world
  const choices: [number, Step][] = []
  const overdue = network.messages.filter((message) => message.deadline <= machine.monotonic)
  const messages = overdue.length > 0 ? overdue : network.messages
  const [operation] = disk.pending
  if (messages.length > 0) choices.push([20, () => network.deliver(random.pick(messages))])
  if (operation)
    choices.push([
      20,
      async () => {
        disk.pending.shift()
        await operation.run()
      },
    ])
  const late = machine.monotonic - (process?.nextDue ?? Number.POSITIVE_INFINITY)
  if (process && late >= 0) choices.push([15, () => process.fire()])
  const due = world.applications.filter((application) => application.nextAt <= machine.now)
  if (due.length > 0) choices.push([15, () => act(world, random.pick(due))])
  if (!world.agent) choices.push([5, () => world.startAgent()])
  else if (world.agent.hasFailed) choices.push([5, () => world.crashAgent()])
  if (overdue.length === 0 && late < longestLate)
    choices.push([choices.length === 0 ? 1 : operation ? 1 : 4, () => passTime(world)])
  return random.weigh(choices)
}

/** Up to the next thing that waits for its time, and not always all the way. */
function passTime(world: World): void {
  const { machine, network, process, random } = world
  const waits = [
    ...network.messages.map((message) => message.deadline - machine.monotonic),
    ...world.applications.map((application) => application.nextAt - machine.now),
    (process?.nextDue ?? Number.POSITIVE_INFINITY) - machine.monotonic,
  ].filter((ms) => ms > 0)
  const longest = Math.min(5_000, ...waits)
  machine.run(random.chance(0.8) ? longest : random.next() * longest)
}
