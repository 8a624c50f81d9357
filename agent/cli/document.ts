/** Writes docs/command-line.md from the verbs and the exit codes, so that they can not differ. Pure. */
import { exitKinds, ownCodes, runExits } from './exit-codes.ts'
import { agentOptions, optionUsage, type Verb, verbUsage } from './verb.ts'
import { companions, verbs } from './verbs.ts'

const beginning = `# Command line

\`leasehold\` talks to the agent that runs on this machine. In a clone it is \`npx leasehold\`.

\`\`\`console
$ leasehold run --product cad -- program file
\`\`\`

gives any program a seat for as long as it runs.

## Which agent, and who asks

The port is that of \`--port\`, else of \`LEASEHOLD_NETWORK_PORT\`, else the one that the running agent noted in its data folder, else \`network.port\` of the configuration file, else 1947.

What changes something asks for the administrator once a password is set. The command proves that it may:

1. by \`cli.key\` in the data folder, which the user of the service and root can read; it is new at every start of the agent,
2. else by the token in \`LEASEHOLD_TOKEN\`,
3. else it asks without a proof, and is told when that is not enough.

The data folder is \`LEASEHOLD_DATA\`, else \`$XDG_DATA_HOME/leasehold\`, else \`~/.local/share/leasehold\`.

## Output

Results go to standard output, everything else to standard error. With \`--json\` the result is the JSON of the interface, exactly as the agent sent it (on a terminal, characters that it could act on are escaped); a refusal is its problem document. Names and texts are printed without control characters. Bold headings are for terminals only, and not where \`NO_COLOR\` is set.

Verbs that talk to the agent take \`--json\` and \`--port PORT\`; all take \`--help\`.

A refusal is told as the sentence, what is known about it, what to do, and its code in parentheses.
`

const limits = `## Limits of \`run\`

- \`kill -9\` of \`leasehold run\` itself frees the seat within 5 s and leaves the program running: nothing is left that could end it.
- In the foreground of a terminal, Ctrl-C and Ctrl-\\ reach the program from the terminal. \`kill -INT\` and \`kill -QUIT\` of \`run\` are not passed on there, since they can't be told from the keys; \`kill -TERM\` is.
- Suspended with Ctrl-Z, program and \`run\` both stand still. After the time that the seat was promised for it is lost; on continuing \`run\` asks for another.
- A seat counts as lost when the agent says so, or when no heartbeat was answered until the promise was over; time in which the machine slept counts.
`

export function writeCommandDocument(): string {
  return [
    beginning,
    '## Verbs\n',
    ...companions.map(({ usage, summary }) => `### \`${usage}\`\n\n${summary}.\n`),
    ...verbs.map(describeVerb),
    limits,
    describeExits(),
  ].join('\n')
}

function describeVerb(verb: Verb): string {
  const lines = [`### \`${verbUsage(verb)}\``, '', `${verb.summary}.`]
  if (verb.alias !== undefined) lines.push('', `The same: \`leasehold ${verb.alias}\`.`)
  for (const paragraph of verb.description ?? []) lines.push('', paragraph)
  const own = verb.options.filter((option) => !agentOptions.includes(option))
  if (own.length > 0) lines.push('')
  for (const option of own) lines.push(`- \`${optionUsage(option)}\`: ${option.help}.`)
  return `${lines.join('\n')}\n`
}

function describeExits(): string {
  const rows = [
    ['0', 'done', ''],
    ...exitKinds.map(({ exit, meaning, codes }) => [
      String(exit),
      meaning,
      codes.map((code) => `\`${code}\``).join(', '),
    ]),
    [String(runExits.notExecutable), '`run`: the program can not be started', ''],
    [String(runExits.notFound), '`run`: there is no such program', ''],
    [`${runExits.signal} + n`, 'ended by signal n, such as 130 for Ctrl-C', ''],
  ]
  const own = Object.entries(ownCodes).map(([code, meaning]) => `- \`${code}\`: ${meaning}.`)
  return [
    '## Exit codes\n',
    '0 only on success. `run` hands on the exit code of the program; the codes below are for when it was not started.\n',
    ...table(['exit', 'meaning', 'codes'], rows),
    '',
    'Codes that only the command line has:\n',
    ...own,
    '',
    '`leasehold vendor` has one more: 3 where the folder of the vendor can not be used.',
    '',
  ].join('\n')
}

function table(heading: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(heading), line(heading.map(() => '---')), ...rows.map(line)]
}
