/** The help: written from the table of verbs. Pure. */
import { optionUsage, type Verb, verbUsage } from './verb.ts'
import { companions, verbs } from './verbs.ts'

const width = 100

export function writeHelp(): string {
  const rows = [
    ...companions.map(({ name, summary }) => [name, summary] as const),
    ...verbs.map(({ name, alias, summary }) => [alias ?? name, summary] as const),
    ['help [VERB]', 'Print this, or all about a verb'] as const,
  ]
  const column = Math.max(...rows.map(([name]) => name.length))
  return [
    'leasehold VERB …',
    '',
    ...rows.map(([name, summary]) => `  ${name.padEnd(column)}  ${summary}`),
    '',
    'It talks to the agent of this machine. leasehold help VERB says more; exit codes are in docs/command-line.md.',
    '',
  ].join('\n')
}

export function writeVerbHelp(verb: Verb): string {
  const rows = [...verb.options.map((option) => [optionUsage(option), option.help] as const), helpRow]
  const column = Math.max(...rows.map(([name]) => name.length))
  const lines = [verbUsage(verb), '', `${verb.summary}.`]
  if (verb.alias !== undefined) lines.push(`The same: leasehold ${verb.alias}`)
  for (const paragraph of verb.description ?? []) lines.push('', ...wrap(paragraph))
  lines.push('', ...rows.map(([name, help]) => `  ${name.padEnd(column)}  ${help}`), '')
  return lines.join('\n')
}

const helpRow = ['--help', 'Print this'] as const

function wrap(paragraph: string): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of paragraph.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}
