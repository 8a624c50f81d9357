/**
 * Lists as CSV for spreadsheets. Pure; must not import anything of ours.
 */

/**
 * RFC 4180 with a byte order mark, so that spreadsheets read it as UTF-8. Names come from the network: a cell that a
 * spreadsheet would run as a formula gets a quote in front.
 */
export function writeSpreadsheet(
  head: readonly string[],
  rows: Iterable<readonly (string | number | undefined)[]>,
): string {
  const lines = [head.map(writeCell).join(',')]
  for (const row of rows) lines.push(row.map(writeCell).join(','))
  return `\ufeff${lines.join('\r\n')}\r\n`
}

function writeCell(value: string | number | undefined): string {
  if (value === undefined) return ''
  if (typeof value === 'number') return String(value)
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
