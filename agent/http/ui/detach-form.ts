/**
 * What the three steps of detaching ask for, as their forms carry it along. Pure; must not import owners or koa.
 */
import type { DetachWish } from './detaching-parts.ts'
import type { Form } from './form.ts'

const steps = ['recipient', 'until', 'check', 'detach'] as const
const ways = ['here', 'agent', 'block'] as const

export interface Wished {
  /** This machine, an agent that is known, or one that a block names. */
  readonly to: (typeof ways)[number]
  readonly agent: string
  readonly recipient: string
  readonly user: string
  readonly how: 'date' | 'soft'
  /** A calendar day as 2026-12-24, or what was typed instead. */
  readonly until: string
  /** Undefined: no number. */
  readonly seats: number | undefined
  readonly feature: string
  readonly manager: string
}

export interface DetachForm extends Wished {
  /** The step that is wanted next. */
  readonly step: (typeof steps)[number]
  readonly product: string
  /** The key of this order, from the last step. */
  readonly order: string
}

const longest = 255
const longestBlock = 16_384

export function readDetachForm(form: Form): DetachForm {
  const text = (name: string): string => (form[name] ?? '').trim().slice(0, longest)
  const seats = form.seats?.trim() ?? '1'
  const recipient = form.file?.trim() ? form.file : (form.recipient ?? '')
  return {
    step: steps.find((one) => one === form.step) ?? 'recipient',
    product: text('product'),
    order: /^[\w-]{16,64}$/.test(text('order')) ? text('order') : '',
    to: ways.find((one) => one === form.to) ?? 'here',
    agent: text('agent'),
    recipient: recipient.trim().slice(0, longestBlock),
    user: text('user'),
    how: form.how === 'soft' ? 'soft' : 'date',
    until: text('until'),
    seats: /^[1-9]\d{0,5}$/.test(seats) ? Number(seats) : undefined,
    feature: text('feature'),
    manager: text('manager'),
  }
}

export function wishOf(wished: Wished, product: string): DetachWish {
  const { to, how, until, seats = 1, feature, manager } = wished
  const user = userOf(wished.user)
  return {
    product,
    seats,
    soft: how === 'soft',
    ...(how === 'soft' ? {} : { until }),
    ...(feature === '' ? {} : { feature }),
    ...(manager === '' || to !== 'here' ? {} : { manager }),
    ...(to === 'here' ? {} : { recipient: to === 'agent' ? wished.agent : wished.recipient }),
    ...(user === undefined ? {} : { user }),
  }
}

function userOf(text: string): DetachWish['user'] {
  if (text === '') return undefined
  return /^[^\s@\\]+@[^\s@\\]+\.[^\s@\\]+$/.test(text) ? { email: text } : { account: text }
}
