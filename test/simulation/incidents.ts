/**
 * What goes wrong, and what people do: crashes, reboots, sleep, clocks that are set, faults of the disk, changes of licenses,
 * disconnects. Each is one thing that happens between two steps of everybody else.
 */
import { type License, supplyIdOf } from './licenses.ts'
import type { World } from './world.ts'

export type Incident = readonly [weight: number, name: string, happen: (world: World) => void | Promise<void>]

export const incidents: readonly Incident[] = [
  [10, 'agent crashes', (world) => world.crashAgent()],
  [3, 'agent stops', (world) => void world.stopAgent()],
  [1, 'machine reboots', (world) => world.reboot(world.random.integer(5_000, 200_000))],
  [4, 'machine sleeps', fallAsleep],
  [4, 'wall is set', setWall],
  [8, 'process is killed', (world) => world.killProcess(world.random.pick(world.applications).process)],
  [6, 'commit fails', failCommit],
  [2, 'opening fails', failOpening],
  [3, 'disk fills or empties', fillDisk],
  [24, 'license changes', changeLicense],
  [10, 'disconnect', (world) => disconnect(world, false)],
  [8, 'free now', (world) => disconnect(world, true)],
]

function fallAsleep(world: World): void {
  const ms = world.random.chance(0.8) ? world.random.integer(1_000, 300_000) : world.random.integer(1_000, 7_200_000)
  world.say(`the machine sleeps for ${ms} ms`)
  world.machine.standStill(ms)
}

function setWall(world: World): void {
  const most = world.random.pick([20_000, 120_000, 86_400_000])
  const ms = world.random.integer(-most, most)
  world.say(`the wall clock is set by ${ms} ms`)
  world.machine.wall += ms
}

function failCommit(world: World): void {
  world.disk.fault = world.random.pick(['before', 'after', 'torn'] as const)
  world.say(`the next commit fails: ${world.disk.fault}`)
}

function failOpening(world: World): void {
  world.disk.openingFails = true
}

function fillDisk(world: World): void {
  world.disk.full = !world.disk.full
  world.say(world.disk.full ? 'the disk is full' : 'the disk has room')
}

function changeLicense(world: World): void {
  const { agent, random, catalog, machine } = world
  if (!agent?.isListening) return
  const model = random.pick(catalog)
  const license = agent.licenses.get(model.id)
  const seats = random.integer(1, 5)
  const change = (what: string, changed: License): void => {
    world.say(`${supplyIdOf(changed)}: ${what}`)
    if (changed.takes.kind === 'nothing') world.auditor.closing(supplyIdOf(changed))
    void agent.licenses.put(changed).catch(() => undefined)
  }
  if (!license) {
    change(`installed with ${seats} seats`, { ...model, seats })
    return
  }
  const { end: _, ...endless } = license
  random.weigh<() => void>([
    [4, () => change(`has ${seats} seats`, { ...license, seats })],
    [2, () => change('takes renewals only', { ...license, takes: { kind: 'renewals', why: 'license_blocked' } })],
    [1, () => change('takes nothing', { ...license, takes: { kind: 'nothing', why: 'license_not_active' } })],
    [3, () => change('takes sessions, without an end', { ...endless, takes: { kind: 'sessions' } })],
    [2, () => change('ends soon', { ...license, end: machine.now + random.integer(1_000, 240_000) })],
    [
      1,
      () => {
        world.say(`${supplyIdOf(license)}: removed`)
        world.auditor.closing(supplyIdOf(license))
        void agent.licenses.remove(license).catch(() => undefined)
      },
    ],
  ])()
}

function disconnect(world: World, freeNow: boolean): void {
  const { agent, random } = world
  if (!agent?.isListening) return
  const ids = [...agent.lessor.view.grants()].map((grant) => grant.id)
  if (ids.length === 0) return
  const id = random.pick(ids)
  world.say(`an administrator ${freeNow ? 'frees' : 'disconnects'} ${id}`)
  world.auditor.disconnecting(id)
  void agent.broker.disconnect(id, { freeNow, by: 'admin' }).catch(() => undefined)
}

/** All licenses as at the beginning, so that who waits can be served. */
export async function restoreLicenses(world: World): Promise<void> {
  for (const license of world.catalog) await world.agent?.licenses.put(license).catch(() => undefined)
}
