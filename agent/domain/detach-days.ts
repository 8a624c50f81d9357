/**
 * Until when a detachment may last: calendar days of a time zone, and the limits that the license and the settings draw (S8, S9).
 * Pure; all times are ms since 1970.
 */

const second = 1_000
const day = 86_400_000
/** How long a soft detachment lasts without a renewal (X6). */
export const softDays = 3

export interface Day {
  readonly start: number
  /** Its last second. */
  readonly end: number
}

/** @param date such as `2026-12-24` @returns undefined when there is no such day, or no such zone */
export function dayIn(zone: string, date: string): Day | undefined {
  const utc = Date.parse(`${date}T00:00:00Z`)
  // A day that is not in the calendar is taken for another one by the parser, or for none.
  if (!Number.isFinite(utc) || new Date(utc).toISOString().slice(0, 10) !== date || !isZone(zone)) return undefined
  return { start: midnight(zone, utc), end: midnight(zone, utc + day) - second }
}

export function isZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

/** The first moment of a day in the zone. @param utc the same day's first moment in UTC */
function midnight(zone: string, utc: number): number {
  const moments = [utc - day, utc + day].map((near) => utc - offsetAt(zone, near))
  const right = moments.filter((at) => at + offsetAt(zone, at) === utc)
  // Where the clocks go forward at midnight there is none: the day begins when they do.
  return right.length > 0 ? Math.min(...right) : Math.max(...moments)
}

/** By how many ms the clocks of the zone are ahead of UTC. */
function offsetAt(zone: string, at: number): number {
  const parts = new Intl.DateTimeFormat('en', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(at)
  const of = (type: string): number => Number(parts.find((part) => part.type === type)?.value ?? 0)
  const local = Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second'))
  return local - Math.floor(at / second) * second
}

/** What is asked for. */
export interface WantedEnd {
  readonly until: number
  /** It may end earlier, but not before this: a calendar day ends where it is cut off (S8). */
  readonly earliest?: number
}

export interface EndLimits {
  /** The date that counts. */
  readonly now: number
  /** The longest duration that license and settings allow, in days of 24 hours. */
  readonly maxDays: number
  /** When the license ends; absent: never. */
  readonly licenseEnd?: number
  /** It is an extension of what lasts until then. */
  readonly atLeast?: number
}

export type JudgedEnd =
  | { readonly kind: 'good'; readonly until: number; readonly cut: boolean; readonly days: number }
  | { readonly kind: 'date_in_past'; readonly now: number }
  | { readonly kind: 'beyond_maximum' | 'beyond_license_end'; readonly latest: number }

/** The latest end that is allowed now. */
export function latestEnd({ now, maxDays, licenseEnd = Number.POSITIVE_INFINITY }: EndLimits): number {
  return Math.floor(Math.min(now + maxDays * day, licenseEnd) / second) * second
}

/** Whether it may end then; whole seconds, since documents have no others. */
export function judgeEnd({ until: wanted, earliest = wanted }: WantedEnd, limits: EndLimits): JudgedEnd {
  const { now, maxDays, licenseEnd = Number.POSITIVE_INFINITY, atLeast = 0 } = limits
  const whole = Math.floor(wanted / second) * second
  if (whole <= now || whole < atLeast) return { kind: 'date_in_past', now: Math.max(now, atLeast) }
  const latest = latestEnd(limits)
  const until = Math.min(whole, latest)
  if (until < Math.min(earliest, whole) || until <= now)
    return { kind: now + maxDays * day <= licenseEnd ? 'beyond_maximum' : 'beyond_license_end', latest }
  return { kind: 'good', until, cut: until < whole, days: Math.ceil((until - now) / day) }
}

/** A reminder is due from so many ms before the end on. */
const reminders = [
  ['2 hours', 2 * 3_600_000],
  ['1 day', day],
  ['3 days', 3 * day],
] as const
export type Reminder = (typeof reminders)[number][0]

/** The last reminder that is due. @param left ms until the end @param whole ms that it lasts in all: what is shorter than a reminder needs none */
export function reminderDue(left: number, whole: number): Reminder | undefined {
  if (left <= 0) return undefined
  return reminders.find(([, before]) => left <= before && whole > before)?.[0]
}
