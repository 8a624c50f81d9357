/**
 * What the benchmark of the network measures, and how long. Pure; imports nothing of ours.
 */

/** Agents that hold leases of one manager and renew them. */
export interface RenewalPlan {
  readonly agents: number
  /** Of each agent; all of them are renewed in one call. */
  readonly leases: number
  /** They are renewed after a third of it. A short one shows what it costs that promises are written now and then. */
  readonly leaseSeconds: number
  /** How long they are renewed when they are due. */
  readonly steadySeconds: number
  /** How long they are renewed as fast as they can be. */
  readonly fastSeconds: number
}

export interface NetworkPlan {
  /** Applications at a time that open and close sessions. */
  readonly connections: readonly number[]
  /** Each round measures a seat of the machine itself, a cold one and a cached one; the median of the ratios counts. */
  readonly rounds: number
  readonly seconds: number
  readonly warmUpSeconds: number
  readonly renewals: readonly RenewalPlan[]
  readonly discovery: {
    readonly trials: number
    /** Addresses besides the right one at which nobody answers; each number is measured. */
    readonly dead: readonly number[]
  }
}

const wholePlan: NetworkPlan = {
  connections: [1, 16, 64],
  rounds: 3,
  seconds: 5,
  warmUpSeconds: 2,
  renewals: [
    { agents: 1_000, leases: 100, leaseSeconds: 600, steadySeconds: 60, fastSeconds: 20 },
    { agents: 100, leases: 100, leaseSeconds: 60, steadySeconds: 60, fastSeconds: 10 },
  ],
  discovery: { trials: 20, dead: [0, 20] },
}

const quickPlan: NetworkPlan = {
  connections: [1, 16],
  rounds: 1,
  seconds: 2,
  warmUpSeconds: 1,
  renewals: [{ agents: 50, leases: 20, leaseSeconds: 60, steadySeconds: 20, fastSeconds: 5 }],
  discovery: { trials: 5, dead: [0, 20] },
}

export function makeNetworkPlan(quick: boolean): NetworkPlan {
  return quick ? quickPlan : wholePlan
}

/** Seconds of load that a plan takes; starting agents, obtaining the leases and searching come on top. */
export function networkSeconds(plan: NetworkPlan): number {
  const each = 3 * (plan.seconds + plan.warmUpSeconds) * plan.rounds
  const renewals = plan.renewals.reduce((sum, one) => sum + one.steadySeconds + one.fastSeconds, 0)
  return plan.connections.length * each + renewals
}
