/**
 * Features, computers, documents, a journal, a history and refusals for the tests of the pages.
 */
import type { JournalLine } from '../../../agent/http/api/agent-shapes.ts'
import type { Feature, RecognizedDocument } from '../../../agent/http/api/license-shapes.ts'
import type { RefusedSeat } from '../../../agent/http/ui/insight-parts.ts'
import type { Parts } from '../../../agent/http/ui/parts.ts'
import type { Computer } from '../../../agent/http/ui/product-parts.ts'
import { at, hostile, minute, type Size } from './sample-data.ts'

const manager = { id: 'agent-1', name: 'WS-17' }

export function makeFeatures(size: Size): Feature[] {
  if (size === 'empty') return []
  const base = {
    product: 'acme/cad',
    count: 'user' as const,
    access: 'network' as const,
    detached: 0,
    manager,
    local: true,
  }
  const few: Feature[] = [
    { ...base, name: 'render', title: 'Rendering', limit: 2, used: 1, peak: 2 },
    { ...base, name: 'export', used: 0, peak: 0 },
  ]
  if (size === 'full')
    for (let index = 0; index < 60; index += 1)
      few.push({ ...base, name: `feature-${index}`, limit: index, used: 0, peak: index })
  if (size === 'hostile')
    for (const name of hostile)
      few.push({ ...base, product: `acme/${name}`, name, title: name, used: 1, access: 'standalone' })
  return few
}

export function makeComputers(size: Size): Computer[] {
  if (size === 'empty') return []
  const names = size === 'hostile' ? hostile : ['ana', 'bo', 'chidi', 'dora']
  const count = size === 'full' ? 1000 : names.length
  return Array.from({ length: count }, (_, index) => {
    const name = names[index % names.length] ?? ''
    return {
      id: `computer-${index}`,
      host: size === 'hostile' ? name : `WS-${17 + index}`,
      user: { displayName: name, account: `ACME\\${name}` },
      addresses: ['127.0.0.1'],
      sessions: 2,
      seats: 2,
      since: at(-(index + 1) * 7 * minute),
      uses: [
        { product: 'acme/cad', feature: size === 'hostile' ? name : 'render', seats: 1, since: at(-7 * minute) },
        { product: 'acme/viewer', seats: 1, since: at(-3 * minute) },
      ],
    }
  })
}

export function makeDocuments(text: string, apply: boolean, trust: boolean): RecognizedDocument[] {
  const license: RecognizedDocument = {
    type: 'license',
    id: 'lic-new',
    license: 'lic-new',
    summary: 'A license of acme: 5 × Acme CAD.',
    effect: 'Installs it; it gives out seats once it is activated.',
    fingerprint: '7K2M-Q9TD-X3WB-55RA',
    applied: apply,
  }
  const wrong: RecognizedDocument = {
    type: 'deactivation-receipt',
    id: 'd1',
    summary: 'A block of the kind “deactivation receipt”.',
    effect: 'Nothing on this agent.',
    applied: false,
    refused: { code: 'wrong_recipient', detail: 'It is meant for the vendor.' },
  }
  const stranger = text.includes('stranger') && !trust
  const first = stranger
    ? {
        ...license,
        applied: false,
        refused: { code: 'untrusted_vendor', detail: 'A vendor that this agent has not met.' },
      }
    : license
  const recipient: RecognizedDocument = {
    type: 'recipient',
    id: 'p1',
    summary: 'Names the machine LAPTOP-7; made at 2026-11-24 13:20 UTC.',
    effect: 'Nothing by itself: detach for that machine with it.',
    fingerprint: 'QQ2SD-77KAA-PM6XM-XS3AF',
    applied: false,
    refused: { code: 'wrong_recipient', detail: 'It names a machine: give it as the recipient when you detach seats.' },
  }
  const detached: RecognizedDocument = {
    type: 'detachment',
    id: 'd-in',
    detachment: 'd-in',
    summary: '1 × acme/cad from LICENSES, detached until 2026-11-25 22:59 UTC.',
    effect: 'Attaches the seats to this machine; they work with no network until 2026-11-25 22:59 UTC.',
    fingerprint: '7K2M-Q9TD-X3WB-55RA',
    applied: apply,
  }
  const again: RecognizedDocument = {
    ...detached,
    id: 'd-returned',
    detachment: 'd-returned',
    applied: false,
    refused: { code: 'already_returned', detail: 'It was given back by this machine.' },
    ...(apply
      ? { block: '-----BEGIN LEASEHOLD RETURN RECEIPT-----\nAAAA\n-----END LEASEHOLD RETURN RECEIPT-----\n' }
      : {}),
  }
  const found = [
    ...(text.includes('LEASEHOLD RECIPIENT') ? [recipient] : []),
    ...(text.includes('LEASEHOLD DETACHMENT') ? [text.includes('old') ? again : detached] : []),
  ]
  if (found.length > 0) return found
  return text.includes('DEACTIVATION') ? [first, wrong] : [first]
}

export function makeJournal(size: Size): JournalLine[] {
  if (size === 'empty') return []
  const count = size === 'full' ? 1000 : 12
  return Array.from({ length: count }, (_, index): JournalLine => {
    const bad = size === 'hostile' ? hostile[index % hostile.length] : undefined
    const kinds = ['session.opened', 'session.refused', 'session.ended', 'configuration.changed', 'made.up'] as const
    const type = kinds[index % kinds.length] ?? 'session.opened'
    const seat = { product: 'acme/cad', seats: 1, session: `s${index}` }
    const facts: Record<string, JournalLine['facts'][string]> =
      type === 'session.refused'
        ? { product: 'acme/cad', seats: 1, code: 'no_seats' }
        : type === 'configuration.changed'
          ? { name: 'agent.name', from: 'WS-17', to: bad ?? 'WS-18', by: 'administrator' }
          : type === 'session.ended'
            ? { ...seat, reason: 'released' }
            : { ...seat, feature: bad ?? 'render', supplies: ['a', 'b'] }
    return {
      sequence: index + 1,
      at: at((index - count) * 13 * minute),
      instance: 'agent-1',
      type,
      facts,
      personal: { account: bad ?? 'ana', host: index === 0 ? '=1+1' : (bad ?? 'WS-17'), forgotten: null },
      hash: `hash-of-${index + 1}`,
    }
  })
}

export function makeRefusals(size: Size): RefusedSeat[] {
  if (size === 'empty') return []
  const who = { user: 'Cleo Marsh', host: 'WS-20', application: 'Acme CAD 12', address: '127.0.0.1' }
  const held = { ...manager, product: 'acme/cad', seats: 5, detached: 0, notDetachable: 5 }
  const holders = [
    { user: 'Ana Ruiz', host: 'WS-17', application: 'Acme CAD 12', seats: 1, startedAt: at(-42 * minute) },
    { user: 'Bo Lindqvist', host: 'WS-18', seats: 2, startedAt: at(-9 * minute) },
  ]
  const few: RefusedSeat[] = [
    {
      id: 'refusal-3',
      product: 'acme/cad',
      seats: 1,
      ...who,
      code: 'no_seats',
      times: 4,
      firstAt: at(-5 * minute),
      lastAt: at(-minute),
      detail: '5 of 5 seats of acme/cad are in use.',
      explanation: { managers: [{ ...held, used: 5, nextReturnAt: at(9 * minute), holders }], asked: [] },
      now: { managers: [{ ...held, used: 4 }], asked: [] },
    },
    {
      id: 'refusal-2',
      product: 'acme/cad',
      feature: 'render',
      seats: 2,
      ...who,
      user: '',
      code: 'no_seats',
      times: 1,
      firstAt: at(-7 * minute),
      lastAt: at(-7 * minute),
      detail: '2 of 2 seats of acme/cad with feature render are in use.',
      explanation: {
        managers: [{ ...held, seats: 2, used: 2, detached: 1 }],
        asked: [{ manager, outcome: 'no_seats', detail: 'none', ms: 3 }],
      },
      rule: 'deny=*@WS-20',
      now: { managers: [{ ...held, seats: 2, used: 2, nextReturnAt: at(9 * minute) }], asked: [] },
    },
    {
      id: 'refusal-1',
      product: 'unknown',
      seats: 1,
      ...who,
      host: '',
      code: 'unknown_product',
      times: 1,
      firstAt: at(-70 * minute),
      lastAt: at(-70 * minute),
    },
  ]
  if (size === 'full')
    for (let index = 0; index < 97; index += 1) few.push({ ...(few[0] as RefusedSeat), id: `refusal-more-${index}` })
  if (size === 'hostile')
    for (const [index, name] of hostile.entries())
      few.push({
        ...(few[0] as RefusedSeat),
        id: `refusal-bad-${index}`,
        product: name,
        user: name,
        host: name,
        application: name,
        rule: name,
        explanation: {
          managers: [{ ...held, name, used: 5, holders: [{ user: name, host: name, seats: 1, startedAt: at(0) }] }],
          asked: [],
        },
      })
  return few
}

type Insight = Pick<Parts, 'journal' | 'history' | 'refusals' | 'diagnostics'> & {
  readonly journalLines: JournalLine[]
  readonly refusalList: RefusedSeat[]
}

/** Entries that a page of the sample looks at. */
const mostLooked = 500

export function createInsight(size: Size, check: () => void): Insight {
  const journalLines = makeJournal(size)
  const refusalList = makeRefusals(size)
  return {
    journalLines,
    refusalList,
    journal: {
      page: async (wish, limit, to = journalLines.length) => {
        check()
        const entries: JournalLine[] = []
        let looked = 0
        for (let sequence = to; sequence >= 1; sequence -= 1) {
          if (entries.length >= limit || looked >= mostLooked) return { entries, older: sequence, looked }
          looked += 1
          const line = journalLines[sequence - 1] as JournalLine
          if (wish.type !== undefined && line.type !== wish.type) continue
          if (wish.text !== undefined && !JSON.stringify(line).includes(wish.text)) continue
          if (wish.from !== undefined && Date.parse(line.at) < wish.from) continue
          if (wish.until !== undefined && Date.parse(line.at) >= wish.until) continue
          entries.push(line)
        }
        return { entries, older: undefined, looked }
      },
      get: async (sequence) => journalLines[sequence - 1],
      lines: async function* (wish) {
        for (const line of journalLines) if (wish.type === undefined || line.type === wish.type) yield line
      },
      verify: async () =>
        size === 'hostile'
          ? { kind: 'broken', sequence: 3, reason: 'altered' }
          : { kind: 'good', entries: journalLines.length, head: 'hash-of-the-last' },
    },
    history: {
      read: async (boundaries) => {
        check()
        const steps = boundaries.slice(1)
        if (size === 'empty') return { products: [], since: boundaries[0] }
        return {
          products: [
            {
              product: 'acme/cad',
              peaks: steps.map((_, place) => (place * 7) % 6),
              denials: steps.map((_, place) => (place % 9 === 5 ? 2 : 0)),
            },
            {
              product: 'acme/gone',
              peaks: steps.map(() => 0),
              denials: steps.map((_, place) => (place === 3 ? 1 : 0)),
            },
          ],
          since: size === 'hostile' ? undefined : (boundaries[2] ?? 0),
        }
      },
    },
    refusals: {
      list: () => {
        check()
        return refusalList
      },
    },
    diagnostics: {
      sections: () => [
        {
          name: 'agent',
          facts: [
            { name: 'version', value: '0.1.0' },
            { name: 'name', value: size === 'hostile' ? hostile[0] : 'WS-17' },
          ],
        },
        {
          name: 'store',
          facts: [
            { name: 'state', value: 'open' },
            { name: 'something new', value: '1' },
          ],
        },
        { name: 'health', facts: [] },
      ],
      text: () => 'Leasehold diagnostics\n\n[agent]\nversion: 0.1.0\n',
    },
  }
}
