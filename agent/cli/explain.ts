/** Why a seat was refused, in lines: rule, seats, who holds them, when the next one is due (X1). Pure. */
import type { Explanation, Problem } from '../client/answers.ts'
import { duration, exactTime, plural } from './show.ts'

const mostHolders = 20

export function explain({ explanation, retryIn }: Pick<Problem, 'explanation' | 'retryIn'>): readonly string[] {
  if (explanation === undefined) return retryIn === undefined ? [] : [`  Worth trying again in ${duration(retryIn)}.`]
  const lines: string[] = []
  if (explanation.rule !== undefined) lines.push(`  The rule: ${explanation.rule}`)
  for (const manager of explanation.managers) lines.push(...describeManager(manager))
  for (const { manager, detail } of explanation.asked ?? []) lines.push(`  ${manager.name} was asked: ${detail}`)
  if (retryIn !== undefined) lines.push(`  Worth trying again in ${duration(retryIn)}.`)
  return lines
}

function describeManager(manager: Explanation['managers'][number]): string[] {
  const { holders = [] } = manager
  const lines = [`  ${manager.name}: ${manager.used} of ${plural(manager.seats, 'seat')} of ${manager.product} in use`]
  for (const { user, host, application, seats, startedAt } of holders.slice(0, mostHolders)) {
    const who = [
      user ?? 'somebody',
      host === undefined ? undefined : `on ${host}`,
      application && `with ${application}`,
    ]
    const many = seats === 1 ? '' : `, ${plural(seats, 'seat')}`
    lines.push(`    ${who.filter(Boolean).join(' ')}${many}, since ${exactTime(startedAt)}`)
  }
  if (holders.length > mostHolders) lines.push(`    and ${holders.length - mostHolders} more`)
  if (manager.nextReturnAt !== undefined) lines.push(`  The next seat is due at ${exactTime(manager.nextReturnAt)}.`)
  else if (manager.used > 0) lines.push('  No return is known: all who hold a seat go on using it.')
  return lines
}
