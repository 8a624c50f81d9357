/** `leasehold sites`: web sites that hand seats on to their own users. */
import type { z } from 'zod'
import { anything, type Site, site, sites, siteToken } from './answers.ts'
import { type Asked, ask, failUnanswered } from './failure.ts'
import { printList } from './pages.ts'
import { exactTime, localTime, plural } from './show.ts'
import type { Column } from './table.ts'
import { agentOptions, type Invocation, pageOptions, type Verb } from './verb.ts'

const columns: readonly Column<Site>[] = [
  { title: 'Site', cell: ({ id }) => id },
  { title: 'State', cell: ({ state }) => state },
  { title: 'Server', cell: ({ server, state }) => (server ? 'held' : state === 'stopped' ? undefined : 'missing') },
  { title: 'Occupied', right: true, cell: ({ occupied }) => occupied },
  { title: 'Taken', right: true, cell: ({ taken }) => taken },
  { title: 'Asked', right: true, cell: ({ seats }) => seats },
  { title: 'Next recycle', cell: ({ recyclesAt }) => recyclesAt && localTime(recyclesAt) },
  { title: 'Missing because', cell: ({ missing }) => missing?.detail },
]

type SignIn = Site['signIns'][number]
const accesses: Readonly<Record<string, string>> = {
  full: 'seat',
  administration: 'administrator, no seat',
  none: 'no seat until the next activity',
}
const signInColumns: readonly Column<SignIn>[] = [
  { title: 'User', cell: ({ user }) => user.displayName ?? user.email ?? user.account },
  { title: 'Has', cell: ({ access }) => accesses[access] ?? access },
  { title: 'Signed in', cell: ({ signedInAt }) => localTime(signedInAt) },
  { title: 'Seat goes back', cell: ({ idleEndsAt }) => idleEndsAt && localTime(idleEndsAt) },
]

const named = [{ name: 'ID', required: true }]

export const siteVerbs: readonly Verb[] = [
  {
    name: 'sites list',
    alias: 'sites',
    summary: 'List the web sites, with the seats that their users occupy',
    arguments: [],
    options: [...agentOptions, ...pageOptions],
    run: (invocation) =>
      printList(invocation, '/api/v1/sites', {}, sites, columns, 'No web site is defined: leasehold sites define ID …'),
  },
  {
    name: 'sites show',
    summary: 'Show who is signed in at a web site, and when each seat goes back',
    arguments: named,
    options: agentOptions,
    run: show,
  },
  {
    name: 'sites define',
    summary: 'Define or change a web site; a new one gets a token, which is printed this once',
    description: [
      'The token goes into the settings of the site. It is stored nowhere and can not be shown again; make another with leasehold sites token.',
    ],
    arguments: named,
    options: [
      { name: 'server', kind: 'text', value: 'VENDOR/PRODUCT', required: true, help: 'One seat of it lets it start' },
      { name: 'client', kind: 'text', value: 'VENDOR/PRODUCT', required: true, help: 'Each user takes a seat of it' },
      { name: 'seats', kind: 'whole', value: 'N', min: 1, max: 1000, help: 'For clients; 1 when left out' },
      { name: 'cron', kind: 'text', value: '"M H D M W"', help: 'When seats are recycled; 30 4 * * * when left out' },
      {
        name: 'zone',
        kind: 'text',
        value: 'ZONE',
        help: 'Time zone of that, such as Europe/Berlin; UTC when left out',
      },
      {
        name: 'inactivity',
        kind: 'whole',
        value: 'MINUTES',
        min: 1,
        max: 10_080,
        help: 'Without activity for so long a seat goes back; 240 when left out',
      },
      ...agentOptions,
    ],
    run: define,
  },
  {
    name: 'sites token',
    summary: 'Make a new token for a web site; the one before is good for nothing then',
    arguments: named,
    options: agentOptions,
    run: renewToken,
  },
  {
    name: 'sites recycle',
    summary: 'Give all client seats of a web site back and take them anew, now',
    description: ['Who is signed in stays so, and gets a seat again at the next activity.'],
    arguments: named,
    options: agentOptions,
    run: recycle,
  },
  {
    name: 'sites remove',
    summary: 'Remove a web site; its users lose their seats now',
    arguments: named,
    options: agentOptions,
    run: remove,
  },
]

function call<T>(
  { agent, given }: Invocation,
  method: 'GET' | 'PUT' | 'POST' | 'DELETE',
  what: string,
  schema: z.ZodType<T>,
  body?: object,
): Promise<Asked<T>> {
  const path = `/api/v1/sites/${encodeURIComponent(given.arguments[0] ?? '')}${what}`
  return ask(agent, { method, path, ...(body === undefined ? {} : { body }) }, schema)
}

async function show(invocation: Invocation): Promise<number> {
  const { agent, out } = invocation
  const asked = await call(invocation, 'GET', '', site)
  if (asked.kind !== 'answer') return failUnanswered(out, agent, asked)
  if (out.json) {
    out.raw(asked.text)
    return 0
  }
  const { signIns, recyclesAt, missing } = asked.value
  out.table(columns, [asked.value])
  if (signIns.length > 0) out.table(signInColumns, signIns)
  else out.note('Nobody is signed in.')
  if (recyclesAt !== undefined) out.note(`All seats are recycled at ${exactTime(recyclesAt)}.`)
  if (missing !== undefined) out.note(missing.detail)
  return 0
}

async function define(invocation: Invocation): Promise<number> {
  const { agent, given, out } = invocation
  const [cron, zone, inactivity] = [given.text('cron'), given.text('zone'), given.whole('inactivity')]
  const isScheduled = cron !== undefined || zone !== undefined
  const asked = await call(invocation, 'PUT', '', site, {
    serverProduct: given.text('server'),
    clientProduct: given.text('client'),
    seats: given.whole('seats') ?? 1,
    ...(isScheduled ? { recycle: { cron: cron ?? '30 4 * * *', zone: zone ?? 'UTC' } } : {}),
    ...(inactivity === undefined ? {} : { inactivityMinutes: inactivity }),
  })
  if (asked.kind !== 'answer') return failUnanswered(out, agent, asked)
  const { token } = asked.value
  if (out.json) out.raw(asked.text)
  else if (token === undefined) out.note('It is changed.')
  else {
    out.line(token)
    out.note('This is the token of the site. It is shown this once.')
  }
  return 0
}

async function renewToken(invocation: Invocation): Promise<number> {
  const { agent, out } = invocation
  const asked = await call(invocation, 'POST', '/token', siteToken)
  if (asked.kind !== 'answer') return failUnanswered(out, agent, asked)
  if (out.json) out.raw(asked.text)
  else out.line(asked.value.token)
  return 0
}

async function recycle(invocation: Invocation): Promise<number> {
  const { agent, out } = invocation
  const asked = await call(invocation, 'POST', '/recycle', site)
  if (asked.kind !== 'answer') return failUnanswered(out, agent, asked)
  const { taken, seats } = asked.value
  if (out.json) out.raw(asked.text)
  else out.line(`${taken} of ${plural(seats, 'seat')} taken anew.`)
  return 0
}

async function remove(invocation: Invocation): Promise<number> {
  const { agent, out } = invocation
  const asked = await call(invocation, 'DELETE', '', anything)
  if (asked.kind !== 'answer') return failUnanswered(out, agent, asked)
  if (!out.json) out.note('It is removed.')
  return 0
}
