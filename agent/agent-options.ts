/**
 * What the composition root is given, and what it gives back. Types only; part of the composition root.
 */
import type { Clock, Timers } from './clock.ts'
import type { FixedValues } from './config/load.ts'
import type { HardwareParts } from './domain/hardware.ts'
import type { Started } from './http/listener.ts'
import type { Identity } from './identity.ts'
import type { Log, RootLog } from './log.ts'
import type { Paths } from './paths.ts'
import type { ProcessTable } from './process-watch.ts'
import type { Store } from './store/store.ts'
import type { Ballast } from './writer.ts'

export interface AgentOptions {
  readonly paths: Paths
  readonly identity: Identity
  readonly store: Store
  readonly ballast: Ballast
  readonly clock: Clock
  readonly timers: Timers
  readonly fixed: FixedValues
  readonly hardware: HardwareParts
  readonly processes: ProcessTable
  readonly log: Log & Partial<Pick<RootLog, 'last'>>
}

export interface Agent {
  /** Opens the store, serves. Rejects with StoreError when the store can't be used. */
  start(): Promise<Started>
  /** Lets running requests end, writes what is queued, closes the store. */
  stop(): Promise<void>
}
