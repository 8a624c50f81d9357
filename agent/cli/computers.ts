/** `leasehold computers`: which users at which machines use what. */
import { type Computer, computers } from './answers.ts'
import { printList } from './pages.ts'
import { localTime } from './show.ts'
import type { Column } from './table.ts'
import { agentOptions, pageOptions, type Verb } from './verb.ts'

const columns: readonly Column<Computer>[] = [
  { title: 'Machine', cell: ({ host, addresses }) => host ?? addresses[0] },
  { title: 'User', cell: ({ user }) => user.displayName ?? user.email ?? user.account },
  { title: 'Sessions', right: true, cell: ({ sessions }) => sessions },
  { title: 'Seats', right: true, cell: ({ seats }) => seats },
  { title: 'Uses', cell: ({ uses }) => uses.map(describeUse).join(', ') },
  { title: 'Since', cell: ({ since }) => localTime(since) },
]

function describeUse({ product, feature, seats }: Computer['uses'][number]): string {
  const name = feature === undefined ? product : `${product} ${feature}`
  return seats === 1 ? name : `${seats} × ${name}`
}

export const computersVerb: Verb = {
  name: 'computers',
  summary: 'List the machines with their users, and what they use',
  arguments: [],
  options: [
    { name: 'product', kind: 'text', value: 'VENDOR/PRODUCT', help: 'Only seats of this product' },
    { name: 'user', kind: 'text', value: 'USER', help: 'Only of this account, e-mail or name' },
    { name: 'host', kind: 'text', value: 'MACHINE', help: 'Only this machine' },
    ...agentOptions,
    ...pageOptions,
  ],
  run: (invocation) => {
    const { given } = invocation
    const filter = Object.fromEntries(['product', 'user', 'host'].map((name) => [name, given.text(name)]))
    return printList(invocation, '/api/v1/computers', filter, computers, columns, 'There are no such computers.')
  },
}
