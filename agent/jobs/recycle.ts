/**
 * The calendar by which web sites recycle their seats: node-cron in the zone that is set, checked before it is used. Housekeeping
 * only: nothing that ends seats on time depends on it, since a clock that is set back makes it wait. Owns no state of sites.
 */
import { createTask, validateDetailed } from 'node-cron'
import type { Calendar } from '../site-schedules.ts'

export function createCalendar(): Calendar {
  return {
    check({ cron, zone }) {
      // Zones that do not exist are found by node-cron only when it computes with them.
      if (!isZone(zone)) return { field: 'zone', message: 'must be a time zone, such as Europe/Berlin or UTC' }
      const { valid } = validateDetailed(cron)
      const isUsual = valid && cron.trim().split(/\s+/).length === 5
      return isUsual
        ? undefined
        : { field: 'cron', message: 'must be five fields: minute, hour, day, month, weekday; such as 30 4 * * *' }
    },
    next({ cron, zone }) {
      const task = createTask(cron, () => undefined, { timezone: zone })
      try {
        void task.start()
        return task.getNextRun()?.getTime()
      } finally {
        void task.destroy()
      }
    },
    run({ cron, zone }, task) {
      const scheduled = createTask(cron, () => task(), {
        timezone: zone,
        noOverlap: true,
        unref: true,
        suppressMissedWarning: true,
      })
      void scheduled.start()
      return () => void scheduled.destroy()
    },
  }
}

function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
    return true
  } catch {
    return false
  }
}
