/** `leasehold rules check`: whether somebody would be allowed, and what changed rules would have done. */
import { type CheckedRules, checkedRules, type DryRun, type DryRunCase } from './answers.ts'
import { exitCodeOf } from './exit-codes.ts'
import { ask, fail, failUnanswered } from './failure.ts'
import { readInput } from './files.ts'
import type { Output } from './output.ts'
import { exactTime, localTime, plural } from './show.ts'
import type { Column } from './table.ts'
import { agentOptions, type Invocation, type Verb } from './verb.ts'

const lists = { machines: 'rules for machines', users: 'rules for users' } as const
/** ms; a journal of many requests takes its time. */
const patience = 5 * 60 * 1000

export const checkRulesVerb: Verb = {
  name: 'rules check',
  summary: 'Say whether somebody would be allowed, and what changed rules would have done',
  description: [
    'With --user, --host or another one of who asks: whether that one would get a seat by the rules, and which rule decides. The exit code is that of a refusal by a rule, or 0.',
    'With --users or --machines: the rules in the file, one a line, instead of those in force; and which requests of the last days would have come out differently. A file - is standard input. Nothing is changed; leasehold config set users.rules … does.',
    'The grammar is in docs/access-rules.md.',
  ],
  arguments: [],
  options: [
    { name: 'user', kind: 'text', value: 'USER', help: 'Account or e-mail address of who asks' },
    { name: 'host', kind: 'text', value: 'MACHINE', help: 'Name of the machine; this one, unless said' },
    { name: 'address', kind: 'text', value: 'ADDRESS', help: 'Network address that the request comes from' },
    { name: 'agent', kind: 'text', value: 'ID', help: 'Id of another agent that asks' },
    { name: 'product', kind: 'text', value: 'VENDOR/PRODUCT', help: 'What is asked for' },
    { name: 'feature', kind: 'text', value: 'FEATURE', help: 'The feature that is asked for' },
    { name: 'license', kind: 'text', value: 'ID', help: 'The license that the seat would be of' },
    { name: 'users', kind: 'text', value: 'FILE', help: 'Rules for users to be tried out' },
    { name: 'machines', kind: 'text', value: 'FILE', help: 'Rules for machines to be tried out' },
    { name: 'dry-run', kind: 'switch', help: 'Try the rules on the last days, also without a file' },
    { name: 'days', kind: 'whole', value: 'N', min: 1, max: 30, help: 'So many days; 30, unless said' },
    ...agentOptions,
  ],
  run: runCheck,
}

async function runCheck(invocation: Invocation): Promise<number> {
  const { given, agent, out } = invocation
  const subject = readSubject(given)
  const rules: Record<string, readonly string[]> = {}
  for (const list of ['users', 'machines'] as const) {
    const file = given.text(list)
    if (file === undefined) continue
    const read = await readInput(invocation.io, out, file)
    if (read.kind === 'failed') return read.exit
    rules[list] = read.text.replace(/\r?\n$/, '').split(/\r?\n/)
  }
  const dryRun = given.on('dry-run') || Object.keys(rules).length > 0
  if (subject === undefined && !dryRun)
    return fail(out, 'usage', 'Say who asks, such as --user ana, or which rules are to be tried: --users FILE.')
  const body = {
    ...(subject === undefined ? {} : { subject }),
    ...(Object.keys(rules).length === 0 ? {} : { rules }),
    dryRun,
    ...(given.whole('days') === undefined ? {} : { days: given.whole('days') }),
  }
  const asked = await ask(agent, { method: 'POST', path: '/api/v1/rules/check', body, patience }, checkedRules)
  if (asked.kind !== 'answer') return failUnanswered(out, agent, asked)
  if (out.json) out.raw(asked.text)
  else printAnswer(out, asked.value)
  return asked.value.outcome === 'denied' ? exitCodeOf('denied_by_rule') : 0
}

/** undefined: nobody is named. */
function readSubject(given: Invocation['given']): Record<string, unknown> | undefined {
  const user = given.text('user')
  const subject: Record<string, unknown> = {}
  if (user !== undefined) subject.user = user.includes('@') ? { email: user } : { account: user }
  for (const name of ['host', 'address', 'agent', 'product', 'feature', 'license']) {
    const value = given.text(name)
    if (value !== undefined) subject[name] = value
  }
  return Object.keys(subject).length === 0 ? undefined : subject
}

function printAnswer(out: Output, { verdicts = [], dryRun }: CheckedRules): void {
  for (const { list, outcome, rule, line, detail, licenses } of verdicts) {
    const name = lists[list as keyof typeof lists] ?? list
    if (outcome === 'denied') out.line(`Denied by the ${name}: ${detail ?? rule ?? ''}`)
    else if (rule === undefined) out.line(`Allowed by the ${name}: none of them fits.`)
    else out.line(`Allowed by the ${name}: “${rule}”, line ${line ?? '?'}.`)
    if (licenses !== undefined) {
      const which = licenses.kind === 'only' ? 'Only with seats of' : 'But not with seats of'
      out.line(`  ${which} ${licenses.licenses.join(', ')}, by “${licenses.rule}”.`)
    }
  }
  if (dryRun === undefined) return
  if (verdicts.length > 0) out.line('')
  printDryRun(out, dryRun)
}

const columns: readonly Column<DryRunCase>[] = [
  { title: 'Requests', right: true, cell: ({ times }) => times },
  { title: 'User', cell: ({ user }) => user.email ?? user.account },
  { title: 'Machine', cell: ({ host, address }) => host ?? address },
  { title: 'Product', cell: ({ product, feature }) => (feature === undefined ? product : `${product} ${feature}`) },
  { title: 'Last', cell: ({ lastAt }) => localTime(lastAt) },
  { title: 'Rule', cell: ({ rule }) => rule ?? 'none fits' },
]

function printDryRun(out: Output, { from, until, requests, complete, forgotten, refused, allowed }: DryRun): void {
  out.line(`${plural(requests, 'request')} from ${exactTime(from)} to ${exactTime(until)}.`)
  if (!complete) out.note('There were more requests before that than can be looked at.')
  if (forgotten > 0) out.note(`Of ${forgotten} of them it is not known any more who asked.`)
  for (const [{ count, examples }, what] of [
    [refused, 'got a seat and would have been refused'],
    [allowed, 'was refused by a rule and would not have been'],
  ] as const) {
    out.line('')
    out.line(
      `${count === 0 ? 'None' : count} ${count > 1 ? what.replace('was', 'were') : what}${count === 0 ? '.' : ':'}`,
    )
    if (examples.length > 0) out.table(columns, examples)
    const shown = examples.reduce((sum, { times }) => sum + times, 0)
    if (shown < count) out.line(`and ${count - shown} more`)
  }
}
