/**
 * Detachments as one simulated disk has them, on both sides: which are seats of this machine and where they come from, and which of
 * its seats are away. Checks that what is over stays over.
 */
import type { JsonValue } from '../../agent/store/store.ts'
import type { License } from './licenses.ts'
import { Violation } from './violation.ts'

/** Seats of another agent, as their holder stores them. */
export interface RecordedIn {
  readonly id: string
  readonly state: 'asking' | 'cancelling' | 'attached' | 'returning' | 'returned' | 'ended'
  readonly manager: { readonly id: string }
  readonly via?: { readonly id: string }
  readonly version: number
  readonly seats: number
  readonly terms?: { readonly license: string; readonly rule: License['rule'] }
  readonly ask?: { readonly replaces?: readonly string[] }
}

/** Seats that are away, as their manager stores it. */
export interface RecordedOut {
  readonly id: string
  readonly state: 'out' | 'returned' | 'ended'
  readonly grant: string
  readonly version: number
  readonly lost?: object
}

const isOver = ({ state }: RecordedIn | RecordedOut): boolean => state === 'returned' || state === 'ended'

export class DetachmentLedger {
  readonly ins = new Map<string, RecordedIn>()
  /** What is not on the disk any more was as it was last. */
  readonly lastIns = new Map<string, RecordedIn>()
  readonly outs = new Map<string, RecordedOut>()
  /** Detachments that this agent asks another one for, passed on for a third. */
  readonly relays = new Map<string, { readonly manager: string }>()

  changed(key: string, value: JsonValue | undefined): void {
    const [side, id = ''] = key.split('/')
    if (side === 'in') this.#change(this.ins, id, value as unknown as RecordedIn | undefined)
    else if (side === 'out') this.#change(this.outs, id, value as unknown as RecordedOut | undefined)
    else if (side === 'relay' && value !== undefined)
      this.relays.set(id, value as unknown as { readonly manager: string })
    const into = this.ins.get(id)
    if (side === 'in' && into) this.lastIns.set(id, into)
  }

  /** Whether the seats of this detachment are a supply here. */
  isHeld(id: string): boolean {
    const state = this.ins.get(id)?.state
    return state === 'attached' || state === 'returning'
  }

  /** Whether seats that are away were declared lost here, or are back: their holder has heard that it is over. */
  isCalledBack(grant: string): boolean {
    for (const one of this.outs.values()) if (one.grant === grant) return one.lost !== undefined || isOver(one)
    return false
  }

  /** What a lease may have become, or is becoming. */
  *becameOf(lease: string): Iterable<RecordedIn> {
    for (const one of this.lastIns.values()) if (one.ask?.replaces?.includes(lease)) yield one
  }

  #change<T extends RecordedIn | RecordedOut>(records: Map<string, T>, id: string, after: T | undefined): void {
    const before = records.get(id)
    if (after === undefined) {
      records.delete(id)
      return
    }
    if (before && isOver(before) && before.state !== after.state)
      throw new Violation(`R23: detachment ${id} was ${before.state} and is ${after.state}`)
    if (before?.state === 'returning' && after.state === 'attached')
      throw new Violation(`R16: detachment ${id} was being given back and is attached again`)
    if (before && after.version < before.version)
      throw new Violation(`R23: version ${after.version} of detachment ${id} came after ${before.version}`)
    records.set(id, after)
  }
}
