/**
 * What is done about detachments by the calendar: what is written is held against what counts, people are reminded, soft ones are
 * renewed (X6). Owns nothing.
 */
import type { DetachmentBook } from '../detachment-book.ts'
import type { DetachmentContact } from '../detachment-contact.ts'
import type { DetachmentHolding } from '../detachment-holding.ts'
import { inFacts } from '../detachment-holding.ts'
import { isIn, isOut } from '../detachment-record.ts'
import { type Reminder, reminderDue } from '../domain/detach-days.ts'
import type { Health } from '../health.ts'
import type { Lessor } from '../lessor.ts'
import type { Writes } from '../writes.ts'
import type { Job } from './housekeeping.ts'

export interface DetachmentJobParts {
  readonly book: DetachmentBook
  readonly holding: Pick<DetachmentHolding, 'left'>
  readonly contact: Pick<DetachmentContact, 'meetAll' | 'renewSoft'>
  readonly lessor: Pick<Lessor, 'view' | 'isReady'>
  readonly writes: Writes
  readonly health: Pick<Health, 'set' | 'clear' | 'keepOnly'>
  readonly onDifference: (facts: Readonly<Record<string, unknown>>) => void
}

/** At minutes of their own, so that not all is done at the same moment. */
export function detachmentJobs(parts: DetachmentJobParts): Job[] {
  return [
    { name: 'reconcile detachments', schedule: '7 * * * *', run: () => reconcile(parts) },
    { name: 'remind of detachments', schedule: '*/10 * * * *', run: () => remind(parts) },
    {
      name: 'renew soft detachments',
      schedule: '23 * * * *',
      run: async () => {
        await parts.contact.renewSoft()
        await parts.contact.meetAll()
      },
    },
  ]
}

/** A difference is a mistake of this program, so it is an error and nothing is put right by itself. */
export async function reconcile({ book, lessor, health, writes, onDifference }: DetachmentJobParts): Promise<void> {
  if (!lessor.isReady) return
  const differences: string[] = []
  const grants = new Set<string>()
  for (const record of book.outs()) {
    const grant = lessor.view.grant(record.grant)
    if (isOut(record)) {
      grants.add(record.grant)
      if (grant === undefined) differences.push(`${record.id}: its seats are not counted`)
      else if (grant.seats !== record.seats || grant.until !== record.until)
        differences.push(`${record.id}: ${grant.seats} seats until ${grant.until} are counted`)
    } else if (grant !== undefined) differences.push(`${record.id}: it is over, and its seats are still counted`)
  }
  for (const { id, kind } of lessor.view.grants())
    if (kind === 'detachment' && !grants.has(id)) differences.push(`${id}: seats are counted for nothing`)
  for (const record of book.ins())
    if (isIn(record) && lessor.view.supply(record.id)?.seats !== record.seats)
      differences.push(`${record.id}: its seats here are others`)
  if (differences.length === 0) {
    health.clear('detachments_differ')
    return
  }
  health.set('detachments_differ', { count: differences.length })
  onDifference({ differences })
  await writes.submit((transaction) =>
    transaction.journal({ type: 'detachment.differs', facts: { differences: differences.slice(0, 100) } }),
  )
}

/** 3 days, 1 day and 2 hours before the end. */
export async function remind({ book, holding, health, writes }: DetachmentJobParts): Promise<void> {
  const due = new Map<string, Reminder>()
  for (const record of book.ins()) {
    if (!isIn(record) || record.state !== 'attached') continue
    const left = holding.left(record)
    const reminder = reminderDue(left, record.until - Math.min(record.until, record.attachedAt))
    if (reminder === undefined) continue
    due.set(record.id, reminder)
    const product = record.terms.title ?? record.product
    health.set(
      'detachment_ends',
      { product, within: reminder, until: record.until, soft: record.soft === true },
      record.id,
    )
  }
  health.keepOnly('detachment_ends', [...due.keys()])
  const untold = [...due].filter(([id, reminder]) => book.in(id)?.reminded !== reminder)
  if (untold.length === 0) return
  await writes.submit((transaction) => {
    for (const [id, reminder] of untold) {
      const record = book.in(id, transaction)
      if (!isIn(record)) continue
      book.put(transaction, { ...record, reminded: reminder })
      transaction.journal({ type: 'detachment.reminded', facts: { ...inFacts(record), within: reminder } })
    }
  })
}
