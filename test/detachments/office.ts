/**
 * An office of the tests: a manager with five seats, a laptop, and how they are asked.
 */
import { isIn, isOut } from '../../agent/detachment-record.ts'
import type { DetachWish } from '../../agent/detachment-wish.ts'
import type { Refusal } from '../../agent/errors.ts'
import { blockOf, type LicenseTerms, TestVendor } from '../licenses/test-vendor.ts'
import { Machine } from './machine.ts'

export const monday = Date.UTC(2027, 0, 4, 8)
export const iso = (ms: number): string => new Date(ms).toISOString()

/** A manager with five seats, and a laptop that knows it. */
export async function office(terms: LicenseTerms = {}) {
  const vendor = new TestVendor('acme')
  const server = await Machine.start('SERVER')
  const laptop = await Machine.start('LAPTOP')
  laptop.meet(server)
  const license = vendor.license({ detach: { maxDays: 30 }, ...terms })
  const id = await server.install(blockOf(license))
  if (terms.activation?.needed) {
    const requested = await server.parts.licenses.requestActivation(id)
    if (requested.kind === 'refused') throw new Error(requested.detail)
    const answer = vendor.answer(server.parts.documents.writeBlock(requested.text), license, {
      now: server.clock.wall(),
    })
    await server.parts.documents.activate(id, answer)
  }
  return { vendor, server, laptop, license: id }
}

export const wish = (more: Partial<DetachWish> = {}): DetachWish => ({
  product: 'acme/cad',
  seats: 1,
  soft: false,
  who: { account: 'ana' },
  days: more.until === undefined && more.soft !== true ? 7 : undefined,
  ...more,
})

export async function take(machine: Machine, more: Partial<DetachWish> = {}) {
  const made = await machine.parts.detachments.detach(wish(more))
  if (made.kind === 'refused') throw new Error(`${made.code}: ${made.detail}`)
  return made
}

export async function refusal(machine: Machine, more: Partial<DetachWish> = {}): Promise<Refusal> {
  const made = await machine.parts.detachments.detach(wish(more))
  if (made.kind !== 'refused') throw new Error('it was made')
  return made
}

export function codeOf(outcome: { readonly kind: string }): string {
  return (outcome as Refusal).code ?? outcome.kind
}

export const outOf = (machine: Machine) => [...machine.parts.book.outs()].filter(isOut)
export const inOf = (machine: Machine) => [...machine.parts.book.ins()].filter(isIn)
