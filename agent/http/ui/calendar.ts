/**
 * Days and hours of a time zone, for charts and for filters by day. Pure; must not import anything of ours.
 */
const hour = 3_600_000
const fields = new Map<string, Intl.DateTimeFormat>()

/** How far local time is ahead of UTC at that moment, in ms. */
function offsetAt(at: number, zone: string): number {
  let format = fields.get(zone)
  if (format === undefined) {
    const two = '2-digit' as const
    const clock = { hour: two, minute: two, second: two, hourCycle: 'h23' as const }
    format = new Intl.DateTimeFormat('en', { timeZone: zone, year: 'numeric', month: two, day: two, ...clock })
    fields.set(zone, format)
  }
  const found: Record<string, number> = {}
  for (const { type, value } of format.formatToParts(at)) found[type] = Number(value)
  const { year = 0, month = 1, day = 1, hour: hours = 0, minute = 0, second = 0 } = found
  return Date.UTC(year, month - 1, day, hours, minute, second) - Math.floor(at / 1000) * 1000
}

/** The moment that is this in local time, given as if it were UTC. Where the clock leaves it out, the next one that it shows. */
function fromLocal(local: number, zone: string): number {
  const first = local - offsetAt(local, zone)
  return local - offsetAt(first, zone)
}

/** When the local day begins that is `days` after the one that `at` is in. */
export function startOfDay(at: number, zone: string, days = 0): number {
  const local = new Date(at + offsetAt(at, zone))
  return fromLocal(Date.UTC(local.getUTCFullYear(), local.getUTCMonth(), local.getUTCDate() + days), zone)
}

/** When the day begins that is written as 2026-11-24; undefined when that is none. */
export function readDay(text: string, zone: string): number | undefined {
  const [, year, month, day] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text) ?? []
  if (year === undefined) return undefined
  const local = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)))
  if (local.toISOString().slice(0, 10) !== text) return undefined
  return fromLocal(local.getTime(), zone)
}

export const periods = ['day', 'week', 'month'] as const
export type Period = (typeof periods)[number]

/** The last 24 hours by the hour, the last 7 days by six hours, the last 30 days by the day; the last step is the present one. */
export function listBoundaries(period: Period, now: number, zone: string): number[] {
  if (period === 'day') {
    const offset = offsetAt(now, zone)
    const end = (Math.floor((now + offset) / hour) + 1) * hour - offset
    return Array.from({ length: 25 }, (_, place) => end - (24 - place) * hour)
  }
  const days = period === 'week' ? 7 : 30
  const starts = Array.from({ length: days + 1 }, (_, place) => startOfDay(now, zone, place + 1 - days))
  if (period === 'month') return starts
  const end = starts.at(-1) ?? now
  return [...starts.slice(0, -1).flatMap((start) => [0, 6, 12, 18].map((hours) => start + hours * hour)), end]
}
