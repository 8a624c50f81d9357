/**
 * What goes wrong on one machine, and what people do there: crashes, reboots, sleep, clocks that are set, faults of the disk,
 * changes of licenses, disconnects. Each is one thing that happens between two steps of everybody else.
 */
import { type License, supplyIdOf } from './licenses.ts'
import type { Site } from './site.ts'

export type Incident = readonly [weight: number, name: string, happen: (site: Site) => void | Promise<void>]

export const incidents: readonly Incident[] = [
  [10, 'agent crashes', (site) => site.crashAgent()],
  [3, 'agent stops', (site) => void site.stopAgent()],
  [1, 'machine reboots', (site) => site.reboot(site.world.random.integer(5_000, 200_000))],
  [4, 'machine sleeps', fallAsleep],
  [4, 'wall is set', setWall],
  [8, 'process is killed', (site) => site.killProcess(site.world.random.pick(site.applications).process)],
  [6, 'commit fails', failCommit],
  [2, 'opening fails', failOpening],
  [3, 'disk fills or empties', fillDisk],
  [24, 'license changes', changeLicense],
  [10, 'disconnect', (site) => disconnect(site, false)],
  [8, 'free now', (site) => disconnect(site, true)],
]

function fallAsleep(site: Site): void {
  const { random } = site.world
  const ms = random.chance(0.8) ? random.integer(1_000, 300_000) : random.integer(1_000, 7_200_000)
  site.say(`sleeps for ${ms} ms`)
  site.machine.suspend(ms)
}

function setWall(site: Site): void {
  const { random } = site.world
  const most = random.pick([20_000, 120_000, 86_400_000])
  const ms = random.integer(-most, most)
  site.say(`has its wall clock set by ${ms} ms`)
  site.auditor.settingWall()
  site.machine.wall += ms
}

function failCommit(site: Site): void {
  site.disk.fault = site.world.random.pick(['before', 'after', 'torn'] as const)
  site.say(`: the next commit fails, ${site.disk.fault}`)
}

function failOpening(site: Site): void {
  site.disk.openingFails = true
}

function fillDisk(site: Site): void {
  site.disk.full = !site.disk.full
  site.say(site.disk.full ? ': the disk is full' : ': the disk has room')
}

function changeLicense(site: Site): void {
  const { agent, catalog, machine, world } = site
  const { random } = world
  if (!agent?.isListening || catalog.length === 0) return
  const model = random.pick(catalog)
  const license = agent.licenses.get(model.id)
  const seats = random.integer(1, 5)
  const change = (what: string, changed: License): void => {
    site.say(`${supplyIdOf(changed)}: ${what}`)
    if (changed.takes.kind === 'nothing') site.auditor.closing(supplyIdOf(changed))
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
        site.say(`${supplyIdOf(license)}: removed`)
        site.auditor.closing(supplyIdOf(license))
        void agent.licenses.remove(license).catch(() => undefined)
      },
    ],
  ])()
}

function disconnect(site: Site, freeNow: boolean): void {
  const { agent, world } = site
  if (!agent?.isListening) return
  const ids = [...agent.lessor.view.grants()].map((grant) => grant.id)
  if (ids.length === 0) return
  const id = world.random.pick(ids)
  site.say(`: an administrator ${freeNow ? 'frees' : 'disconnects'} ${id}`)
  site.auditor.disconnecting(id)
  void agent.broker.disconnect(id, { freeNow, by: 'admin' }).catch(() => undefined)
}

/** All licenses as at the beginning, so that who waits can be served. */
export async function restoreLicenses({ agent, catalog }: Site): Promise<void> {
  for (const license of catalog) await agent?.licenses.put(license).catch(() => undefined)
}
