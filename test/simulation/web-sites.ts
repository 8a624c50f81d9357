/**
 * The web sites of one machine: what their administrators define, start, stop and recycle, and the calendar by which the agent
 * recycles them, on simulated time. Who is signed in is in `visitors.ts`.
 */
import type { Cancel } from '../../agent/clock.ts'
import type { ProductName } from '../../agent/domain/product-name.ts'
import type { SiteDefinition, SiteRecord } from '../../agent/site-book.ts'
import type { Calendar } from '../../agent/site-schedules.ts'
import type { Sites } from '../../agent/sites.ts'
import type { Incident } from './incidents.ts'
import type { SimulatedProcess } from './machine.ts'
import type { Site } from './site.ts'

export const webSiteIds = ['w1', 'w2'] as const
/** How many seats a site asks for at most. */
export const mostSeats = 3

export const siteIncidents: readonly Incident[] = [
  [10, 'site is defined', define],
  [60, 'site starts', startOne],
  [3, 'site stops', (site) => order(site, 'stop', (sites, id) => sites.stopSite(id, 'site'))],
  [1, 'site is removed', (site) => order(site, 'remove', (sites, id) => sites.remove(id, 'admin'))],
  [
    12,
    'site is recycled',
    (site) =>
      order(
        site,
        'recycle',
        (sites, id) => sites.recycle(id, 'admin'),
        ({ isStarted }) => isStarted,
      ),
  ],
]

/** A schedule says after how many seconds of running it is due. */
export class SimulatedCalendar implements Calendar {
  readonly #process: SimulatedProcess

  constructor(process: SimulatedProcess) {
    this.#process = process
  }

  check(): undefined {
    return undefined
  }

  next({ cron }: { readonly cron: string }): number {
    return this.#process.clock.wall() + Number(cron) * 1000
  }

  run({ cron }: { readonly cron: string }, task: () => void): Cancel {
    return this.#process.every(Number(cron) * 1000, task)
  }
}

/** Absent where the agent does not listen. */
export function sitesAt({ agent }: Site): Sites | undefined {
  return agent?.isListening ? agent.network?.kept.sites : undefined
}

export function inventDefinition({ world: { random, sites } }: Site): SiteDefinition {
  const products = sites.flatMap(({ catalog }) =>
    catalog.map(({ vendor, product = 'cam' }): ProductName => `${vendor}/${product}`),
  )
  return {
    serverProduct: random.chance(0.8) ? 'acme/portal' : random.pick(products),
    clientProduct: random.pick(products),
    seats: random.integer(1, mostSeats),
    recycle: { cron: String(random.integer(60, 900)), zone: 'UTC' },
    inactivityMinutes: random.pick([1, 3, 240]),
  }
}

/** Changes it where it is known. */
function define(site: Site): void {
  const id = site.world.random.pick(webSiteIds)
  const definition = inventDefinition(site)
  const { seats, clientProduct, recycle } = definition
  note(site, `site ${id}: ${seats} of ${clientProduct}, recycled every ${recycle.cron} s`, (sites) =>
    sites.define(id, definition, 'admin'),
  )
}

function startOne(site: Site): void {
  const sites = sitesAt(site)
  if (!sites) return
  if (sites.list().length === 0) define(site)
  else
    order(
      site,
      'start',
      (known, id) => known.startSite(id, 'site'),
      ({ isStarted }) => !isStarted,
    )
}

function order(
  site: Site,
  what: string,
  give: (sites: Sites, id: string) => Promise<Outcome>,
  isMeant: (web: SiteRecord) => boolean = () => true,
): void {
  const known = (sitesAt(site)?.list() ?? []).filter(isMeant)
  if (known.length === 0) return
  const { id } = site.world.random.pick(known)
  note(site, `site ${id}: ${what}`, (sites) => give(sites, id))
  if (what === 'stop') site.visitors.stopped(id)
}

interface Outcome {
  readonly kind: string
  readonly code?: string
}

function note(site: Site, what: string, give: (sites: Sites) => Promise<Outcome>): void {
  const sites = sitesAt(site)
  if (!sites) return
  site.say(what)
  give(sites)
    .then(({ kind, code }) => {
      site.world.count(`site: ${code ?? kind}`)
      site.say(`${what}: ${code ?? kind}`)
    })
    .catch((error: unknown) => site.noteTrouble(what, error))
}
