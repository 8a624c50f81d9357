/** Reserves and web sites in memory. Whatever is done is remembered in `done`. */
import { refuse } from '../../../agent/errors.ts'
import type { Reserve, Site } from '../../../agent/http/api/site-shapes.ts'
import type { ReservesPart, SitesPart } from '../../../agent/http/ui/site-parts.ts'
import { at, hostile, minute, type Size } from './sample-data.ts'

export interface SampleSites {
  readonly sites: Site[]
  readonly reserves: Reserve[]
}

export const siteToken = 'lhs_token-that-is-shown-once'

export function createSites(
  size: Size,
  done: string[],
): {
  readonly kept: SampleSites
  readonly reserves: ReservesPart
  readonly sites: SitesPart
} {
  const kept = { sites: makeSites(size), reserves: makeReserves(size) }
  return {
    kept,
    reserves: {
      list: () => kept.reserves,
      put: async (id, wish) => {
        done.push(`kept ${id} ${JSON.stringify(wish)}`)
        kept.reserves.push({ id, ...wish, taken: wish.seats, used: 0, from: [] })
        return { kind: 'put' }
      },
      remove: async (id) => {
        done.push(`given back ${id}`)
        kept.reserves.splice(0, kept.reserves.length, ...kept.reserves.filter((one) => one.id !== id))
        return { kind: 'removed' }
      },
    },
    sites: {
      list: () => kept.sites,
      get: (id) => kept.sites.find((one) => one.id === id),
      define: async (id, wish) => {
        if (wish.recycle?.cron === 'never')
          return refuse('invalid_request', 'recycle.cron must be five fields', {
            fields: [{ field: 'recycle.cron', message: 'must be five fields' }],
          })
        done.push(`defined ${id} ${wish.seats}`)
        if (kept.sites.some((one) => one.id === id)) return { kind: 'defined' }
        kept.sites.push(
          makeSite({ id, seats: wish.seats, state: 'stopped', server: false, taken: 0, occupied: 0, signIns: [] }),
        )
        return { kind: 'defined', token: siteToken }
      },
      renewToken: async (id) => {
        done.push(`token of ${id}`)
        return { kind: 'renewed', token: siteToken }
      },
      remove: async (id) => {
        done.push(`removed ${id}`)
        kept.sites.splice(0, kept.sites.length, ...kept.sites.filter((one) => one.id !== id))
        return { kind: 'removed' }
      },
      recycle: async (id) => {
        done.push(`recycled ${id}`)
        return { kind: 'recycled' }
      },
    },
  }
}

const manager = { id: 'agent-lic', name: 'LIC-1' }
const missing = {
  code: 'no_seats',
  detail: 'LIC-1: All 5 seats of acme/portal-user are in use.',
  asked: [],
  retryIn: 12,
}

function makeSite(change: Partial<Site>): Site {
  return {
    id: 'shop',
    serverProduct: 'acme/portal-server',
    clientProduct: 'acme/portal-user',
    seats: 5,
    recycle: { cron: '30 4 * * *', zone: 'Europe/Berlin' },
    inactivityMinutes: 240,
    state: 'started',
    server: true,
    taken: 4,
    occupied: 2,
    from: [{ manager, seats: 4, used: 2, reachable: true, until: at(8 * minute) }],
    missing,
    startedAt: at(-300 * minute),
    recycledAt: at(-600 * minute),
    recyclesAt: at(840 * minute),
    signIns: [
      {
        user: { displayName: 'Ana Ruiz', email: 'ana@example.com' },
        access: 'full',
        signedInAt: at(-5 * minute),
        idleEndsAt: at(235 * minute),
        session: 'w1',
      },
      {
        user: { account: 'bo' },
        access: 'full',
        signedInAt: at(-50 * minute),
        idleEndsAt: at(190 * minute),
        session: 'w2',
      },
      { user: {}, access: 'none', signedInAt: at(-500 * minute) },
      { user: { email: 'root@example.com' }, access: 'administration', signedInAt: at(-2 * minute) },
    ],
    ...change,
  }
}

function makeSites(size: Size): Site[] {
  if (size === 'empty') return []
  if (size === 'hostile')
    return [
      makeSite({
        missing: { ...missing, detail: hostile[0] },
        signIns: [
          {
            user: { displayName: hostile[1] },
            access: 'full',
            signedInAt: at(-minute),
            idleEndsAt: at(minute),
            session: 'w1',
          },
        ],
      }),
    ]
  const {
    recyclesAt: _,
    startedAt: _started,
    missing: _missing,
    ...stopped
  } = makeSite({
    id: 'wiki',
    state: 'stopped',
    server: false,
    taken: 0,
    occupied: 0,
    from: [],
    signIns: [],
  })
  return [makeSite({}), stopped]
}

function makeReserves(size: Size): Reserve[] {
  if (size === 'empty') return []
  const from = [{ manager, seats: 2, used: 1, reachable: true, until: at(8 * minute) }]
  const design: Reserve = { id: 'design', product: 'acme/cad', seats: 3, taken: 2, used: 1, from, missing }
  return [
    size === 'hostile'
      ? {
          ...design,
          from: [{ manager: { id: 'x', name: hostile[0] }, seats: 2, used: 1, reachable: true, until: at(8 * minute) }],
        }
      : design,
  ]
}

/** The line to the manager is cut. */
export function cutOff(kept: SampleSites): void {
  const lose = <Kept extends Site | Reserve>(one: Kept): Kept => ({
    ...one,
    from: one.from.map((from) => ({ ...from, reachable: false, until: at(minute / 2) })),
  })
  kept.sites.splice(0, kept.sites.length, ...kept.sites.map(lose))
  kept.reserves.splice(0, kept.reserves.length, ...kept.reserves.map(lose))
}

/** Every seat is taken and occupied. */
export function fillUp(kept: SampleSites): void {
  const fill = (one: Site): Site => {
    const { missing: _, ...rest } = one
    const user = (number: number): Site['signIns'][number] => ({
      user: { displayName: `User ${number}`, email: `user-${number}@example.com` },
      access: 'full',
      signedInAt: at(-number * minute),
      idleEndsAt: at((240 - number) * minute),
      session: `w${number}`,
    })
    const signIns = Array.from({ length: one.seats }, (_one, at) => user(at + 1))
    return { ...rest, taken: one.seats, occupied: one.seats, signIns }
  }
  kept.sites.splice(0, kept.sites.length, ...kept.sites.map((one) => (one.state === 'started' ? fill(one) : one)))
}
