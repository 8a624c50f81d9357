/**
 * When started sites recycle their seats: one entry of the calendar for each, armed anew where its schedule was changed. Owns these
 * entries; what is due is `sites.ts`'s. Must not import http or jobs.
 */
import type { Cancel } from './clock.ts'
import type { RecycleSchedule, SiteRecord } from './site-book.ts'

/** Runs what is due by the calendar. */
export interface Calendar {
  /** What is wrong with a schedule, by field; undefined: nothing. */
  check(schedule: RecycleSchedule): { readonly field: 'cron' | 'zone'; readonly message: string } | undefined
  /** Wall time in ms when it is due next; undefined: never. */
  next(schedule: RecycleSchedule): number | undefined
  run(schedule: RecycleSchedule, task: () => void): Cancel
}

export class SiteSchedules {
  readonly #calendar: Calendar
  readonly #recycle: (site: string) => void
  readonly #armed = new Map<string, { readonly text: string; readonly cancel: Cancel }>()

  /** @param recycle told when a site is due */
  constructor(calendar: Calendar, recycle: (site: string) => void) {
    this.#calendar = calendar
    this.#recycle = recycle
  }

  /** Arms what the definitions say now, and nothing else. */
  arm(sites: readonly SiteRecord[]): void {
    const started = new Map(sites.flatMap((site) => (site.isStarted ? [[site.id, site] as const] : [])))
    for (const [id, { text, cancel }] of this.#armed) {
      if (text === textOf(started.get(id)?.recycle)) continue
      cancel()
      this.#armed.delete(id)
    }
    for (const { id, recycle } of started.values()) {
      if (this.#armed.has(id)) continue
      const cancel = this.#calendar.run(recycle, () => this.#recycle(id))
      this.#armed.set(id, { text: textOf(recycle), cancel })
    }
  }

  stop(): void {
    for (const { cancel } of this.#armed.values()) cancel()
    this.#armed.clear()
  }
}

function textOf(schedule: RecycleSchedule | undefined): string {
  return schedule === undefined ? '' : `${schedule.cron} ${schedule.zone}`
}
