/** `leasehold why`: who got no seat lately, what was said, who had the seats, and what helps. */
import { type RefusedSeat, refusals } from './answers.ts'
import { explain } from './explain.ts'
import { helpFor } from './failure.ts'
import type { Output } from './output.ts'
import { printPages } from './pages.ts'
import { exactTime, plural } from './show.ts'
import { agentOptions, pageOptions, type Verb } from './verb.ts'

/** So many fit on a screen or two. */
const usualLimit = 5

function describeRequest({ user, host, application, product, feature, seats }: RefusedSeat): string {
  const who = [
    user.displayName ?? user.email ?? user.account ?? 'Somebody',
    host === undefined ? undefined : `on ${host}`,
    application && `with ${application}`,
  ]
  const what = feature === undefined ? product : `${product} with feature ${feature}`
  return `${who.filter(Boolean).join(' ')} asked for ${plural(seats, 'seat')} of ${what}`
}

function describeTimes({ times, firstAt, lastAt }: RefusedSeat): string {
  const last = exactTime(lastAt)
  return times === 1 ? last : `${last}, ${times} times since ${exactTime(firstAt)}`
}

/** How long it was worth waiting is over by now, so that is left out; when a seat is due is a date. */
function printRefusal(out: Output, refused: RefusedSeat): void {
  const { code, title, detail, help, explanation, rule } = refused
  out.line(`${describeTimes(refused)}: ${describeRequest(refused)}.`)
  out.line(`  ${detail ?? `${title}.`}`)
  if (rule !== undefined && explanation?.rule === undefined) out.line(`  The rule: ${rule}`)
  for (const line of explain({ explanation })) out.line(line)
  const helps = helpFor({ code, help })
  if (helps !== '') out.line(`  ${helps}`)
  out.line(`  (${code})`)
}

function printRefusals(out: Output, items: readonly RefusedSeat[]): void {
  for (const [at, refused] of items.entries()) {
    if (at > 0) out.line('')
    printRefusal(out, refused)
  }
}

export const whyVerb: Verb = {
  name: 'why',
  summary: 'Say why seats were refused lately, who had them, and what helps',
  description: [
    `The newest first, ${usualLimit} of them unless --limit says otherwise. Who had the seats and when the next one was due is told as it was when the seat was refused; after a restart of the agent only the kind of refusal is known.`,
  ],
  arguments: [],
  options: [
    { name: 'product', kind: 'text', value: 'VENDOR/PRODUCT', help: 'Only for this product' },
    { name: 'user', kind: 'text', value: 'USER', help: 'Only of this account, e-mail or name' },
    ...agentOptions,
    ...pageOptions,
  ],
  run: (invocation) => {
    const { given, out } = invocation
    const filter = { product: given.text('product'), user: given.text('user') }
    const print = (items: readonly RefusedSeat[]): void => printRefusals(out, items)
    const empty = 'No such seat was refused lately.'
    return printPages(invocation, '/api/v1/refusals', filter, refusals, print, empty, usualLimit)
  },
}
