/**
 * What a benchmark run measures, and how long. Pure; imports nothing of ours.
 */

export interface Plan {
  /** How many sessions are open while the rest is measured. */
  readonly live: readonly number[]
  readonly connections: readonly number[]
  /** Each round measures the bare server, then the agent; the median of the rounds' ratios counts. */
  readonly rounds: number
  readonly seconds: number
  readonly warmUpSeconds: number
}

export type WorkName = 'open and close' | 'heartbeat' | 'list' | 'page'

export interface Measurement {
  readonly work: WorkName
  /** With a nonce in every request and a proof in every answer. */
  readonly proof: boolean
}

export const measurements: readonly Measurement[] = [
  { work: 'open and close', proof: false },
  { work: 'open and close', proof: true },
  { work: 'heartbeat', proof: false },
  { work: 'heartbeat', proof: true },
  { work: 'list', proof: false },
  /** The Sessions page, rendered. */
  { work: 'page', proof: false },
]

const wholePlan: Plan = {
  live: [10, 1_000, 100_000],
  connections: [1, 64, 512, 1_000],
  rounds: 5,
  seconds: 5,
  warmUpSeconds: 2,
}

const quickPlan: Plan = { live: [10, 1_000], connections: [1, 64], rounds: 3, seconds: 2, warmUpSeconds: 1 }

export function makePlan(quick: boolean): Plan {
  return quick ? quickPlan : wholePlan
}

/** Seconds of load that a plan takes; starting, filling and stopping come on top. */
export function planSeconds(plan: Plan): number {
  const each = 2 * (plan.seconds + plan.warmUpSeconds) * plan.rounds
  return plan.live.length * plan.connections.length * measurements.length * each
}
