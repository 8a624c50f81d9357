/**
 * Detaching of the agent in memory: seats that are attached here and seats that are elsewhere, and everything that is done with
 * them, remembered in `done`.
 */
import { refuse } from '../../../agent/errors.ts'
import type { ClockState, DetachableProduct, Detachment } from '../../../agent/http/api/detachment-shapes.ts'
import type { DetachingPart, DetachWish } from '../../../agent/http/ui/detaching-parts.ts'
import { at, hostile, minute, now, type Size } from './sample-data.ts'

const hour = 60 * minute
const day = 24 * hour
const zone = 'Europe/Berlin'
const here = { id: 'agent-1', name: 'WS-17', fingerprint: 'T9QZH-XKSAB-KM6XM-XS3AF' }
const licenses = { id: 'agent-lic', name: 'LICENSES' }

export interface SampleDetaching {
  readonly list: Detachment[]
  readonly offers: DetachableProduct[]
  enabled: boolean
  clock: ClockState
}

export function makeDetachment(change: Partial<Detachment> & { readonly id: string }): Detachment {
  return {
    direction: 'in',
    state: 'active',
    product: 'acme/cad',
    title: 'Acme CAD',
    seats: 1,
    used: 1,
    license: 'lic-7f3a9c21',
    manager: licenses,
    recipient: here,
    user: { displayName: 'Ana Ruiz', email: 'ana@example.com' },
    version: 1,
    soft: false,
    cascade: false,
    earlyReturn: 'offline',
    startedAt: at(-2 * day),
    until: '2026-11-25T22:59:59.000Z',
    zone,
    endsIn: 121_194,
    lastContactAt: at(-3 * hour),
    reminder: '3 days',
    actions: ['return', 'extend'],
    unavailable: [
      { action: 'receipt', code: 'detachment_in_use', detail: 'Applications of this machine use its seats now.' },
    ],
    ...change,
  }
}

function makeDetachments(size: Size): Detachment[] {
  if (size === 'empty') return []
  const out = (change: Partial<Detachment> & { readonly id: string }): Detachment => {
    const {
      used: _,
      reminder: __,
      ...rest
    } = makeDetachment({
      direction: 'out',
      manager: { id: here.id, name: here.name },
      recipient: { id: 'agent-laptop', name: 'LAPTOP-7', fingerprint: 'QQ2SD-77KAA-PM6XM-XS3AF' },
      freeAt: '2026-11-25T23:09:59.000Z',
      freeIn: 121_794,
      latest: at(14 * day),
      actions: ['block', 'extend', 'lost'],
      unavailable: [
        { action: 'withdraw', code: 'early_return_forbidden', detail: 'LAPTOP-7 may have it already.' },
        { action: 'return', code: 'wrong_recipient', detail: 'It is given back on LAPTOP-7.' },
      ],
      ...change,
    })
    return rest
  }
  const list = [
    makeDetachment({ id: 'd-in' }),
    out({ id: 'd-out' }),
    out({
      id: 'd-wait',
      state: 'waiting',
      seats: 3,
      feature: 'render',
      zone: 'Asia/Tokyo',
      until: '2026-12-04T14:59:59.000Z',
      endsIn: 869_994,
      freeAt: '2026-12-04T15:09:59.000Z',
      actions: ['block', 'extend', 'withdraw'],
      unavailable: [],
      clockDifference: -125,
    }),
    out({
      id: 'd-lost',
      state: 'lost',
      until: at(5 * day),
      endsIn: 432_000,
      freeAt: at(5 * day + 10 * minute),
      lost: { declaredAt: at(-day), early: false },
      actions: ['block'],
      unavailable: [{ action: 'extend', code: 'not_detachable', detail: 'It was declared lost.' }],
    }),
    makeDetachment({
      id: 'd-soft',
      soft: true,
      cascade: true,
      product: 'acme/acme-viewer',
      title: 'Acme Viewer',
      seats: 4,
      used: 0,
      until: at(3 * day),
      endsIn: 259_200,
      actions: ['return', 'receipt', 'extend'],
      unavailable: [],
    }),
    makeDetachment({
      id: 'd-returned',
      state: 'returned',
      used: 0,
      endedAt: at(-hour),
      endsIn: 0,
      actions: ['receipt'],
      unavailable: [],
    }),
  ]
  if (size === 'hostile')
    for (const [index, name] of hostile.entries()) {
      const recipient = { id: `bad-${index}`, name, fingerprint: 'X' }
      const user = { displayName: name }
      list.push(out({ id: `bad-out-${index}`, title: name, feature: name, zone: name.slice(0, 64), recipient, user }))
      list.push(makeDetachment({ id: `bad-in-${index}`, title: name, manager: { id: `bad-${index}`, name }, user }))
    }
  if (size === 'full')
    for (let index = 0; index < 200; index += 1) list.push(out({ id: `many-${index}`, seats: index + 1 }))
  return list
}

function makeOffers(size: Size): DetachableProduct[] {
  if (size === 'empty') return []
  const offer: DetachableProduct = {
    product: 'acme/cad',
    title: 'Acme CAD',
    features: ['export', 'render'],
    manager: licenses,
    local: false,
    seats: 20,
    used: 7,
    detached: 2,
    detachable: 3,
    maxDays: 14,
    latest: at(14 * day),
  }
  const others: DetachableProduct[] = [
    {
      ...offer,
      manager: { id: 'agent-branch', name: size === 'hostile' ? hostile[1] : 'BRANCH' },
      detachable: 0,
      refused: { code: 'too_many_seats', detail: 'None can be detached now.' },
    },
    {
      ...offer,
      manager: { id: here.id, name: here.name },
      local: true,
      seats: 5,
      used: 3,
      detached: 1,
      detachable: 2,
      latest: at(5 * day),
      endsAt: at(5 * day),
      refused: { code: 'not_detachable', detail: 'Its seats are of WS-17, which needs none along.' },
    },
  ]
  return [offer, ...others]
}

function refuseWish({ recipient, until, seats }: DetachWish) {
  if (recipient?.includes('for another')) return refuse('not_a_document', 'No block begins in these lines.')
  if (seats > 3) return refuse('too_many_seats', 'Only 3 can be detached now.', { detachable: 3 })
  if (until === undefined) return undefined
  if (until < '2026-11-24') return refuse('date_in_past', 'It must be later.', { after: at(0) })
  if (until > '2026-12-08')
    return refuse('beyond_maximum', 'The latest date …', { latest: '2026-12-08T13:20:05.000Z', maxDays: 14 })
  if (until === '2026-11-30') return refuse('detach_disabled', 'Off on LICENSES.', { machine: 'LICENSES' })
  return undefined
}

export function createDetaching(
  size: Size,
  done: string[],
): { readonly detaching: SampleDetaching; readonly part: DetachingPart } {
  const detaching: SampleDetaching = {
    list: makeDetachments(size),
    offers: makeOffers(size),
    enabled: size !== 'empty',
    clock: { time: at(0), date: at(0), zone },
  }
  const find = (id: string) => detaching.list.find((one) => one.id === id)
  const change = (id: string, what: Partial<Detachment>): Detachment => {
    const place = detaching.list.findIndex((one) => one.id === id)
    const changed = { ...(detaching.list[place] as Detachment), ...what }
    detaching.list[place] = changed
    return changed
  }
  const gone = () => refuse('unknown_detachment', 'It is not known.')
  const block = (kind: string) => `-----BEGIN LEASEHOLD ${kind}-----\nFor: x\n\nAAAA\n-----END LEASEHOLD ${kind}-----\n`
  const endOf = (until: string | undefined): string =>
    until === undefined
      ? at(3 * day)
      : until === '2026-12-08'
        ? '2026-12-08T13:20:05.000Z'
        : new Date(Date.parse(`${until}T22:59:59Z`)).toISOString()
  const recipientOf = (wish: DetachWish) =>
    wish.recipient === undefined
      ? here
      : { id: 'agent-laptop', name: 'LAPTOP-7', fingerprint: 'QQ2SD-77KAA-PM6XM-XS3AF' }
  const part: DetachingPart = {
    enabled: () => detaching.enabled,
    list: () => detaching.list,
    get: find,
    offers: () => detaching.offers,
    recipient: () => ({ recipient: block('RECIPIENT'), ...here, time: at(0), zone }),
    clock: () => detaching.clock,
    acceptClock: async () => {
      detaching.clock = { time: at(0), date: at(0), zone }
      done.push('accepted the clock')
      return { kind: 'accepted' }
    },
    plan: async (wish) => {
      const refused = refuseWish(wish)
      if (refused) return refused
      const until = endOf(wish.until)
      return {
        kind: 'planned',
        plan: {
          product: wish.product,
          title: 'Acme CAD',
          ...(wish.feature === undefined ? {} : { feature: wish.feature }),
          seats: wish.seats,
          manager: licenses,
          recipient: recipientOf(wish),
          soft: wish.soft,
          until,
          zone: wish.recipient?.includes('RECIPIENT') ? 'Asia/Tokyo' : zone,
          cut: wish.until === '2026-12-08',
          latest: at(14 * day),
          freeAt: new Date(Date.parse(until) + 10 * minute).toISOString(),
          detachable: 3,
          earlyReturn: 'offline',
        },
      }
    },
    order: () => 'order-of-the-sample',
    detach: async (wish) => {
      const refused = refuseWish(wish)
      if (refused) return refused
      done.push(`detached ${JSON.stringify(wish)}`)
      const until = endOf(wish.until)
      const made = makeDetachment({
        id: 'd-new',
        until,
        endsIn: Math.floor((Date.parse(until) - now) / 1000),
        recipient: recipientOf(wish),
        ...(wish.recipient === undefined ? {} : { direction: 'out' as const, actions: ['block'] }),
      })
      detaching.list.push(made)
      return { kind: 'made', detachment: made }
    },
    extend: async (id, until) => {
      if (find(id) === undefined) return gone()
      const refused = refuseWish({
        product: 'acme/cad',
        seats: 1,
        soft: false,
        ...(until === undefined ? {} : { until }),
      })
      if (refused) return refused
      done.push(`extended ${id} ${until ?? 'softly'}`)
      return { kind: 'made', detachment: change(id, { until: endOf(until), version: 2 }) }
    },
    giveBack: async (id) => {
      const found = find(id)
      if (found === undefined) return gone()
      done.push(`gave back ${id}`)
      const [back, state] =
        found.direction === 'out'
          ? (['withdrawn', 'returned'] as const)
          : found.used === 0
            ? (['returned', 'returned'] as const)
            : (['returning', 'returning'] as const)
      return { kind: 'returned', state: back, detachment: change(id, { state, actions: [], unavailable: [] }) }
    },
    makeReceipt: async (id) => {
      if (find(id) === undefined) return gone()
      done.push(`made a receipt for ${id}`)
      const detachment = change(id, { state: 'returned', actions: ['receipt'], unavailable: [] })
      return { kind: 'made', receipt: block('RETURN RECEIPT'), fingerprint: here.fingerprint, detachment }
    },
    block: async (id) => {
      if (find(id) === undefined) return gone()
      done.push(`showed the block of ${id}`)
      change(id, { state: 'active' })
      return { kind: 'made', block: block('DETACHMENT') }
    },
    declareLost: async (id, note) => {
      if (find(id) === undefined) return gone()
      done.push(`lost ${id}${note === undefined ? '' : ` ${note}`}`)
      return {
        kind: 'declared',
        detachment: change(id, { state: 'lost', lost: { declaredAt: at(0), early: false }, actions: ['block'] }),
      }
    },
  }
  return { detaching, part }
}
