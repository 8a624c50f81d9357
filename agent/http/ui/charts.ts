/**
 * Usage as drawings: where the bars, the line of the seats and the marks of denials stand. Everything is in units of the drawing's
 * own box, which the page stretches to its place. Pure; must not import anything of ours.
 */
export interface Bar {
  readonly x: number
  readonly y: number
  readonly height: number
}

export interface Chart {
  /** Width of the box; it is 100 high. */
  readonly width: number
  readonly bars: readonly Bar[]
  /** Marks below the bars, in a box 20 high. */
  readonly denials: readonly Bar[]
  /** Where the line of the seats is. */
  readonly line: number
  /** What the top stands for. */
  readonly top: number
}

/** Width of a step; a bar takes `barWidth` of it. */
const step = 10
export const barWidth = 8

export function drawChart(peaks: readonly number[], denials: readonly number[], seats: number): Chart {
  const top = Math.max(1, seats, ...peaks)
  const most = Math.max(1, ...denials)
  return {
    width: peaks.length * step,
    bars: drawBars(peaks, top, 100),
    denials: drawBars(denials, most, 20),
    line: round(100 - (seats / top) * 100),
    top,
  }
}

function drawBars(values: readonly number[], top: number, height: number): Bar[] {
  return values.flatMap((value, place) => {
    if (value === 0) return []
    // Never so flat that it can't be seen.
    const size = Math.max(height / 25, (value / top) * height)
    return [{ x: place * step + 1, y: round(height - size), height: round(size) }]
  })
}

/** A small drawing of the same: steps as a path, in a box of `values.length` by 20. */
export function drawSpark(values: readonly number[], top: number): string {
  const most = Math.max(1, top, ...values)
  const points = values.map((value, place) => {
    const y = round(19 - (value / most) * 18)
    return `${place === 0 ? 'M0' : `H${place}V`}${place === 0 ? ` ${y}` : y}`
  })
  return `${points.join('')}H${values.length}`
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
