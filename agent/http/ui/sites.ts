/**
 * Configuration > Sites: web sites with what they hold, seats that are kept in advance, and a page for each site with who is signed
 * in there and when each seat goes back. Must not import owners.
 */
import type { Reserve, Site } from '../api/site-shapes.ts'
import { readForm } from './form.ts'
import { nameCode, type Page } from './page.ts'
import type { Parts } from './parts.ts'
import { listTabs } from './settings-page.ts'
import type { SiteForms } from './site-parts.ts'

const base = '/configuration/sites'

export function siteAddress(id: string): string {
  return `${base}/${encodeURIComponent(id)}`
}

/** @param forms what was typed, where it was refused */
export async function showSites(page: Page, parts: Parts, forms: SiteForms): Promise<void> {
  const { language } = page
  await page.show(
    'pages/configuration-sites',
    {
      title: language.t('navigation.sites'),
      tabs: listTabs('sites', language),
      sites: parts.sites.list().map((one) => writeSiteRow(one, page)),
      reserves: parts.reserves.list().map((one) => writeReserveRow(one, page)),
      refresh: parts.frame().refreshSeconds,
      forms,
      wrong: forms.errors !== undefined,
    },
    forms.errors === undefined ? 200 : 422,
  )
}

const states = {
  started: { kind: 'good', icon: 'check' },
  recycling: { kind: 'notice', icon: 'info' },
  stopped: { kind: 'quiet', icon: 'power' },
} as const

function writeSiteRow(site: Site, { language, time }: Page) {
  const { t } = language
  const isStopped = site.state === 'stopped'
  return {
    id: site.id,
    address: siteAddress(site.id),
    products: `${site.serverProduct}, ${site.clientProduct}`,
    state: { ...states[site.state], text: t(`site_state.${site.state}`) },
    isStopped,
    server: isStopped ? undefined : writeServer(site, t),
    full: site.taken > 0 && site.occupied >= site.taken ? fullBadge(t) : undefined,
    occupied: isStopped ? undefined : writeOccupied(site, t),
    lost: writeLost(site.from, time),
    recyclesAt: site.recyclesAt === undefined ? undefined : time.show(site.recyclesAt),
    missing: site.missing && writeMissing(site.missing, site.seats - site.taken, language),
  }
}

function fullBadge(t: Page['language']['t']) {
  return { kind: 'notice', icon: 'info', text: t('sites.full') }
}

/** What must be known of a site before anything else of it. */
function listNotices(site: Site, { language, time }: Page) {
  const { t } = language
  const lost = writeLost(site.from, time)
  const names = site.from.filter(({ reachable }) => !reachable).map(({ manager }) => manager.name)
  const next = site.signIns.flatMap(({ idleEndsAt }) => idleEndsAt ?? []).sort()[0]
  const when = next === undefined ? undefined : t('sites.full_next', { when: time.show(next).relative })
  const isFull = site.taken > 0 && site.occupied >= site.taken
  const text = [t('sites.full_text'), when].filter((one) => one !== undefined).join(' ')
  return [
    site.state === 'stopped' && { kind: 'notice', title: t('sites.stopped_title'), text: t('sites.stopped_text') },
    site.state !== 'stopped' &&
      !site.server && { kind: 'error', title: t('sites.server_missing'), text: t('sites.server_text') },
    lost && {
      kind: 'warning',
      title: t('sites.lost_title', { name: names.join(', ') }),
      text: t('sites.lost_text', { when: lost.relative }),
    },
    isFull && { kind: 'notice', title: t('sites.full_title'), text },
    site.missing && writeMissing(site.missing, site.seats - site.taken, language),
  ].filter((one) => typeof one === 'object')
}

/** The drawing shows what was taken; more than that is said in words. */
function writeOccupied({ occupied, taken, seats }: Site, t: Page['language']['t']) {
  const isShort = taken < seats
  const text = isShort
    ? t('sites.occupied_of', { used: occupied, taken, asked: seats })
    : t('sites.occupied', { used: occupied, taken })
  return { used: occupied, seats: taken, text }
}

function writeServer({ server }: Site, t: Page['language']['t']) {
  return server
    ? { kind: 'good', icon: 'check', text: t('sites.server_held') }
    : { kind: 'error', icon: 'error', text: t('sites.server_missing') }
}

function writeMissing(missing: NonNullable<Site['missing']>, count: number, language: Page['language']) {
  return {
    kind: 'warning',
    title: language.t('sites.missing', { count }),
    text: missing.detail,
    help: `${nameCode(missing.code, language)}. ${language.t('sites.retry', { count: missing.retryIn })}`,
  }
}

/** When seats of managers that do not answer end, unless these are back before. */
function writeLost(from: Site['from'], time: Page['time']) {
  const until = from
    .filter(({ reachable }) => !reachable)
    .map((one) => one.until)
    .sort()[0]
  return until === undefined ? undefined : time.show(until)
}

function writeReserveRow(reserve: Reserve, { language, time }: Page) {
  const { t } = language
  const { id, product, feature, seats, taken, used, missing } = reserve
  return {
    id,
    product: [product, feature].filter(Boolean).join(' · '),
    seats: { used, seats: taken, text: t('sites.kept', { used, taken, asked: seats }) },
    from: reserve.from.map(({ manager, seats: count }) => t('sites.from', { name: manager.name, count })).join(', '),
    lost: writeLost(reserve.from, time),
    missing: missing && writeMissing(missing, seats - taken, language),
    drop: {
      address: `${base}/reserves/${encodeURIComponent(id)}/drop`,
      label: t('sites.drop_label', { id }),
    },
  }
}

/** @param forms what was typed, where it was refused @param token of the site, right after it was made */
export async function showSite(page: Page, parts: Parts, site: Site, forms: SiteForms, token?: string): Promise<void> {
  const { language, time } = page
  const { t } = language
  const recycle = site.recyclesAt
  await page.show(
    'pages/site',
    {
      title: site.id,
      trail: [{ text: t('navigation.sites'), address: base }],
      site: writeSiteRow(site, page),
      notices: listNotices(site, page),
      address: siteAddress(site.id),
      token,
      facts: [
        { name: t('sites.server_product'), text: site.serverProduct },
        { name: t('sites.client_product'), text: site.clientProduct },
        { name: t('sites.seats'), text: language.number(site.seats) },
        { name: t('sites.inactivity'), text: time.duration(site.inactivityMinutes * 60) },
        { name: t('sites.schedule'), text: `${site.recycle.cron} · ${site.recycle.zone}` },
      ],
      times: [
        { name: t('sites.started_at'), time: site.startedAt && time.show(site.startedAt) },
        { name: t('sites.recycled_at'), time: site.recycledAt && time.show(site.recycledAt) },
        { name: t('sites.recycles_at'), time: recycle && time.show(recycle) },
      ].filter((one) => one.time),
      from: site.from.map(({ manager, seats: count }) => t('sites.from', { name: manager.name, count })).join(', '),
      rows: site.signIns.map((one) => ({
        user: one.user.displayName ?? one.user.email ?? one.user.account ?? t('sites.nobody'),
        second: one.user.displayName === undefined ? '' : (one.user.email ?? one.user.account ?? ''),
        access: t(`site_access.${one.access}`),
        since: time.show(one.signedInAt),
        // What comes first takes the seat away.
        until: [one.idleEndsAt, one.access === 'full' ? recycle : undefined]
          .filter((at) => at !== undefined)
          .sort()
          .slice(0, 1)
          .map((at) => time.show(at))[0],
        session: one.session,
      })),
      refresh: parts.frame().refreshSeconds,
      forms,
      wrong: forms.errors !== undefined,
    },
    forms.errors === undefined ? 200 : 422,
  )
}

export const siteOrders = ['recycle', 'token', 'remove'] as const
export type SiteOrder = (typeof siteOrders)[number]

/** Asks before something that users of the site notice. */
export async function askSiteOrder(page: Page, parts: Parts, order: SiteOrder): Promise<void> {
  const { t } = page.language
  const site = parts.sites.get(page.param('id'))
  if (!site) return page.showProblem('unknown_site', t('sites.gone'))
  const address = siteAddress(site.id)
  await page.show('pages/confirm', {
    title: t(`sites.${order}_title`, { id: site.id }),
    trail: [
      { text: t('navigation.sites'), address: base },
      { text: site.id, address },
    ],
    confirm: {
      action: `${address}/${order}`,
      cancel: address,
      reason: false,
      texts: [t(`sites.${order}_text`, { count: site.occupied })],
      button: t(`sites.${order}_button`),
      other: undefined,
    },
  })
}

export async function askDropReserve(page: Page, parts: Parts): Promise<void> {
  const { t } = page.language
  const reserve = parts.reserves.list().find(({ id }) => id === page.param('id'))
  if (!reserve) return page.showProblem('unknown_reserve', t('sites.reserve_gone'))
  await page.show('pages/confirm', {
    title: t('sites.drop_title', { id: reserve.id }),
    trail: [{ text: t('navigation.sites'), address: base }],
    confirm: {
      action: `${base}/reserves/${encodeURIComponent(reserve.id)}/drop`,
      cancel: base,
      reason: false,
      texts: [t('sites.drop_text', { count: reserve.used })],
      button: t('sites.drop_button'),
      other: undefined,
    },
  })
}

export async function dropReserve(page: Page, parts: Parts): Promise<void> {
  const read = await readForm(page.ctx)
  if (read.kind === 'refused') return page.refuse(read)
  const outcome = await parts.reserves.remove(page.param('id'))
  if (outcome.kind === 'refused') return page.refuse(outcome)
  page.leadTo(base, { kind: 'good', key: 'said.reserve_dropped', args: { id: page.param('id').slice(0, 64) } })
}
