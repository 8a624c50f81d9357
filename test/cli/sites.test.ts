import test from 'ava'
import type { Reserve, Site } from '../../agent/http/api/site-shapes.ts'
import { refusal } from './fake-agent.ts'
import { answers, begin, instant, removeRoot } from './place.ts'

test.after.always(removeRoot)

const missing = { code: 'no_seats', detail: 'LIC-1: All 5 seats are in use.', asked: [], retryIn: 9 }
const site: Site = {
  id: 'shop',
  serverProduct: 'acme/portal',
  clientProduct: 'acme/user',
  seats: 5,
  recycle: { cron: '30 4 * * *', zone: 'UTC' },
  inactivityMinutes: 240,
  state: 'started',
  server: true,
  taken: 4,
  occupied: 2,
  from: [],
  missing,
  recyclesAt: instant,
  signIns: [
    { user: { displayName: 'Ana\u001b[2J' }, access: 'full', signedInAt: instant, idleEndsAt: instant },
    { user: { account: 'bo' }, access: 'none', signedInAt: instant },
  ],
}
const reserve: Reserve = {
  id: 'design',
  product: 'acme/cad',
  seats: 3,
  taken: 2,
  used: 1,
  from: [{ manager: { id: 'a', name: 'LIC-1' }, seats: 2, used: 1, reachable: false, until: instant }],
  missing,
}

test('P5, P7: sites are listed with seats occupied of those taken, and one shows who is signed in until when', async (t) => {
  const { agent, io, run } = await begin(t)
  agent.on('GET /api/v1/sites', answers({ items: [site], total: 1 }))
  agent.on('GET /api/v1/sites/shop', answers(site))
  t.is(await run('sites'), 0)
  t.regex(io.stdout.text, /^shop +started +held +2 +4 +5 +\d{4}-.* LIC-1: All 5 seats are in use\./m)
  t.is(await run('sites', 'show', 'shop'), 0)
  t.regex(io.stdout.text, /^Ana\[2J +seat +\d{4}-\S+ \S+ +\d{4}-/m)
  t.regex(io.stdout.text, /^bo +no seat until the next activity /m)
  agent.on('POST /api/v1/sites/shop/recycle', answers(site))
  t.is(await run('sites', 'recycle', 'shop'), 0)
  t.true(io.stdout.text.includes('4 of 5 seats taken anew.'))
})

test('a site is defined with the token on standard output alone; a change prints none', async (t) => {
  const { agent, io, run } = await begin(t)
  agent.on('PUT /api/v1/sites/shop', answers({ ...site, token: 'lhs_secret' }, 201))
  const words = ['sites', 'define', 'shop', '--server', 'acme/portal', '--client', 'acme/user', '--seats', '5']
  t.is(await run(...words, '--zone', 'Europe/Berlin', '--inactivity', '60'), 0)
  t.is(io.stdout.text, 'lhs_secret\n')
  t.deepEqual(agent.asked[0]?.body, {
    serverProduct: 'acme/portal',
    clientProduct: 'acme/user',
    seats: 5,
    recycle: { cron: '30 4 * * *', zone: 'Europe/Berlin' },
    inactivityMinutes: 60,
  })
  agent.on('PUT /api/v1/sites/shop', answers(site))
  t.is(await run(...words), 0)
  t.is(io.stdout.text, 'lhs_secret\n')
  agent.on('POST /api/v1/sites/shop/token', answers({ token: 'lhs_other' }))
  t.is(await run('sites', 'token', 'shop'), 0)
  t.is(io.stdout.text, 'lhs_secret\nlhs_other\n')
  agent.on('DELETE /api/v1/sites/shop', refusal('unknown_site', 'There is no site shop here.'))
  t.is(await run('sites', 'remove', 'shop'), 7)
})

test('reserves are listed, kept and given back', async (t) => {
  const { agent, io, run } = await begin(t)
  agent.on('GET /api/v1/reserves', answers({ items: [reserve], total: 1 }))
  agent.on('PUT /api/v1/reserves/design', answers(reserve))
  agent.on('DELETE /api/v1/reserves/design', { status: 204 })
  t.is(await run('reserves'), 0)
  t.regex(io.stdout.text, /^design +acme\/cad +3 +2 +1 +2 LIC-1 +2027-01-04 [0-9:]+ +LIC-1: All 5 seats/m)
  t.is(await run('reserves', 'keep', 'design', '--product', 'acme/cad', '--seats', '3'), 0)
  t.deepEqual(agent.asked.at(-1)?.body, { product: 'acme/cad', seats: 3 })
  t.true(io.stdout.text.includes('2 of 3 seats kept.'))
  t.true(io.stderr.text.includes('All 5 seats are in use'))
  t.is(await run('reserves', 'drop', 'design'), 0)
})
