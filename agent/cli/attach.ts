/** `leasehold attach` and `leasehold recipient`: taking seats along between machines that never meet. */
import { recipient } from './detachment-answers.ts'
import { applyText } from './documents.ts'
import { ask, failUnanswered } from './failure.ts'
import { deliver } from './files.ts'
import { agentOptions, type Verb } from './verb.ts'

export const recipientVerb: Verb = {
  name: 'recipient',
  summary: 'Print the block that names this machine to a manager',
  description: [
    'On the manager: leasehold detach PRODUCT --until DATE --recipient FILE. The block is good for 10 minutes, since the clocks of the two machines are compared with it.',
  ],
  arguments: [],
  options: [{ name: 'out', kind: 'text', value: 'FILE', help: 'Write it to this file' }, ...agentOptions],
  run: async ({ given, agent, out }) => {
    const asked = await ask(agent, { method: 'GET', path: '/api/v1/recipient' }, recipient)
    if (asked.kind !== 'answer') return failUnanswered(out, agent, asked)
    if (out.json) out.raw(asked.text)
    if (out.json && !given.on('out')) return 0
    const failed = await deliver(out, given.text('out'), asked.value.recipient, 'The recipient block')
    if (failed !== undefined) return failed
    out.note(`The key of ${asked.value.name} has the fingerprint ${asked.value.fingerprint}.`)
    return 0
  },
}

export const attachVerb: Verb = {
  name: 'attach',
  summary: 'Attach seats that a manager detached for this machine',
  description: [
    'FILE holds the block that leasehold detach printed on the manager, as it was received; - is standard input. With --preview it is only said what it would do.',
  ],
  arguments: [{ name: 'FILE', required: true }],
  options: [{ name: 'preview', kind: 'switch', help: 'Only say what it would do' }, ...agentOptions],
  run: (invocation) =>
    applyText(invocation, invocation.given.arguments[0] ?? '', { apply: !invocation.given.on('preview') }),
}
