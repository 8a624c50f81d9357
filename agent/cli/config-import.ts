/** `leasehold config import`: brings the settings of another license manager along. */
import { importedConfiguration } from './answers.ts'
import { showValue } from './config.ts'
import { ask, failUnanswered } from './failure.ts'
import { readInput } from './files.ts'
import { agentOptions, type Invocation, type Verb } from './verb.ts'

export const importConfigVerb: Verb = {
  name: 'config import',
  summary: 'Bring the settings of a hasplm.ini along',
  description: [
    'Says what it would change, and what there is nothing for and why. Nothing is changed without --apply.',
    'FILE may be - for standard input.',
  ],
  arguments: [{ name: 'FILE', required: true }],
  options: [{ name: 'apply', kind: 'switch', help: 'Change the settings' }, ...agentOptions],
  run: importConfig,
}

async function importConfig({ io, given, agent, out }: Invocation): Promise<number> {
  const read = await readInput(io, out, given.arguments[0] ?? '-')
  if (read.kind === 'failed') return read.exit
  const body = { text: read.text, apply: given.on('apply') }
  const asked = await ask(agent, { method: 'POST', path: '/api/v1/configuration/import', body }, importedConfiguration)
  if (asked.kind !== 'answer') return failUnanswered(out, agent, asked)
  const { applied, settings, leftOut } = asked.value
  if (out.json) {
    out.raw(asked.text)
    return 0
  }
  for (const { name, from, to, changes } of settings)
    out.line(
      changes
        ? `${name}: ${showValue(from) || 'nothing'} -> ${showValue(to) || 'nothing'}`
        : `${name}: is ${showValue(to) || 'nothing'} already`,
    )
  for (const { line, written, text, detail } of leftOut)
    out.line(`line ${line}, ${written}: left out. ${text}${detail === undefined ? '' : ` ${detail}.`}`)
  const count = settings.filter(({ changes }) => changes).length
  if (applied) out.line(count === 1 ? '1 setting is changed.' : `${count} settings are changed.`)
  else if (count === 0) out.line('Nothing would change.')
  else out.line(`${count === 1 ? '1 setting' : `${count} settings`} would change. Nothing is changed yet: add --apply.`)
  return 0
}
