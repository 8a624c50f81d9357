/**
 * The documents of detachments against their vectors, the calendar that they end by, and reminders.
 */
import { readFileSync } from 'node:fs'
import test from 'ava'
import fc from 'fast-check'
import { dayIn, isZone, judgeEnd, latestEnd, reminderDue } from '../../agent/domain/detach-days.ts'
import { checkDetachment } from '../../agent/domain/documents/detachment.ts'
import { openDocument } from '../../agent/domain/documents/document.ts'
import type { DetachmentVector } from './documents/detachment-vectors.ts'
import { vectorFolder } from './documents/make-vectors.ts'
import { laptop, manager, now } from './documents/samples.ts'

const day = 86_400_000

const vectors: DetachmentVector[] = JSON.parse(readFileSync(`${vectorFolder}detachments.json`, 'utf8'))

function outcomeOf({ type, texts }: DetachmentVector): string {
  if (type === 'detachment') {
    const checked = checkDetachment(texts)
    return checked.kind === 'detachment' ? 'good' : checked.code
  }
  const opened = openDocument(texts[0] ?? '', type === 'recipient' ? 'leasehold-recipient' : 'leasehold-return')
  return opened.kind === 'opened' ? 'good' : opened.code
}

test('every detachment, recipient and receipt of the vectors has its outcome', (t) => {
  t.true(vectors.length >= 30)
  for (const vector of vectors) t.is(outcomeOf(vector), vector.outcome, vector.name)
})

test('a good detachment tells who made it for whom, until when, and what an application can be shown', (t) => {
  const checked = checkDetachment(vectors[0]?.texts ?? [])
  if (checked.kind !== 'detachment') throw new Error(checked.detail)
  t.is(checked.signer, manager.id)
  t.like(checked.payload, { next: laptop.jwk, seats: 2, exp: now + 7 * 86_400, manager: { name: 'SERVER' } })
  t.true(checked.proves)
  const open = vectors.find(({ name }) => name.includes('needs no activation'))
  t.like(checkDetachment(open?.texts ?? []), { kind: 'detachment', proves: false, signer: manager.id })
})

test('no text of a detachment may be another than the one that was signed', (t) => {
  const texts = vectors[0]?.texts ?? []
  const places = fc
    .nat({ max: texts.length - 1 })
    .chain((at) => fc.tuple(fc.constant(at), fc.nat((texts[at]?.length ?? 1) - 1)))
  t.notThrows(() =>
    fc.assert(
      fc.property(places, fc.constantFrom('A', 'b', '7', '-', '_', '.'), ([at, letter], character) => {
        const text = texts[at] ?? ''
        fc.pre(text[letter] !== character)
        const altered = text.slice(0, letter) + character + text.slice(letter + 1)
        return checkDetachment(texts.map((one, index) => (index === at ? altered : one))).kind === 'refused'
      }),
      { numRuns: 60 },
    ),
  )
})

test('S8: a calendar day begins and ends by the clocks of its zone', (t) => {
  const spell = (zone: string, date: string) => {
    const found = dayIn(zone, date)
    return found && [new Date(found.start).toISOString(), new Date(found.end).toISOString()]
  }
  t.deepEqual(spell('UTC', '2027-02-28'), ['2027-02-28T00:00:00.000Z', '2027-02-28T23:59:59.000Z'])
  t.deepEqual(spell('Europe/Berlin', '2027-03-28'), ['2027-03-27T23:00:00.000Z', '2027-03-28T21:59:59.000Z'])
  t.deepEqual(spell('Europe/Berlin', '2027-10-31'), ['2027-10-30T22:00:00.000Z', '2027-10-31T22:59:59.000Z'])
  t.deepEqual(spell('Pacific/Kiritimati', '2027-01-01'), ['2026-12-31T10:00:00.000Z', '2027-01-01T09:59:59.000Z'])
  t.deepEqual(spell('Asia/Kathmandu', '2027-01-01'), ['2026-12-31T18:15:00.000Z', '2027-01-01T18:14:59.000Z'])
  // The clocks go forward at midnight there: the day begins at one.
  t.deepEqual(spell('Africa/Cairo', '2026-04-24'), ['2026-04-23T22:00:00.000Z', '2026-04-24T20:59:59.000Z'])
  // And back at midnight: the hour before it comes twice.
  t.deepEqual(spell('America/Havana', '2026-11-01'), ['2026-11-01T04:00:00.000Z', '2026-11-02T04:59:59.000Z'])
  for (const wrong of ['2027-02-29', '2027-13-01', '2027-1-1', '', '2027-01-01T00:00:00Z'])
    t.is(dayIn('UTC', wrong), undefined)
  t.is(dayIn('Mars/Olympus', '2027-01-01'), undefined)
  t.deepEqual(['UTC', 'Europe/Berlin', 'Mars/Olympus', ''].map(isZone), [true, true, false, false])
})

test('S8: days follow one another without a gap, whatever the zone does', (t) => {
  const zones = fc.constantFrom(
    'Europe/Berlin',
    'America/Havana',
    'Africa/Cairo',
    'Asia/Beirut',
    'Australia/Lord_Howe',
    'America/Sao_Paulo',
  )
  t.notThrows(() =>
    fc.assert(
      fc.property(zones, fc.integer({ min: 0, max: 4_000 }), (zone, number) => {
        const date = (at: number): string => new Date(Date.UTC(2020, 0, 1) + at * day).toISOString().slice(0, 10)
        const [one, next] = [dayIn(zone, date(number)), dayIn(zone, date(number + 1))]
        return one !== undefined && next !== undefined && one.end + 1_000 === next.start && one.end > one.start
      }),
    ),
  )
})

test('S9: an end is within the maximum and the license, whole seconds, and cut off only as far as its day allows', (t) => {
  const limits = { now: 1_000_500, maxDays: 2 }
  t.is(latestEnd(limits), 1_000_000 + 2 * day)
  t.like(judgeEnd({ until: 1_000_500 + day }, limits), { kind: 'good', until: 1_000_000 + day, cut: false, days: 1 })
  t.like(judgeEnd({ until: 3 * day }, limits), { kind: 'beyond_maximum', latest: 1_000_000 + 2 * day })
  t.like(judgeEnd({ until: 3 * day, earliest: 2 * day }, limits), {
    kind: 'good',
    until: 1_000_000 + 2 * day,
    cut: true,
  })
  t.like(judgeEnd({ until: 3 * day, earliest: 3 * day - 1 }, limits), { kind: 'beyond_maximum' })
  const ends = { ...limits, licenseEnd: day }
  t.like(judgeEnd({ until: day + 1_000 }, ends), { kind: 'beyond_license_end', latest: day })
  t.like(judgeEnd({ until: 1_000_400 }, limits), { kind: 'date_in_past', now: 1_000_500 })
  t.like(judgeEnd({ until: 2 * day }, { ...limits, atLeast: 2 * day + 1_000 }), { kind: 'date_in_past' })
  fc.assert(
    fc.property(
      fc.nat(20 * day),
      fc.nat(20 * day),
      fc.integer({ min: 1, max: 14 }),
      fc.nat(20 * day),
      (until, span, maxDays, licenseEnd) => {
        const judged = judgeEnd({ until, earliest: until - span }, { now: 5 * day, maxDays, licenseEnd })
        if (judged.kind !== 'good') return true
        const inLimits = judged.until <= Math.min(until, 5 * day + maxDays * day, licenseEnd) && judged.until > 5 * day
        return inLimits && judged.until % 1_000 === 0 && judged.until > until - span - 1_000
      },
    ),
  )
})

test('X6: what is shorter than a reminder needs none of it', (t) => {
  const hour = 3_600_000
  t.deepEqual(
    [80, 72, 25, 24, 3, 2, 0].map((left) => reminderDue(left * hour, 5 * day)),
    [undefined, '3 days', '3 days', '1 day', '1 day', '2 hours', undefined],
  )
  t.is(reminderDue(hour, 20 * hour), '2 hours')
  t.is(reminderDue(10 * hour, 20 * hour), undefined)
  t.is(reminderDue(hour, hour), undefined)
})
