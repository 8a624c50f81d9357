/**
 * The part of the benchmark that is about agents that lease from each other: seats, renewals, discovery, one after another in
 * folders of their own. Imports these parts.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { type DiscoveryRow, describeDiscovery, measureDiscovery } from './discovery.ts'
import type { NetworkPlan } from './network-plan.ts'
import { describeSeatRow, type HandshakeRow, measureSeats, type SeatRow } from './remote-seats.ts'
import { describePeerRow, measureRenewals, type PeerRow } from './renewals.ts'

export interface NetworkResult {
  readonly seats: readonly SeatRow[]
  readonly handshakes: readonly HandshakeRow[]
  readonly renewals: readonly PeerRow[]
  readonly discovery: readonly DiscoveryRow[]
}

/** @param say takes one line for people */
export async function runNetworkPlan(plan: NetworkPlan, say: (line: string) => void): Promise<NetworkResult> {
  const base = await mkdtemp(path.join(os.tmpdir(), 'leasehold-bench-'))
  try {
    const { seats, handshakes } = await measureSeats(plan, path.join(base, 'seats'), (row) => say(describeSeatRow(row)))
    const renewals: PeerRow[] = []
    for (const [at, one] of plan.renewals.entries())
      renewals.push(
        ...(await measureRenewals(one, path.join(base, `renewals-${at}`), (row) => say(describePeerRow(row)))),
      )
    const discovery = await measureDiscovery(plan.discovery, path.join(base, 'discovery'), (row) =>
      say(describeDiscovery(row)),
    )
    return { seats, handshakes, renewals, discovery }
  } finally {
    await rm(base, { recursive: true, force: true })
  }
}
