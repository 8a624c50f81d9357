/**
 * Rows as CSV (RFC 4180) that is safe to open in a spreadsheet.
 * Pure; must not import anything of ours.
 */
export type Cell = string | number | boolean | null | undefined

/** A text that a spreadsheet would run as a formula gets an apostrophe in front; numbers of ours stay numbers. */
export function writeRow(cells: readonly Cell[]): string {
  return `${cells.map(writeCell).join(',')}\r\n`
}

function writeCell(cell: Cell): string {
  if (cell === undefined || cell === null) return ''
  if (typeof cell !== 'string') return String(cell)
  // A tab or line break in front is skipped by spreadsheets, and the full-width signs count as well.
  const risky = /^[\s\0]*[=+\-@\uff1d\uff0b\uff0d\uff20]/.test(cell)
  if (!risky && !/[",\r\n\t]/.test(cell)) return cell
  return `"${risky ? "'" : ''}${cell.replaceAll('"', '""')}"`
}
