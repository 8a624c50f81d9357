/** What must be on a machine's disk before it says so to another one (R7, R16). */
import type { PeerRequest } from './neighbors.ts'
import type { Site } from './site.ts'
import { Violation } from './violation.ts'

export function checkSent(site: Site, manager: string, { method, path }: PeerRequest): void {
  const [, kind, id] = path.split('/')
  if (id === undefined || method === 'GET') return
  const flaw =
    kind === 'detachments' ? flawOfDetachment(site, manager, method, id) : flawOfLease(site, manager, method, id)
  if (flaw !== undefined) site.world.report(new Violation(flaw))
}

function flawOfLease({ name, ledger }: Site, manager: string, method: string, id: string): string | undefined {
  const lease = ledger.leases.get(id)
  const what = `${name} sends ${method} of lease ${id}, which is ${lease?.state ?? 'not'} on its disk`
  if (lease && lease.manager.id !== manager) return `${what}, but of another manager`
  if (method === 'PUT' && lease?.state !== 'asking') return `R7: ${what}`
  if (method !== 'DELETE') return undefined
  const isOver = lease?.state === 'returning' || lease?.state === 'cancelling'
  return isOver && ledger.used(id) === 0 ? undefined : `R16: ${what}`
}

function flawOfDetachment({ name, ledger }: Site, manager: string, method: string, id: string): string | undefined {
  const { ins, relays } = ledger.detachments
  if (relays.get(id)?.manager === manager) return undefined
  const one = ins.get(id)
  const what = `${name} sends ${method} of detachment ${id}, which is ${one?.state ?? 'not'} on its disk`
  // A question of what it would be needs no record.
  if (method === 'PUT') return one && one.version === 0 && one.state !== 'asking' ? `R7: ${what}` : undefined
  const isOver = one !== undefined && one.state !== 'asking' && one.state !== 'attached'
  // Where it is not known what became of it the seats may be those of the leases that were to become it.
  const replaced = one?.state === 'cancelling' ? (one.ask?.replaces ?? []) : []
  const uses = [id, ...replaced].some((supply) => ledger.used(supply) > 0)
  return isOver && !uses ? undefined : `R16: ${what}${uses ? ', and in use' : ''}`
}
