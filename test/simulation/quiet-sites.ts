/**
 * What must be true of web sites when nothing goes wrong any more: the seats of closed browsers are free after a recycle, and a site
 * has its seats again, exactly as many as it is to have, when there are enough.
 */
import type { ProductName } from '../../agent/domain/product-name.ts'
import type { SiteAccess } from '../../agent/site-sign-ins.ts'
import type { Site } from './site.ts'
import { Violation } from './violation.ts'
import { inventDefinition, mostSeats, sitesAt } from './web-sites.ts'
import type { World } from './world.ts'

type Until = (what: string, isTrue: () => boolean) => Promise<void>

/** In ms: the longest lease time with its grace, what confirming takes, and timers that are late. */
const longestPromise = 120_000 + 15_000 + 20_000
/** An agent between keeps a lease for so long for its next use. */
const longestLinger = 300_000
/** A site tries again after at most two minutes (P6), and asks for one seat after another. */
const longestTry = 300_000

/** P5: everybody has closed the browser, so each site has all its seats free after the next recycle. */
export async function recycleAll(world: World, until: Until): Promise<void> {
  let recycled = 0
  for (const site of world.sites) void recycleOf(site).then(() => recycled++)
  await until('all sites are recycled', () => recycled === world.sites.length)
  const end = world.now + longestPromise
  const users = (): string[] =>
    world.sites.flatMap((site) =>
      (sitesAt(site)?.list() ?? []).flatMap(({ id }) => {
        const used = sitesAt(site)?.get(id)?.clients.used ?? 0
        return used > 0 ? [`${used} of ${id} at ${site.name}`] : []
      }),
    )
  await until('no seat of a site is in use', () => users().length === 0 || world.now > end)
  if (users().length > 0) throw new Violation(`P5: seats of closed browsers are not free: ${users().join(', ')}`)
}

async function recycleOf(site: Site): Promise<void> {
  const sites = sitesAt(site)
  for (const { id, isStarted } of sites?.list() ?? []) if (isStarted) await sites?.recycle(id, 'admin')
}

export async function stopAll(world: World, until: Until): Promise<void> {
  let stopped = 0
  for (const site of world.sites) void removeAt(site).then(() => stopped++)
  await until('the sites are removed', () => stopped === world.sites.length)
}

async function removeAt(site: Site): Promise<void> {
  const sites = sitesAt(site)
  for (const { id } of sites?.list() ?? []) await sites?.remove(id, 'admin')
}

/** One site from its start to its end, alone on the network. @param seatsAt how many of a product can be had there */
export async function checkSite(
  world: World,
  until: Until,
  seatsAt: (site: Site, product: ProductName) => number,
): Promise<void> {
  const { random } = world
  const site = random.pick(world.sites)
  const definition = inventDefinition(site)
  const { clientProduct, serverProduct } = definition
  const isSame = clientProduct === serverProduct
  const there = seatsAt(site, clientProduct) - (isSame ? 1 : 0)
  const seats = Math.min(there, random.integer(1, mostSeats))
  if (seats < 1 || seatsAt(site, serverProduct) < 1) return
  const web = 'quiet'
  let isStarting = false
  const run = async <T>(what: string, asked: Promise<T> | undefined): Promise<T> => {
    const answers: T[] = []
    asked?.then(
      (answer) => answers.push(answer),
      (error: unknown) => world.report(error),
    )
    await until(what, () => answers.length > 0)
    return answers[0] as T
  }
  const sites = (): ReturnType<typeof sitesAt> => sitesAt(site)
  const waitFor = async (what: string, ms: number, isTrue: () => boolean): Promise<void> => {
    const end = world.now + ms
    await until(what, () => isTrue() || world.now > end)
    if (!isTrue()) throw new Violation(`${site.name}: ${what}: not so after ${ms} ms (${describe()})`)
  }
  const describe = (): string => {
    const { clients, hasServer, signIns } = sites()?.get(web) ?? {}
    const users = signIns?.map(({ record, access }) => `${record.id} ${access}`).join(', ')
    return `server ${hasServer}, ${clients?.taken} of ${seats} ${clientProduct} taken, ${clients?.used} used; ${users}; ${clients?.trouble?.detail}`
  }
  const enter = async (id: string, isAdministrator = false): Promise<SiteAccess | string> => {
    const request = { id, user: {}, isAdministrator, address: '127.0.0.1' }
    const answer = await run(`${id} signs in`, sites()?.signIn(web, request))
    return answer.kind === 'refused' ? answer.code : answer.signIn.access
  }
  const come = async (id: string): Promise<SiteAccess | string> => {
    const answer = await run(`${id} does something`, sites()?.noteActivity(web, [id]))
    if (answer.kind === 'refused') return answer.code
    const [activity] = answer.activities
    if (activity?.kind === 'no-seat') return activity.refusal.code
    return activity?.kind === 'active' ? activity.signIn.access : 'unknown'
  }
  const must = (rule: string, what: string, is: string, wanted: string): void => {
    if (is !== wanted) throw new Violation(`${rule}: ${site.name}: ${what} is ${is}, not ${wanted} (${describe()})`)
  }
  const fill = async (name: string): Promise<void> => {
    for (let number = 1; number <= seats; number++)
      must('P2', `user ${number} of ${seats}`, await enter(`${name}-${number}`), 'full')
    must('P3', 'one more', await enter(`${name}-more`), 'site_reserve_empty')
    must('P4', 'the administrator', await enter(`${name}-root`, true), 'administration')
  }
  // A clock that goes on by itself must not recycle it in between.
  const recycle = { cron: String(7 * 86_400), zone: 'UTC' }
  await run('the site is defined', sites()?.define(web, { ...definition, seats, recycle }, 'admin'))
  await waitFor('P1: it starts', longestTry, () => {
    if (!sites()?.get(web)?.site.isStarted) starts()
    return sites()?.get(web)?.site.isStarted === true
  })
  const isFull = (): boolean => sites()?.get(web)?.clients.taken === seats
  await waitFor('P6: it has its seats', longestTry, isFull)
  await fill('first')
  if (random.chance(0.5)) {
    const later = world.now + random.integer(0, 200_000)
    await until('the users read', () => world.now >= later)
  }
  // Everybody closes the browser.
  await run('it is recycled', sites()?.recycle(web, 'schedule'))
  await waitFor(
    'P5: the seats of closed browsers are free',
    longestPromise,
    () => sites()?.get(web)?.clients.used === 0,
  )
  await waitFor('P6: it has its seats again', longestTry, isFull)
  must('P5', 'who comes back', await come('first-1'), 'full')
  await run('first-1 signs out', sites()?.signOut(web, 'first-1'))
  await fill('second')
  await run('it is removed', sites()?.remove(web, 'admin'))
  const left = (): number => world.sites.reduce((sum, { ledger }) => sum + ledger.grants.size + ledger.leases.size, 0)
  world.isWaiting = true
  await waitFor('all is given back', world.sites.length * (longestLinger + longestPromise), () => left() === 0)
  world.isWaiting = false
  world.count('seen whole site')

  function starts(): void {
    if (isStarting) return
    isStarting = true
    sites()
      ?.startSite(web, 'site')
      .catch((error: unknown) => world.report(error))
      .finally(() => {
        isStarting = false
      })
  }
}
