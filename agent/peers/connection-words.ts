/**
 * What the steps of a connection test say: what was found, and what to ask whom for where a step fails. Pure.
 */
import { cleanName } from './known-agent.ts'
import { itself } from './meeting.ts'
import type { Knock, Missed } from './prober.ts'
import type { Offers } from './wire.ts'

export const testSteps = ['name', 'tcp', 'tls', 'identity', 'version', 'latency', 'clock', 'licenses'] as const
export type TestStepName = (typeof testSteps)[number]

export interface TestStep {
  readonly step: TestStepName
  readonly outcome: 'passed' | 'failed' | 'skipped'
  /** A sentence. */
  readonly detail: string
  /** What can be done about it. */
  readonly help?: string
  readonly ms?: number
}

/** ms of difference that nobody needs to do anything about. */
const clockTolerance = 60_000

/** An answer that does not come or can't be read: TLS is up, and nobody has proved anything. */
export function testStepOf(step: Missed['step']): 'tls' | 'identity' | 'version' {
  if (step === 'version') return 'version'
  return step === 'identity' || step === 'answer' ? 'identity' : 'tls'
}

export function skipped(step: TestStepName): TestStep {
  return { step, outcome: 'skipped', detail: '' }
}

export function detailOf(knock: Knock): string {
  return knock.kind === 'open' ? 'open' : knock.detail
}

export function judgeClock(difference: number): TestStep {
  const seconds = Math.round(Math.abs(difference) / 1000)
  const detail =
    seconds < 2 ? 'Both clocks agree.' : `Its clock is ${seconds} s ${difference > 0 ? 'ahead of' : 'behind'} ours.`
  // Seats do not depend on it, so it is worth saying and no failure.
  return Math.abs(difference) <= clockTolerance
    ? { step: 'clock', outcome: 'passed', detail }
    : {
        step: 'clock',
        outcome: 'passed',
        detail,
        help: 'Set the clock right that is wrong: dates of licenses go by it.',
      }
}

export function judgeOffers({ serving, offers }: Offers): TestStep {
  if (serving !== 'open') return refusedOffers(serving, undefined)
  const told = offers
    .slice(0, 20)
    .map(({ product, seats, used }) => `${product} (${Math.max(0, seats - used)} of ${seats} free)`)
  const more = offers.length > told.length ? ` and ${offers.length - told.length} more` : ''
  if (offers.length > 0) return { step: 'licenses', outcome: 'passed', detail: `It offers ${told.join(', ')}${more}.` }
  return {
    step: 'licenses',
    outcome: 'failed',
    detail: 'It offers no licenses.',
    help: 'Install and activate a network license there; stand-alone licenses are not offered.',
  }
}

const whyNot: Readonly<Record<string, readonly [detail: string, help: string]>> = {
  handing_out_disabled: ['Its license server is disabled.', 'Its administrator can enable it on the Service page.'],
  serving_stopped: ['Its license server is stopped.', 'Its administrator can start it on the Service page.'],
  remote_access_off: [
    'It does not let other machines in.',
    'Its administrator can switch it on: Configuration > Access from Remote Clients.',
  ],
  approval_pending: [
    'This machine waits for approval there.',
    'Ask its administrator to approve this machine under Managers.',
  ],
  denied_by_rule: ['A rule there refuses this machine.', 'Ask its administrator for the access rules.'],
}

export function refusedOffers(code: string, detail: string | undefined): TestStep {
  const [said, help] = whyNot[code] ?? [
    detail === undefined ? `It refuses (${cleanName(code)}).` : cleanName(detail),
    'Ask its administrator.',
  ]
  return { step: 'licenses', outcome: 'failed', detail: said, help }
}

/** @param detail what went wrong */
export function helpAfter(step: 'tls' | 'identity' | 'version', detail: string, id: string | undefined): string {
  if (step === 'version') return 'Update the older of the two agents.'
  if (detail.endsWith(`${itself}.`)) return 'This is the address of this very machine: type that of the license server.'
  if (step === 'identity' && id !== undefined)
    return 'The server that is meant has another address, or was set up anew: ask its administrator for its id.'
  return 'See whether an agent listens there, and ask the network administrator whether a proxy or firewall takes its place.'
}
