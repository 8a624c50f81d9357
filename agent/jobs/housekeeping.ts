/**
 * Housekeeping by the calendar, in UTC: the only place that uses node-cron. Nothing that ends a seat runs here: while the clock of the
 * machine is set back no task runs at all. Owns the tasks; what they do is handed in.
 */
import { createTask, type ScheduledTask } from 'node-cron'

export interface Job {
  readonly name: string
  /** A cron expression, in UTC. */
  readonly schedule: string
  readonly run: () => Promise<void>
}

export interface HousekeepingParts {
  readonly jobs: readonly Job[]
  readonly onFailed: (job: string, error: unknown) => void
}

export class Housekeeping {
  readonly #tasks: readonly { readonly job: Job; readonly task: ScheduledTask }[]

  constructor({ jobs, onFailed }: HousekeepingParts) {
    this.#tasks = jobs.map((job) => ({
      job,
      task: createTask(
        job.schedule,
        async () => {
          await job.run().catch((error: unknown) => onFailed(job.name, error))
        },
        { timezone: 'UTC', noOverlap: true, name: job.name },
      ),
    }))
  }

  start(): void {
    for (const { task } of this.#tasks) void task.start()
  }

  /** Runs one now, as when its time has come. */
  async run(name: string): Promise<void> {
    await this.#tasks.find(({ job }) => job.name === name)?.task.execute()
  }

  /** A job that runs goes on to its end. */
  async stop(): Promise<void> {
    for (const { task } of this.#tasks) await task.destroy()
  }
}
