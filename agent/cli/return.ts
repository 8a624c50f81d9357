/** `leasehold return`: seats that are taken along are given back before their date. */
import { detachmentPath, returnedDetachment, returnReceipt } from './detachment-answers.ts'
import { ask, failUnanswered } from './failure.ts'
import { deliver } from './files.ts'
import { agentOptions, type Invocation, type Verb } from './verb.ts'

export const returnVerb: Verb = {
  name: 'return',
  summary: 'Give seats that are taken along back before their date',
  description: [
    'The manager is told as soon as it can be reached. Where it is never met, --receipt ends the seats here for good and prints a block; on the manager, leasehold documents FILE --apply frees them.',
    'On the manager it withdraws what no machine has taken yet.',
  ],
  arguments: [{ name: 'ID', required: true }],
  options: [
    { name: 'receipt', kind: 'switch', help: 'Make a return receipt instead of telling the manager' },
    { name: 'out', kind: 'text', value: 'FILE', help: 'Write the receipt to this file' },
    ...agentOptions,
  ],
  run: (invocation) =>
    invocation.given.on('receipt') || invocation.given.on('out') ? makeReceipt(invocation) : giveBack(invocation),
}

const told: Readonly<Record<string, string>> = {
  returned: 'They are back at the manager.',
  returning: 'No application gets one any more. The manager is told once none is in use and it can be reached.',
  withdrawn: 'It was not taken yet; the seats are free.',
  ended: 'It had ended by itself; nothing is left to give back.',
}

async function giveBack({ given, agent, out }: Invocation): Promise<number> {
  const path = detachmentPath(given.arguments[0] ?? '')
  const asked = await ask(agent, { method: 'DELETE', path }, returnedDetachment)
  if (asked.kind !== 'answer') return failUnanswered(out, agent, asked)
  if (out.json) out.raw(asked.text)
  else out.line(told[asked.value.state] ?? asked.value.state)
  return 0
}

async function makeReceipt({ given, agent, out }: Invocation): Promise<number> {
  const body = { detachment: given.arguments[0] ?? '' }
  const asked = await ask(agent, { method: 'POST', path: '/api/v1/returns', body }, returnReceipt)
  if (asked.kind !== 'answer') return failUnanswered(out, agent, asked)
  if (out.json) out.raw(asked.text)
  if (out.json && !given.on('out')) return 0
  const failed = await deliver(out, given.text('out'), asked.value.receipt, 'The return receipt')
  if (failed !== undefined) return failed
  out.note(`It is signed with the key ${asked.value.fingerprint}. On the manager: leasehold documents FILE --apply`)
  return 0
}
