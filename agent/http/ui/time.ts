/**
 * Points in time and durations in words. Pure: now, language and zone come in. Must not import anything of ours.
 */

export interface ShownTime {
  /** ISO 8601 in UTC, for the `datetime` attribute. */
  readonly iso: string
  /** Such as "in 3 hours". */
  readonly relative: string
  /** The same for rows of a table, such as "in 3 hr.". */
  readonly brief: string
  /** Local date and time to the second, with the zone. */
  readonly exact: string
  /** Local time of the day when it is today, else local date and time. */
  readonly short: string
  readonly past: boolean
}

export interface TimeWords {
  show(at: string | number): ShownTime
  /** Local calendar day in words. */
  day(at: string | number): string
  /** Local calendar day spelled out, such as "Tuesday, November 24, 2026". */
  spellDay(at: string | number): string
  /** The local calendar day as 2026-11-24, for fields of forms. */
  calendarDay(at: string | number): string
  /** Local time of the day, such as "14:00". */
  clock(at: number): string
  /** Spelled out with the day of the week, to the second, in a time zone, such as "… at 23:59:59 GMT+1 (Europe/Berlin)". */
  spell(at: string | number, zone?: string): string
  /** Day of the week and of the month, such as "Tue 24". */
  weekday(at: number): string
  /** Such as "10 minutes"; whole units only, the largest one that divides it. */
  duration(seconds: number): string
}

const steps: readonly (readonly [Intl.RelativeTimeFormatUnit, number])[] = [
  ['year', 365 * 86_400],
  ['month', 30 * 86_400],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
]

// Making a formatter costs far more than using one, and a page may show a thousand times.
const formatters = new Map<string, Omit<Formatters, 'units'> & { readonly units: Map<string, Intl.NumberFormat> }>()
interface Formatters {
  readonly exact: Intl.DateTimeFormat
  readonly date: Intl.DateTimeFormat
  readonly clock: Intl.DateTimeFormat
  readonly weekday: Intl.DateTimeFormat
  readonly spelled: Intl.DateTimeFormat
  readonly numeric: Intl.DateTimeFormat
  readonly fullDay: Intl.DateTimeFormat
  readonly long: Intl.DateTimeFormat
  readonly relative: Intl.RelativeTimeFormat
  readonly brief: Intl.RelativeTimeFormat
}

function getFormatters(tag: string, zone: string) {
  const name = `${tag} ${zone}`
  let found = formatters.get(name)
  if (found === undefined) {
    const date = { timeZone: zone, year: 'numeric', month: 'short', day: 'numeric' } as const
    const clock = { timeZone: zone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const
    found = {
      exact: new Intl.DateTimeFormat(tag, { ...date, ...clock, second: '2-digit', timeZoneName: 'short' }),
      date: new Intl.DateTimeFormat(tag, date),
      clock: new Intl.DateTimeFormat(tag, clock),
      weekday: new Intl.DateTimeFormat(tag, { timeZone: zone, weekday: 'short', day: 'numeric' }),
      spelled: new Intl.DateTimeFormat(tag, {
        ...date,
        ...clock,
        weekday: 'long',
        month: 'long',
        second: '2-digit',
        timeZoneName: 'short',
      }),
      fullDay: new Intl.DateTimeFormat(tag, { ...date, weekday: 'long', month: 'long' }),
      // The Swedish way to write a day is that of ISO 8601.
      numeric: new Intl.DateTimeFormat('sv', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' }),
      long: new Intl.DateTimeFormat(tag, { ...date, ...clock }),
      relative: new Intl.RelativeTimeFormat(tag, { numeric: 'auto' }),
      brief: new Intl.RelativeTimeFormat(tag, { numeric: 'auto', style: 'short' }),
      units: new Map(),
    }
    formatters.set(name, found)
  }
  return found
}

/** Zones of other machines come from outside. */
function isZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

export function createTimeWords(tag: string, zone: string, now: number): TimeWords {
  const format = getFormatters(tag, zone)
  function showRelative(at: number, words: Intl.RelativeTimeFormat): string {
    const seconds = (at - now) / 1000
    const size = Math.abs(seconds)
    // Months and years only once they are a good measure: "in 45 days" says more than "next month".
    const step = steps.find(([unit, length]) => size >= (unit === 'year' ? 2 : unit === 'month' ? 3 : 1) * length)
    if (step === undefined) return words.format(0, 'second')
    return words.format(Math.trunc(seconds / step[1]), step[0])
  }
  return {
    show: (value) => {
      const at = new Date(value)
      const today = format.date.format(at) === format.date.format(now)
      return {
        iso: at.toISOString(),
        relative: showRelative(at.getTime(), format.relative),
        brief: showRelative(at.getTime(), format.brief),
        exact: format.exact.format(at),
        short: (today ? format.clock : format.long).format(at),
        past: at.getTime() <= now,
      }
    },
    day: (value) => format.date.format(new Date(value)),
    spellDay: (value) => format.fullDay.format(new Date(value)),
    calendarDay: (value) => format.numeric.format(new Date(value)),
    clock: (value) => format.clock.format(value),
    spell: (value, asked = zone) => {
      const known = isZone(asked) ? asked : zone
      return `${getFormatters(tag, known).spelled.format(new Date(value))} (${known})`
    },
    weekday: (value) => format.weekday.format(value),
    duration: (seconds) => {
      const [unit, length] = steps.slice(2).find(([, size]) => seconds >= size && seconds % size === 0) ?? ['second', 1]
      let words = format.units.get(unit)
      if (words === undefined) {
        words = new Intl.NumberFormat(tag, { style: 'unit', unit, unitDisplay: 'long' })
        format.units.set(unit, words)
      }
      return words.format(seconds / length)
    },
  }
}
