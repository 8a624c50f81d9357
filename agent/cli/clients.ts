/** `leasehold clients`: who asked for seats lately, and what came of it. */
import { type RecentClient, recentClients } from './answers.ts'
import { printList } from './pages.ts'
import { localTime } from './show.ts'
import type { Column } from './table.ts'
import { agentOptions, pageOptions, type Verb } from './verb.ts'

const columns: readonly Column<RecentClient>[] = [
  { title: 'Last', cell: ({ at }) => localTime(at) },
  { title: 'User', cell: ({ user }) => user.email ?? user.account },
  { title: 'Machine', cell: ({ host }) => host },
  { title: 'Agent', cell: ({ agent }) => agent.name },
  { title: 'Address', cell: ({ address }) => address },
  { title: 'Product', cell: ({ product }) => product },
  { title: 'Outcome', cell: ({ outcome }) => outcome },
  { title: 'To keep out', cell: ({ rules }) => rules.find(({ action }) => action === 'deny')?.text },
]

export const clientsVerb: Verb = {
  name: 'clients',
  summary: 'List who asked for seats lately, and what came of it',
  description: [
    'Under TO KEEP OUT: a rule that would refuse that one. It goes into serving.rules where it is about a machine, into users.rules where it is about a user; with --json there are more of them.',
  ],
  arguments: [],
  options: [...agentOptions, ...pageOptions],
  run: (invocation) =>
    printList(invocation, '/api/v1/recent-clients', {}, recentClients, columns, 'There are no recent clients.'),
}
