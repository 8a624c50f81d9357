/**
 * Where the seats of a session come from, as the disks have it: from the machine of its application up to the license, one hop
 * for each agent between. Reads the ledgers only.
 */
import type { Attempt, Wish } from './application.ts'
import type { RecordedIn } from './detachment-ledger.ts'
import type { License } from './licenses.ts'
import type { Site } from './site.ts'

/** Seats out of one supply of one machine. */
export interface Hop {
  readonly site: Site
  /** The session here, or the lease of the agent before. */
  readonly grant: string
  readonly supply: string
}

export interface Source {
  /** Seats of the session out of it. */
  readonly seats: number
  /** The application's machine first, the license's last. */
  readonly hops: readonly Hop[]
}

/** Longer than any chain of agents can be. */
const mostHops = 8

/** What is not on a disk any more was as it was last. */
export function sourcesOf(site: Site, session: string): Source[] {
  return (site.ledger.lastGrant.get(session)?.parts ?? []).map(({ supply, seats }) => {
    const hops: Hop[] = [{ site, grant: session, supply }]
    for (let next = above(site, supply); next !== undefined && hops.length < mostHops; ) {
      const { manager, grant } = next
      const [part] = manager.ledger.lastGrant.get(grant)?.parts ?? []
      if (!part) break
      hops.push({ site: manager, grant, supply: part.supply })
      next = above(manager, part.supply)
    }
    return { seats, hops }
  })
}

function above(site: Site, supply: string): { readonly manager: Site; readonly grant: string } | undefined {
  const { ledger, world, agentId } = site
  const attached = ledger.detachments.lastIns.get(supply)
  if (attached) return departed(site, attached)
  const lease = ledger.lastLease.get(supply)
  if (!lease) return undefined
  const leased = { manager: world.siteOf(lease.manager.id), grant: `${agentId}/${supply}` }
  if (leased.manager.ledger.grants.has(leased.grant)) return leased
  // Its manager has made a detachment of it, be it that this machine has not heard that.
  for (const one of ledger.detachments.becameOf(supply)) {
    const other = departed(site, one)
    if (other.manager.ledger.grants.has(other.grant)) return other
  }
  return leased
}

function departed(
  { agentId, world }: Site,
  { id, manager }: RecordedIn,
): { readonly manager: Site; readonly grant: string } {
  return { manager: world.siteOf(manager.id), grant: `${agentId}/detached/${id}` }
}

/** What an application's seat is counted for, by the simulator's own means (R18); undefined: it counts for itself. */
export function keyOf(site: Site, rule: License['rule'], { wish, process }: Attempt): string | undefined {
  if (rule === 'host') return site.agentId
  if (rule === 'process')
    return wish.tellsProcess && site.seesProcesses ? `${site.name} ${process.id} ${process.startedAt}` : undefined
  if (rule !== 'user') return undefined
  const { email, account } = wish.user ?? {}
  if (email !== undefined) return email.toLowerCase()
  // The same bare name on two machines is two people.
  return account?.includes('\\') ? account.toLowerCase() : account && `${account.toLowerCase()} ${site.name}`
}

/** An application, or somebody who is signed in at a web site, that may believe in its seat now. */
export interface Believer {
  readonly site: Site
  readonly name: string
  readonly wish: Pick<Wish, 'product' | 'feature' | 'seats'>
  /** True time of the request that the belief rests on. */
  readonly believedSince: number
  /** Its session. */
  readonly id: string
  /** For whom the seats are kept that it may have; undefined: it is no web site. */
  readonly kept?: string
  /** What it is counted for; undefined: for itself. */
  keyBy(rule: License['rule']): string | undefined
}
