/**
 * Calendar arithmetic in UTC, in seconds since 1970. Pure; imports nothing of ours.
 */

export const daySeconds = 86_400

/**
 * The same time of day so many months later; where the month is shorter, its last day (31 January + 1 month = 28 or 29 February).
 */
export function addMonths(seconds: number, months: number): number {
  const start = new Date(seconds * 1000)
  const firstOfMonth = new Date(start)
  firstOfMonth.setUTCDate(1)
  firstOfMonth.setUTCMonth(start.getUTCMonth() + months)
  const lastDay = new Date(Date.UTC(firstOfMonth.getUTCFullYear(), firstOfMonth.getUTCMonth() + 1, 0)).getUTCDate()
  firstOfMonth.setUTCDate(Math.min(start.getUTCDate(), lastDay))
  return Math.floor(firstOfMonth.getTime() / 1000)
}
