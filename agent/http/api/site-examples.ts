/**
 * Examples of the calls about reserves and web sites.
 * Must not import anything of ours but shapes.
 */
import type { Reserve, SignIn, Site } from './site-shapes.ts'

const manager = { id: 'q2J0rLx8cV5nT1yWb7eZ3Aq2J0rLx8cV5nT1yWb7eZ0', name: 'LIC-1' }
const token = 'lhs_vS0cVQ4m1n0p6r2wXk9bT3yJ7dZ5aF8gH1lE2uN4oRs'
const bearer = { Authorization: `Bearer ${token}` }

const reserve: Reserve = {
  id: 'design',
  product: 'acme/cad',
  seats: 3,
  taken: 2,
  used: 1,
  from: [{ manager, seats: 2, used: 1, reachable: true, until: '2026-11-24T08:09:00.000Z' }],
  missing: {
    code: 'no_seats',
    detail: 'LIC-1: All 5 seats of acme/cad are in use.',
    asked: [{ manager, outcome: 'no_seats', detail: 'All 5 seats of acme/cad are in use.', ms: 4 }],
    retryIn: 12,
  },
}
const wish = { product: 'acme/cad', seats: 3 }
const named = { id: 'design' }
export const listReservesExample = { query: {}, answers: { 200: { items: [reserve], total: 1 } } }
export const readReserveExample = { params: named, answers: { 200: reserve } }
export const putReserveExample = { params: named, body: wish, answers: { 200: reserve, 201: reserve } }
export const dropReserveExample = { params: named, answers: { 204: undefined } }

const recycle = { cron: '30 4 * * *', zone: 'Europe/Berlin' }
const site: Site = {
  id: 'shop',
  serverProduct: 'acme/portal-server',
  clientProduct: 'acme/portal-user',
  seats: 20,
  recycle,
  inactivityMinutes: 240,
  state: 'started',
  server: true,
  taken: 20,
  occupied: 1,
  from: [{ manager, seats: 20, used: 1, reachable: true, until: '2026-11-24T08:09:00.000Z' }],
  startedAt: '2026-11-24T06:00:00.000Z',
  recyclesAt: '2026-11-25T03:30:00.000Z',
  signIns: [
    {
      user: { displayName: 'Ana Ruiz', email: 'ana@example.com' },
      access: 'full',
      signedInAt: '2026-11-24T07:55:00.000Z',
      idleEndsAt: '2026-11-24T11:55:00.000Z',
      session: 'w7cV5nT1yWb7eZ3Aq2J0rLx',
    },
  ],
}
const shop = { id: 'shop' }
const { serverProduct, clientProduct, seats } = site
const siteWish = { serverProduct, clientProduct, seats, recycle, inactivityMinutes: 240 }
const signIn: SignIn = {
  id: 'c1f0a7d2',
  seat: true,
  access: 'full',
  idleEndsAt: '2026-11-24T11:55:00.000Z',
  expiresIn: 420,
}

export const listSitesExample = { query: {}, answers: { 200: { items: [site], total: 1 } } }
export const readSiteExample = { params: shop, headers: bearer, answers: { 200: site } }
export const putSiteExample = { params: shop, body: siteWish, answers: { 200: site, 201: { ...site, token } } }
export const dropSiteExample = { params: shop, answers: { 204: undefined } }
export const siteTokenExample = { params: shop, answers: { 200: { token } } }
export const startSiteExample = { params: shop, headers: bearer, answers: { 200: { asked: 20, taken: 20 } } }
export const stopSiteExample = { params: shop, headers: bearer, answers: { 204: undefined } }
export const recycleSiteExample = { params: shop, answers: { 200: site } }
export const signInExample = {
  params: shop,
  headers: bearer,
  body: { id: 'c1f0a7d2', user: { displayName: 'Ana Ruiz', email: 'ana@example.com' }, administrator: false },
  answers: { 200: signIn, 201: signIn },
}
export const signOutExample = { params: { ...shop, signIn: 'c1f0a7d2' }, headers: bearer, answers: { 204: undefined } }
export const activityExample = {
  params: shop,
  headers: bearer,
  body: { ids: ['c1f0a7d2'] },
  answers: { 200: { items: [signIn] } },
}
