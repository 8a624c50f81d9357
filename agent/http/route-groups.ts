/**
 * The groups that the calls of the interface come in, by the first part of their address: tags of the description, headings
 * of its page, names in generated clients.
 * Pure; must not import anything of ours.
 */

export interface RouteGroup {
  readonly name: string
  readonly description: string
  /** First parts of the addresses, after the version. */
  readonly first: readonly string[]
}

export const routeGroups: readonly RouteGroup[] = [
  {
    name: 'Sessions',
    description: 'Getting a seat, keeping it, giving it back; who has one, who waits for one, and who got none.',
    first: ['sessions', 'queue', 'refusals', 'computers'],
  },
  {
    name: 'Products',
    description: 'What there are seats for, and how many of them are free.',
    first: ['products', 'features'],
  },
  {
    name: 'Licenses',
    description: 'What the seats come from: blocks of text that vendors sign.',
    first: ['licenses', 'documents', 'sample'],
  },
  {
    name: 'Detachments',
    description: 'Seats that are taken along until a date and work with no network.',
    first: ['detachments', 'detachable', 'returns', 'recipient'],
  },
  {
    name: 'Managers',
    description: 'Other agents: which there are, searching for them, testing the way to one.',
    first: ['managers', 'search'],
  },
  {
    name: 'Agent',
    description: 'Which agent this is, how it is, and what it can be asked.',
    first: ['health', 'live', 'ready', 'version', 'status', 'clock', 'openapi.json'],
  },
  {
    name: 'Sites',
    description:
      'Seats that are kept in advance: for this machine, and for web sites that hand them on to their users.',
    first: ['reserves', 'sites'],
  },
  { name: 'Serving', description: 'Giving out seats: the two switches.', first: ['serving'] },
  { name: 'Events', description: 'What happens, as it happens.', first: ['events'] },
  { name: 'Journal', description: 'What happened, with reasons, for good.', first: ['journal'] },
  {
    name: 'Access',
    description: 'Who may have seats by the rules, and who asked for some lately.',
    first: ['rules', 'recent-clients'],
  },
  {
    name: 'Configuration',
    description: 'Settings, with where each value comes from.',
    first: ['configuration', 'proxy'],
  },
  {
    name: 'Sign-in',
    description: 'The administrator: signing in and out, and the password.',
    first: ['sign-in', 'password'],
  },
]

/** @param path such as `/api/v1/sessions/{id}` */
export function findGroup(path: string): RouteGroup {
  const first = path.split('/')[3] ?? ''
  const group = routeGroups.find((one) => one.first.includes(first))
  if (group === undefined) throw new Error(`no group of calls has ${path}`)
  return group
}
