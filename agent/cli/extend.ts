/** `leasehold extend`: seats that are taken along last longer. */
import { endOf, endOptions, printMade } from './detach.ts'
import { detachmentPath, madeDetachment } from './detachment-answers.ts'
import { ask, failUnanswered } from './failure.ts'
import { agentOptions, type Verb } from './verb.ts'

export const extendVerb: Verb = {
  name: 'extend',
  summary: 'Let seats that are taken along last longer',
  description: [
    'On the machine that has them, which asks the manager; or on the manager, which prints the block of the new version where it goes by hand. A soft one needs no date.',
  ],
  arguments: [{ name: 'ID', required: true }],
  options: [
    ...endOptions,
    { name: 'out', kind: 'text', value: 'FILE', help: 'Write the block for the other machine to this file' },
    ...agentOptions,
  ],
  run: async (invocation) => {
    const { given, agent, out } = invocation
    const path = detachmentPath(given.arguments[0] ?? '')
    const asked = await ask(agent, { method: 'PATCH', path, body: endOf(invocation) }, madeDetachment)
    if (asked.kind !== 'answer') return failUnanswered(out, agent, asked)
    return await printMade(invocation, asked.value, asked.text)
  },
}
