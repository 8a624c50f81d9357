/**
 * A text as a QR code, drawn on the server. Owns nothing; must not import anything of ours.
 */
import encodeQr from 'qr'

/** Longer texts make a code that a phone can not read from a screen any more. */
export const mostBytes = 1_400
/** Modules of quiet around it, as the standard wants it. */
const border = 4

export interface QrCode {
  /** Modules on each side, with the border. */
  readonly size: number
  /** Of the dark modules, for the `d` of an SVG path. */
  readonly path: string
}

/** Undefined where the text is too long. */
export function drawQr(text: string): QrCode | undefined {
  if (Buffer.byteLength(text) > mostBytes) return undefined
  const rows = encodeQr(text, 'raw', { ecc: 'low', border })
  return { size: rows.length, path: rows.map(drawRow).join('') }
}

/** Dark modules beside each other are one piece, so that no hairline shows between them. */
function drawRow(row: readonly boolean[], y: number): string {
  let path = ''
  for (let x = 0; x < row.length; x += 1) {
    if (row[x] !== true) continue
    const start = x
    while (row[x + 1] === true) x += 1
    const width = x + 1 - start
    path += `M${start} ${y}h${width}v1h-${width}z`
  }
  return path
}
