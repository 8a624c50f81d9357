/** `leasehold sessions`: who has which seat. */
import { type Session, sessions } from './answers.ts'
import { printList } from './pages.ts'
import { duration, localTime } from './show.ts'
import type { Column } from './table.ts'
import { agentOptions, pageOptions, type Verb } from './verb.ts'

const columns: readonly Column<Session>[] = [
  { title: 'Id', cell: ({ id }) => id },
  { title: 'Product', cell: ({ product, feature }) => (feature === undefined ? product : `${product} ${feature}`) },
  { title: 'Seats', right: true, cell: ({ seats }) => seats },
  { title: 'User', cell: ({ user }) => user.displayName ?? user.email ?? user.account },
  { title: 'Machine', cell: ({ host }) => host },
  { title: 'Process', cell: describeProcess },
  { title: 'Since', cell: ({ startedAt }) => localTime(startedAt) },
  { title: 'State', cell: describeState },
]

function describeProcess({ process, application }: Session): string {
  const name = application ?? process?.name ?? ''
  return process?.id === undefined ? name : `${name} (${process.id})`.trim()
}

function describeState({ state, reason, expiresIn, freeAt }: Session): string {
  if (state === 'active') return `active, promised for ${duration(expiresIn)}`
  const why = reason === undefined ? state : `${state}: ${reason}`
  return freeAt === undefined ? why : `${why}, free at ${localTime(freeAt)}`
}

export const sessionsVerb: Verb = {
  name: 'sessions',
  summary: 'List who has which seat',
  arguments: [],
  options: [
    { name: 'product', kind: 'text', value: 'VENDOR/PRODUCT', help: 'Only seats of this product' },
    { name: 'user', kind: 'text', value: 'USER', help: 'Only of this account, e-mail or name' },
    { name: 'host', kind: 'text', value: 'MACHINE', help: 'Only on this machine' },
    { name: 'state', kind: 'choice', choices: ['active', 'ending', 'ended'], help: 'Only in this state' },
    ...agentOptions,
    ...pageOptions,
  ],
  run: (invocation) => {
    const { given } = invocation
    const filter = Object.fromEntries(['product', 'user', 'host', 'state'].map((name) => [name, given.text(name)]))
    return printList(invocation, '/api/v1/sessions', filter, sessions, columns, 'There are no such sessions.')
  },
}
