/** `leasehold licenses activate` and `deactivate`: the exchange of blocks with the vendor. */
import { activationRequest, deactivation } from './answers.ts'
import { applyText } from './documents.ts'
import { exitCodeOf } from './exit-codes.ts'
import { ask, fail, failUnanswered } from './failure.ts'
import { deliver } from './files.ts'
import { licensePath } from './licenses.ts'
import { exactTime } from './show.ts'
import { agentOptions, type Invocation, type Verb } from './verb.ts'

export const activateVerb: Verb = {
  name: 'licenses activate',
  summary: 'Make the request for an activation, or take in the vendor’s answer',
  description: [
    'leasehold licenses activate LICENSE makes a block that you send to the vendor. The answer comes back as a block, and leasehold licenses activate --answer FILE takes it in. FILE - is standard input.',
  ],
  arguments: [{ name: 'LICENSE', required: false }],
  options: [
    { name: 'out', kind: 'text', value: 'REQUEST', help: 'Write the request to this file instead of printing it' },
    { name: 'answer', kind: 'text', value: 'FILE', help: 'Take in the answer of the vendor' },
    ...agentOptions,
  ],
  run: activate,
}

function activate(invocation: Invocation): Promise<number> | number {
  const { given, out } = invocation
  const [id] = given.arguments
  const answer = given.text('answer')
  if (answer !== undefined) {
    if (id !== undefined || given.on('out'))
      return fail(out, 'usage', '--answer goes alone: the answer names its license.')
    return applyText(invocation, answer, { apply: true })
  }
  if (id === undefined) return fail(out, 'usage', 'A LICENSE is wanted, or --answer FILE.')
  return requestActivation(invocation, id)
}

async function requestActivation({ given, agent, out }: Invocation, id: string): Promise<number> {
  const asked = await ask(agent, { method: 'POST', path: licensePath(id, '/activation-request') }, activationRequest)
  if (asked.kind !== 'answer') return failUnanswered(out, agent, asked)
  if (out.json) out.raw(asked.text)
  if (!out.json || given.on('out')) {
    const failed = await deliver(out, given.text('out'), asked.value.request, 'The activation request')
    if (failed !== undefined) return failed
  }
  out.note('Send the request to the vendor, then take in the answer with: leasehold licenses activate --answer FILE')
  return 0
}

export const deactivateVerb: Verb = {
  name: 'licenses deactivate',
  summary: 'Stop serving a license and make the receipt for the vendor',
  description: [
    'With the receipt the vendor activates the license for another machine. While seats are in use there is none yet: the exit code says so, and the same command makes it later.',
  ],
  arguments: [{ name: 'LICENSE', required: true }],
  options: [
    {
      name: 'confirm-overlap',
      kind: 'switch',
      help: 'Make the receipt now although seats are still in use, where the license allows it',
    },
    { name: 'out', kind: 'text', value: 'RECEIPT', help: 'Write the receipt to this file instead of printing it' },
    ...agentOptions,
  ],
  run: deactivate,
}

async function deactivate({ given, agent, out }: Invocation): Promise<number> {
  const path = licensePath(given.arguments[0] ?? '', '/deactivate')
  const body = { confirmOverlap: given.on('confirm-overlap') }
  const asked = await ask(agent, { method: 'POST', path, body }, deactivation)
  if (asked.kind !== 'answer') return failUnanswered(out, agent, asked)
  const { value } = asked
  if (out.json) out.raw(asked.text)
  if ('freeAt' in value) {
    out.note(
      `Seats of the license are still in use, at the latest until ${exactTime(value.freeAt)}. No new ones are given out.`,
    )
    out.note(
      'The same command makes the receipt then. With --confirm-overlap it is made now, where the license allows that.',
    )
    return exitCodeOf('seats_still_out')
  }
  if (out.json && !given.on('out')) return 0
  return (await deliver(out, given.text('out'), value.receipt, 'The deactivation receipt')) ?? 0
}
