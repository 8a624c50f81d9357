/**
 * What an agent does every minute: licenses by the date, and the reserve on the disk. Part of the composition root; owns nothing.
 */
import type { Cancel, Timers } from './clock.ts'
import type { Licenses } from './licenses.ts'
import type { Writer } from './writer.ts'

export interface UpkeepParts {
  readonly timers: Timers
  readonly licenses: Pick<Licenses, 'refresh'>
  readonly writer: Pick<Writer, 'relax'>
  /** What is wrong may be another now. */
  readonly look: () => void
  readonly trouble: (what: string) => (error: unknown) => void
}

const minute = 60_000

export function keepUp({ timers, licenses, writer, look, trouble }: UpkeepParts): Cancel {
  return timers.every(minute, () => {
    licenses.refresh().then(look).catch(trouble('licenses could not be brought up to date'))
    writer.relax().catch(trouble('the reserve on the disk could not be taken again'))
  })
}
