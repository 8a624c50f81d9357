/** `leasehold documents`: says what blocks are in a text and what they would do, and does it when asked to. */
import { type RecognizedDocument, recognizedDocuments } from './answers.ts'
import { exitCodeOf } from './exit-codes.ts'
import { ask, failUnanswered } from './failure.ts'
import { readInput } from './files.ts'
import { agentOptions, type Invocation, type Verb } from './verb.ts'

export const documentsVerb: Verb = {
  name: 'documents',
  summary: 'Say what blocks are in a text and what they would do',
  description: [
    'The text is taken as it was received. FILE - is standard input. With --apply it is done: licenses of vendors that are trusted are installed, activations taken in.',
  ],
  arguments: [{ name: 'FILE', required: true }],
  options: [{ name: 'apply', kind: 'switch', help: 'Do it' }, ...agentOptions],
  run: (invocation) =>
    applyText(invocation, invocation.given.arguments[0] ?? '', { apply: invocation.given.on('apply') }),
}

/** Sends the text of a file to the agent and prints what it says of each block. @returns the exit code */
export async function applyText(
  { io, agent, out }: Invocation,
  file: string,
  { apply }: { readonly apply: boolean },
): Promise<number> {
  const read = await readInput(io, out, file)
  if (read.kind === 'failed') return read.exit
  const body = { text: read.text, apply }
  const asked = await ask(agent, { method: 'POST', path: '/api/v1/documents', body }, recognizedDocuments)
  if (asked.kind !== 'answer') return failUnanswered(out, agent, asked)
  const { documents } = asked.value
  if (out.json) out.raw(asked.text)
  else for (const document of documents) out.lines(describe(document))
  const refused = documents.find((document) => document.refused !== undefined)?.refused
  return refused === undefined ? 0 : exitCodeOf(refused.code)
}

function describe({ summary, effect, fingerprint, applied, refused }: RecognizedDocument): string {
  const lines = [summary]
  if (refused === undefined) lines.push(`  ${applied ? 'Done: ' : ''}${effect}`)
  else lines.push(`  Refused: ${refused.detail} (${refused.code})`)
  if (fingerprint !== undefined) lines.push(`  Signed with the key ${fingerprint}.`)
  return lines.join('\n')
}
