/**
 * Texts from outside as a terminal may show them, and times as people read them. Pure; imports nothing of ours.
 */

/** Everything that could move a cursor, color, hide or turn text around. */
const unprintable = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu
const unprintableButBreaks = /[^\P{Cc}\n\t]|[\p{Cs}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu
/** What JSON leaves as it is in strings and a terminal may act on. */
const riskyInJson = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g

/** A name or sentence on one line. */
export function clean(text: string): string {
  return text.replace(unprintable, '')
}

/** A text of several lines, such as a block. */
export function cleanLines(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(unprintableButBreaks, '')
}

/** The same JSON, harmless on a terminal. */
export function escapeJson(text: string): string {
  return text.replace(riskyInJson, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u
const zero = /[\p{Mn}\p{Me}\p{Cf}]/u

/** How many columns of a terminal a clean text takes. */
export function widthOf(text: string): number {
  let width = 0
  for (const character of text) width += zero.test(character) ? 0 : wide.test(character) ? 2 : 1
  return width
}

function two(number: number): string {
  return String(number).padStart(2, '0')
}

/** `2027-01-04 09:00` in the zone of this process. */
export function localTime(instant: string): string {
  const date = new Date(instant)
  if (Number.isNaN(date.getTime())) return '?'
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}`
}

/** `2027-01-04 09:00 (UTC+01:00)`, for sentences. */
export function exactTime(instant: string): string {
  const minutes = -new Date(instant).getTimezoneOffset()
  if (Number.isNaN(minutes)) return '?'
  const sign = minutes < 0 ? '-' : '+'
  const zone =
    minutes === 0 ? 'UTC' : `UTC${sign}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`
  return `${localTime(instant)} (${zone})`
}

/** `45 s`, `9 min`, `2 h`, `3 days`. */
export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`
  if (seconds < 36 * 3600) return `${Math.round(seconds / 3600)} h`
  return `${Math.round(seconds / 86_400)} days`
}

export function plural(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`
}
