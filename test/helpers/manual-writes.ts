/**
 * Writes whose batches tests commit or fail by hand, over records in memory: what an owner of records sees of the writer.
 */
import type { Happening } from '../../agent/domain/journal.ts'
import { LeaseholdError } from '../../agent/errors.ts'
import type { JsonValue, RecordKind } from '../../agent/store/store.ts'
import type { RecordOwner, Transaction, Writes } from '../../agent/writes.ts'

interface Job {
  readonly run: () => void
  readonly answer: () => void
  readonly fail: (error: unknown) => void
}

export class ManualWrites implements Writes {
  readonly records = new Map<string, { kind: RecordKind; key: string; value: JsonValue }>()
  readonly journal: Omit<Happening, 'instance'>[] = []
  /** While true, jobs wait for `commit()` or `fail()`; else each is a batch of its own. */
  holding = false
  #owners: RecordOwner[] = []
  #jobs: Job[] = []

  /** Hands the records to `owner` now, and again after every failed batch. */
  load(owner: RecordOwner): void {
    this.#owners.push(owner)
    this.#restore(owner)
  }

  submit<T>(decide: (transaction: Transaction) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      let result: T
      const changes: (() => void)[] = []
      const effects: (() => void)[] = []
      const transaction: Transaction = {
        put: (kind, key, value) =>
          changes.push(() => this.records.set(`${kind}/${key}`, { kind, key, value: structuredClone(value) })),
        delete: (kind, key) => changes.push(() => this.records.delete(`${kind}/${key}`)),
        journal: (happening) => changes.push(() => this.journal.push(happening)),
        after: (effect) => effects.push(effect),
      }
      this.#jobs.push({
        run: () => {
          result = decide(transaction)
        },
        answer: () => {
          for (const change of changes) change()
          for (const effect of effects) effect()
          resolve(result)
        },
        fail: reject,
      })
      if (!this.holding) this.commit()
    })
  }

  /** Decides all jobs that wait as one batch and commits it. */
  commit(): void {
    const jobs = this.#jobs.splice(0)
    for (const job of jobs) job.run()
    for (const job of jobs) job.answer()
  }

  /** Decides all jobs that wait as one batch, which fails: everything is loaded anew. */
  fail(): void {
    const jobs = this.#jobs.splice(0)
    for (const job of jobs) job.run()
    for (const owner of this.#owners) this.#restore(owner)
    for (const job of jobs) job.fail(new LeaseholdError('store_unavailable', 'the batch failed'))
  }

  #restore(owner: RecordOwner): void {
    owner.reset()
    for (const record of this.records.values())
      if (owner.kinds.includes(record.kind)) owner.restore({ ...record, instance: 'test' })
    owner.ready?.()
  }
}
