/** Aligned tables of clean texts. Pure. */
import { clean, widthOf } from './show.ts'

export interface Column<Row> {
  readonly title: string
  readonly right?: boolean
  readonly cell: (row: Row) => string | number | undefined
}

/** The heading and one line per row; nothing at the end of a line. */
export function layOut<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): readonly string[] {
  const lines = [
    columns.map(({ title }) => title.toUpperCase()),
    ...rows.map((row) => columns.map(({ cell }) => clean(String(cell(row) ?? '')) || '-')),
  ]
  const widths = columns.map((_, at) => Math.max(...lines.map((cells) => widthOf(cells[at] ?? ''))))
  return lines.map((cells) =>
    cells
      .map((text, at) => {
        const gap = ' '.repeat((widths[at] ?? 0) - widthOf(text))
        return columns[at]?.right ? gap + text : text + gap
      })
      .join('  ')
      .trimEnd(),
  )
}

/** Names and values, one pair a line; pairs without a value are left out. */
export function layOutPairs(
  pairs: readonly (readonly [name: string, value: string | number | undefined])[],
): readonly string[] {
  const shown = pairs.filter(([, value]) => value !== undefined && value !== '')
  const width = Math.max(0, ...shown.map(([name]) => widthOf(name)))
  return shown.map(([name, value]) => `${name}${' '.repeat(width - widthOf(name))}  ${clean(String(value))}`)
}
