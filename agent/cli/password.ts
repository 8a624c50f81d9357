/**
 * `leasehold password`: sets or changes the administrator's password. The user of the service and root need not know the one
 * that is set. Passwords are typed without being shown, or read from standard input; never arguments.
 */
import { anything } from './answers.ts'
import { askSecret } from './ask.ts'
import { interrupted } from './exit-codes.ts'
import { ask, fail, failUnanswered } from './failure.ts'
import { readInput } from './files.ts'
import { agentOptions, type Invocation, type Verb } from './verb.ts'

export const passwordVerb: Verb = {
  name: 'password',
  summary: 'Set or change the administrator’s password',
  description: [
    'At a terminal it asks, and shows nothing of what is typed. Else the password is the only line of standard input; where the present one is needed, that comes on a line before it.',
    'The user of the service and root can set a new password without the present one. All sign-ins end.',
  ],
  arguments: [],
  options: agentOptions,
  run: changePassword,
}

interface Passwords {
  readonly current?: string
  readonly password: string
}

type PasswordsRead = ({ readonly kind: 'passwords' } & Passwords) | { readonly kind: 'failed'; readonly exit: number }

async function changePassword(invocation: Invocation): Promise<number> {
  const { io, agent, out } = invocation
  const read = io.stdin.isTTY ? await askPasswords(invocation) : await readPasswords(invocation)
  if (read.kind === 'failed') return read.exit
  const body = { password: read.password, ...(read.current === undefined ? {} : { current: read.current }) }
  const asked = await ask(agent, { method: 'PUT', path: '/api/v1/password', body }, anything)
  if (asked.kind !== 'answer') return failUnanswered(out, agent, asked)
  if (out.json) out.raw(asked.text)
  else out.line('The password is set. All sign-ins have ended.')
  return 0
}

async function askPasswords({ io, agent, out }: Invocation): Promise<PasswordsRead> {
  const questions = [
    ...(agent.hasKey ? [] : ['Present password (nothing, if none is set): ']),
    'New password: ',
    'New password again: ',
  ]
  const answers: string[] = []
  for (const question of questions) {
    const typed = await askSecret(io, question)
    if (typed.kind === 'interrupted') return { kind: 'failed', exit: interrupted }
    answers.push(typed.kind === 'typed' ? typed.text : '')
  }
  const [again, password = ''] = answers.toReversed()
  if (password !== again)
    return { kind: 'failed', exit: fail(out, 'usage', 'The two new passwords differ. Nothing was changed.') }
  const current = agent.hasKey ? undefined : answers[0]
  return { kind: 'passwords', password, ...(current ? { current } : {}) }
}

async function readPasswords({ io, out }: Invocation): Promise<PasswordsRead> {
  const read = await readInput(io, out, '-')
  if (read.kind === 'failed') return read
  const [first = '', second, ...rest] = read.text.replace(/\r?\n$/, '').split(/\r?\n/)
  if (first === '' || second === '' || rest.length > 0)
    return {
      kind: 'failed',
      exit: fail(out, 'usage', 'Standard input wants one line, or the present password on a line before it.'),
    }
  return { kind: 'passwords', ...(second === undefined ? { password: first } : { current: first, password: second }) }
}
