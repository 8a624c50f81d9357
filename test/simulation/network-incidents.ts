/**
 * What goes wrong between machines, and what people change there that other agents feel: cuts, streams that break, switches of
 * serving and of access, rules, reserves that are taken.
 */
import type { ProductName } from '../../agent/domain/product-name.ts'
import { type Incident, restoreLicenses } from './incidents.ts'
import type { Site } from './site.ts'

export const networkIncidents: readonly Incident[] = [
  [8, 'connection is cut', cutOne],
  [3, 'machine is cut off', cutOff],
  [4, 'all is connected', ({ world }) => world.wires.heal()],
  [6, 'streams break', (site) => site.world.wires.breakStreams(site)],
  [3, 'serving stops', stopServing],
  [2, 'handing out is disabled', disableHandingOut],
  [2, 'remote seats are forbidden', forbidRemote],
  [2, 'access is closed', closeAccess],
  [2, 'a rule denies', deny],
  [8, 'a reserve is taken', takeReserve],
  [6, 'a reserve is set', setReserve],
  [4, 'a reserve is removed', removeReserve],
  [20, 'all is allowed again', ({ world }) => world.sites.forEach(allowAll)],
  [8, 'licenses are as at first', ({ world }) => world.sites.forEach((site) => void restoreLicenses(site))],
]

function cutOne(site: Site): void {
  const { random, sites, wires } = site.world
  const other = random.pick(sites.filter((one) => one !== site))
  const ms = random.integer(1_000, 300_000)
  const isBoth = random.chance(0.5)
  site.say(`does not reach ${other.name}${isBoth ? ', nor is reached,' : ''} for ${ms} ms`)
  wires.cut(site, other, ms)
  if (isBoth) wires.cut(other, site, ms)
}

function cutOff(site: Site): void {
  const { random, sites, wires } = site.world
  const ms = random.integer(1_000, 300_000)
  site.say(`is cut off for ${ms} ms`)
  for (const other of sites) {
    if (other === site) continue
    wires.cut(site, other, ms)
    wires.cut(other, site, ms)
  }
}

function stopServing(site: Site): void {
  const { agent } = site
  if (!agent?.isListening || agent.serving.state() === 'serving_stopped') return
  site.say('stops serving')
  site.auditor.stopping()
  void agent.serving.change({ running: false }, 'admin').catch(() => undefined)
}

function disableHandingOut(site: Site): void {
  const { agent } = site
  if (!agent?.isListening) return
  site.say('hands out nothing more')
  void agent.serving.change({ handingOut: false }, 'admin').catch(() => undefined)
}

function forbidRemote(site: Site): void {
  site.settings.remoteAllowed = false
  site.say('may use no remote seats')
  site.agent?.network?.seats.look()
}

function closeAccess(site: Site): void {
  site.settings.access = 'none'
  site.say('gives access to nobody')
  site.agent?.network?.desk.notePolicy()
}

function deny(site: Site): void {
  site.settings.denied = site.world.random.pick(['ben', 'DOMAIN\\Cleo'])
  site.say(`denies ${site.settings.denied}`)
  site.auditor.denying()
  site.agent?.network?.desk.notePolicy()
}

/** Everything but licenses as at the beginning. */
export function allowAll(site: Site): void {
  const { agent, settings, disk } = site
  site.say('allows everything')
  disk.full = false
  settings.remoteAllowed = true
  settings.access = 'rules'
  settings.denied = undefined
  if (!agent?.isListening) return
  agent.network?.desk.notePolicy()
  agent.network?.seats.look()
  void agent.serving.change({ running: true, handingOut: true }, 'admin').catch(() => undefined)
}

/** Keyless seats for many, that linger until they are used (R17). */
function takeReserve(site: Site): void {
  const { agent, agentId, settings, world } = site
  const network = agent?.network
  if (!network || !agent.isListening || !settings.remoteAllowed || agent.serving.state() !== 'open') return
  const { random, sites } = world
  const license = random.pick(sites.flatMap(({ catalog }) => catalog))
  const product: ProductName = `${license.vendor}/${license.product ?? 'cam'}`
  const seats = random.integer(1, 4)
  site.say(`asks for a reserve of ${seats} of ${product}`)
  const want = {
    for: random.text(20),
    product,
    seats,
    missing: seats,
    inOne: true,
    purpose: 'reserve' as const,
    agent: agentId,
    who: {},
    chain: [agentId],
  }
  network.seats.search
    .obtain(want, () => ({ isPlaced: true, answer: true }))
    .then(({ placed }) => world.count(placed === undefined ? 'reserve: none' : 'reserve: taken'))
    .catch(() => undefined)
}

/** Seats that this machine keeps in advance, topped up until it is removed. */
function setReserve(site: Site): void {
  const { agent, world } = site
  const kept = agent?.isListening ? agent.network?.kept : undefined
  if (!kept) return
  const { random, sites } = world
  const license = random.pick(sites.flatMap(({ catalog }) => catalog))
  const product: ProductName = `${license.vendor}/${license.product ?? 'cam'}`
  const reserve = { id: `r${random.integer(1, 2)}`, product, seats: random.integer(1, 3) }
  site.say(`keeps ${reserve.seats} of ${product} in advance`)
  kept.reserves.put(reserve, 'admin').catch(() => undefined)
}

function removeReserve(site: Site): void {
  const kept = site.agent?.isListening ? site.agent.network?.kept : undefined
  const reserves = kept?.reserves.list() ?? []
  if (reserves.length === 0) return
  const { id } = site.world.random.pick(reserves)
  site.say(`keeps nothing of ${id} any more`)
  kept?.reserves.remove(id, 'admin').catch(() => undefined)
}

/** Of every machine. */
export async function removeReserves({ agent }: Site): Promise<void> {
  const reserves = agent?.network?.kept.reserves
  for (const { id } of reserves?.list() ?? []) await reserves?.remove(id, 'admin')
}
