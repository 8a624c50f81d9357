/** What many times come down to. Pure; imports nothing of ours. */

/** In milliseconds. */
export interface Times {
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly max: number
}

/** All 0 where nothing was measured. */
export function summarize(times: readonly number[]): Times {
  const sorted = [...times].sort((one, other) => one - other)
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) }
}

/** p50, p99 and max in columns. */
export function describeTimes({ p50, p99, max }: Times): string {
  return `  p50 p99 max ${[p50, p99, max].map((time) => time.toFixed(2).padStart(8)).join(' ')} ms`
}
