import test from 'ava'
import { type PageRoute, pageRoutes } from '../../../agent/http/ui/pages.ts'
import { hostile, makeSession } from './sample-data.ts'
import { password } from './sample-parts.ts'
import { visit } from './visitor.ts'

const license = '-----BEGIN LEASEHOLD LICENSE-----\nAAAA\n-----END LEASEHOLD LICENSE-----'

/** An address of this route that leads to something. */
function exampleOf({ path }: PageRoute): string {
  const ids = {
    '/sessions': 's0000-2f9b1c7d',
    '/products': 'cad',
    '/managers': 'agent-laptop',
    '/computers': 'computer-0',
    '/detached': 'd-in',
    '/configuration/sites/reserves': 'design',
    '/configuration/sites': 'shop',
  }
  const id = Object.entries(ids).find(([start]) => path.startsWith(start))?.[1] ?? 'lic-7f3a9c21'
  return path.replace(':id', id).replace(':vendor', 'acme').replace(':name', 'cad').replace(':sequence', '3')
}

test('every page answers, and looking changes nothing', async (t) => {
  const visitor = await visit(t)
  for (const route of pageRoutes.filter(({ method }) => method === 'get')) {
    const { status } = await visitor.get(exampleOf(route))
    t.true(status === 200 || status === 303, `${route.path}: ${status}`)
  }
  t.deepEqual(visitor.parts.done, [])
})

test('whatever changes something is a POST, and every route has its guard', (t) => {
  for (const { method, guard, path } of pageRoutes)
    if (guard === 'change' || guard === 'take') t.is(method, 'post', path)
  for (const { method, guard, path } of pageRoutes)
    if (method === 'post' && guard !== 'change' && guard !== 'take')
      t.true(['/sign-in', '/sign-out', '/appearance', '/blocks/download'].includes(path), path)
})

test('the entries under Options are in their order, and the one of the page is marked', async (t) => {
  const visitor = await visit(t)
  const { text } = await visitor.get('/licenses/add')
  const options = /<nav class="options"[\s\S]*?<\/nav>/.exec(text)?.[0] ?? ''
  const entries = [...options.matchAll(/<a href="([^"]+)"( aria-current="\w+")?/g)].map(([, address]) => address)
  t.deepEqual(entries, [
    '/',
    '/licenses',
    '/products',
    '/features',
    '/sessions',
    '/computers',
    '/detached',
    '/update',
    '/managers',
    '/managers/search',
    '/managers/test',
    '/journal',
    '/history',
    '/refused',
    '/configuration/basic',
    '/service',
    '/diagnostics',
    '/help',
    '/help/api',
  ])
  t.regex(options, /href="\/licenses" aria-current="true"/)
  t.regex(options, /Licenses <small>Sentinel Keys<\/small>/)
  for (const address of entries) t.is((await visitor.get(address ?? '')).status, 200)
})

test('addresses that people have bookmarked elsewhere lead to the page that took their place', async (t) => {
  const visitor = await visit(t)
  t.is((await visitor.get('/_int_/devices.html')).to, '/licenses')
  t.is((await visitor.get('/_int_/sessions.html')).to, '/sessions')
  t.is((await visitor.get('/_int_/')).to, '/')
  t.is((await visitor.get('/configuration')).to, '/configuration/basic')
})

test('what is not there says so with its code, and what failed with its request id', async (t) => {
  const visitor = await visit(t)
  for (const address of ['/licenses/none', '/licenses/none/activate', '/licenses/none/remove', '/sessions/none'])
    t.is((await visitor.get(address)).status, 404, address)
  t.regex((await visitor.get('/licenses/none')).text, /No such license is installed[\s\S]*unknown_license · 404/)
  t.is((await visitor.post('/sessions/none/disconnect', {})).status, 404)
  t.is((await visitor.get('/nowhere')).status, 404)
  visitor.parts.broken = true
  const { status, text } = await visitor.get('/sessions')
  t.is(status, 500)
  t.regex(text, /internal_error · 500 · request req-1/)
  t.notRegex(text, /the store is gone/)
})

test('a first visit shows three ways in; the sample is one press away', async (t) => {
  const visitor = await visit(t, 'empty')
  const { text } = await visitor.get('/')
  t.regex(text, /Add a license code[\s\S]*Connect to a license server[\s\S]*Try the sample vendor/)
  t.is((await visitor.post('/sample', {})).to, '/')
  t.deepEqual(visitor.parts.done, ['sample'])
  t.regex((await visitor.get('/')).text, /The sample vendor is ready/)
  const again = await visitor.post('/sample', {})
  t.regex(again.text, /already_applied/)
})

test('the Overview says what is wrong, what is free, who holds seats and what ends, in this order', async (t) => {
  const visitor = await visit(t)
  const { text } = await visitor.get('/')
  t.regex(
    text,
    /No administrator password is set[\s\S]*href="\/configuration\/basic#password"[\s\S]*Free seats[\s\S]*<strong>2<\/strong> free[\s\S]*Who holds seats[\s\S]*Ana Ruiz on WS-17[\s\S]*What ends soon[\s\S]*Acme Plot[\s\S]*Expired[\s\S]*Acme Viewer/,
  )
  visitor.parts.net.reach.push({ who: 'approved', places: ['192.168.1.5:1947'] })
  for (const address of ['/', '/sessions', '/nowhere'])
    t.regex((await visitor.get(address)).text, /Approved agents can get seats from this agent at 192.168.1.5:1947/)
})

test('a license is added from pasted text or from a file, and activation is offered at once', async (t) => {
  const visitor = await visit(t)
  t.is((await visitor.post('/licenses/add', { text: `> mail\n${license}` })).to, '/licenses/lic-new/activate')
  const upload = new FormData()
  upload.set('text', 'left in the field')
  upload.set('file', new File([license], 'license.txt'))
  t.is((await visitor.post('/licenses/add', upload)).to, '/licenses/lic-new/activate')
  t.deepEqual(visitor.parts.done, [`added ${license.length + 7}`, `added ${license.length}`])
  const { text } = await visitor.get('/licenses/lic-new/activate')
  t.regex(text, /The license was added. Activate it to use it./)
  t.notRegex((await visitor.get('/licenses')).text, /The license was added/, 'said once')
})

test('a text without a license keeps the text, answers 422 and says what is wanted', async (t) => {
  const visitor = await visit(t)
  const refused = await visitor.post('/licenses/add', { text: 'Dear <b>Ana</b>,\nhere it is' })
  t.is(refused.status, 422)
  t.regex(refused.text, /<title>Error: /)
  t.regex(refused.text, /Paste the whole block, from BEGIN LEASEHOLD[\s\S]*not_a_document/)
  t.regex(refused.text, /\nDear &lt;b&gt;Ana&lt;\/b&gt;,\r?\nhere it is<\/textarea>/)
  t.is((await visitor.post('/licenses/add', { text: ' ' })).status, 422)
})

test('the first license of a vendor asks for trust, and nothing is installed before', async (t) => {
  const visitor = await visit(t)
  const text = `stranger\n${license}`
  const asked = await visitor.post('/licenses/add', { text })
  t.is(asked.status, 409)
  t.regex(asked.text, /Trust this vendor\?[\s\S]*AAAA-BBBB-CCCC/)
  t.deepEqual(visitor.parts.done, [])
  t.is((await visitor.post('/licenses/add', { text, trust: 'yes' })).status, 303)
  t.is(visitor.parts.done.length, 1)
})

test('a license is activated by two blocks, and a wrong answer is kept with its reason', async (t) => {
  const visitor = await visit(t)
  const address = '/licenses/lic-22b0/activate'
  const made = await visitor.post(address, { step: 'request' })
  t.regex(
    made.text,
    /BEGIN LEASEHOLD ACTIVATION REQUEST[\s\S]*Q9TD-7K2M|Q9TD-7K2M[\s\S]*BEGIN LEASEHOLD ACTIVATION REQUEST/,
  )
  const refused = await visitor.post(address, { step: 'answer', text: 'for WS-18' })
  t.is(refused.status, 422)
  t.regex(refused.text, /made for another machine[\s\S]*The block names agent WS-18[\s\S]*for WS-18<\/textarea>/)
  t.is((await visitor.post(address, { step: 'answer', text: '' })).status, 422)
  t.is((await visitor.post(address, { step: 'answer', text: 'ACTIVATION' })).to, '/licenses/lic-22b0')
  t.deepEqual(visitor.parts.done, ['requested lic-22b0', 'activated lic-22b0'])
})

test('a block is handed back as a file; nothing else is', async (t) => {
  const visitor = await visit(t)
  const file = await visitor.post('/blocks/download', { text: `${license}\r\n`, filename: '../../a "b".txt' })
  t.is(file.status, 200)
  t.is(file.text, `${license}\n`)
  t.is(file.headers.get('content-disposition'), 'attachment; filename="....ab.txt"')
  t.is(file.headers.get('content-type'), 'text/plain; charset=utf-8')
  t.is((await visitor.post('/blocks/download', { text: '<script>', filename: 'a.html' })).status, 422)
})

test('deactivating gives a receipt, waits for seats, or asks to confirm an overlap', async (t) => {
  const visitor = await visit(t)
  t.regex((await visitor.get('/licenses/lic-7f3a9c21/deactivate')).text, /You get a receipt/)
  t.regex((await visitor.post('/licenses/lic-7f3a9c21/deactivate', {})).text, /BEGIN LEASEHOLD DEACTIVATION/)
  const waiting = await visitor.post('/licenses/lic-0007/deactivate', {})
  t.is(waiting.status, 202)
  t.regex(waiting.text, /free by Nov 24, 2026, 14:29:05 GMT\+1[\s\S]*name="overlap" value="yes"/)
  const asked = await visitor.post('/licenses/lic-5510/deactivate', {})
  t.is(asked.status, 409)
  t.regex(
    asked.text,
    /212 seats of it are in use[\s\S]*recorded in the journal as an overlap[\s\S]*name="overlap" value="yes"/,
  )
  t.regex(
    (await visitor.post('/licenses/lic-5510/deactivate', { overlap: 'yes' })).text,
    /BEGIN LEASEHOLD DEACTIVATION/,
  )
})

test('removing spells out what happens to the seats in use', async (t) => {
  const visitor = await visit(t)
  t.regex((await visitor.get('/licenses/lic-7f3a9c21/remove')).text, /3 seats are in use; they count until they end/)
  t.regex((await visitor.get('/licenses/lic-9001/remove')).text, /No seat of it is in use/)
  t.is((await visitor.post('/licenses/lic-9001/remove', {})).to, '/licenses')
  t.deepEqual(visitor.parts.done, ['removed lic-9001'])
})

test('the details of a license show everything in it, and link nowhere but to https', async (t) => {
  const visitor = await visit(t)
  const { text } = await visitor.get('/licenses/lic-7f3a9c21')
  for (const words of [
    'Licensed for 5 users',
    'Subscription',
    'Each user',
    '10 minutes',
    'For at most 14 days',
    'Also by a return receipt',
    '7K2M-Q9TD-X3WB-55RA',
    'Example Ltd.',
    'Rendering',
    'system disk',
    'https://acme.example/',
    'BEGIN LEASEHOLD LICENSE',
  ])
    t.true(text.includes(words), words)
  t.false(/href="javascript:/.test(text))
})

test('sessions are filtered, sorted and paged by the address alone', async (t) => {
  const visitor = await visit(t, 'full')
  const rows = (text: string) => [...text.matchAll(/<tr id="session-(s\d+)/g)].map(([, id]) => id)
  const first = await visitor.get('/sessions')
  t.is(rows(first.text).length, 20)
  t.regex(first.text, /1,000 sessions[\s\S]*1 to 20 of 1,000/)
  t.is(rows((await visitor.get('/sessions?page=50')).text).at(-1), 's0999')
  t.is(rows((await visitor.get('/sessions?sort=machine&order=down')).text)[0], 's0982')
  t.deepEqual(rows((await visitor.get('/sessions?q=WS-1016')).text), ['s0999'])
  t.regex((await visitor.get('/sessions?q=nobody')).text, /No session fits the filter[\s\S]*Clear filters/)
  t.regex((await visitor.get('/sessions?page=90')).text, /There is no page 90/)
  t.regex(first.text, /aria-sort="descending"><a class="sort" href="\/sessions\?order=up"/)
})

test('the list of sessions is CSV or JSON at the same address, with the same filter and every page of it', async (t) => {
  const visitor = await visit(t, 'hostile')
  visitor.parts.sessionList.push(makeSession({ id: 'f', host: '=HYPERLINK("x")' }))
  const csv = await visitor.get('/sessions?format=csv')
  t.regex(csv.headers.get('content-disposition') ?? '', /attachment; filename="sessions.csv"/)
  t.is(csv.text.split('\r\n').length, 16)
  t.regex(csv.text, /"'=HYPERLINK\(""x""\)"/)
  const json = await visitor.get('/sessions?q=WS-18', { accept: 'application/json' })
  t.is((JSON.parse(json.text) as { total: number }).total, 1)
  const table = await visitor.get('/licenses', { accept: 'text/csv' })
  t.regex(table.text, /lic-22b0,not_activated/)
})

test('a row of the sessions has every column that people look for', async (t) => {
  const visitor = await visit(t)
  const { text } = await visitor.get('/sessions')
  const head = /<thead>[\s\S]*?<\/thead>/.exec(text)?.[0].replace(/<[^>]+>/g, ' ') ?? ''
  for (const word of 'Id License Location Product Feature Address User Machine Timeout'.split(' '))
    t.true(head.includes(word), word)
  const row = /<tr id="session-s0000[\s\S]*?<\/tr>/.exec(text)?.[0].replace(/<[^>]+>/g, ' ') ?? ''
  for (const word of [
    'Acme CAD',
    'render',
    '127.0.0.1',
    'Ana Ruiz',
    'user0',
    'WS-17',
    'cad · 4000',
    '7 min. ago',
    'Disconnect',
  ])
    t.true(row.includes(word), word)
})

test('R5: Disconnect says until when the application may go on, and what came of it', async (t) => {
  const visitor = await visit(t)
  const address = '/sessions/s0000-2f9b1c7d'
  const { text } = await visitor.get(`${address}/disconnect`)
  t.regex(text, /told to stop using Acme CAD now. If it can not be reached, it may go on until Nov 24, 2026, 14:28:05/)
  t.regex(text, /data-cancel autofocus>Cancel/)
  t.is((await visitor.post(`${address}/disconnect`, { reason: 'left for the day' })).to, '/sessions')
  t.deepEqual(visitor.parts.done, ['disconnected s0000-2f9b1c7d left for the day'])
  t.regex((await visitor.get('/sessions')).text, /Ana Ruiz on WS-17 is told to stop[\s\S]*by Nov 24, 2026, 14:29:05/)
  t.is((await visitor.get(`${address}/disconnect`)).to, address, 'it is ending already')
})

test('R5: “Free now” shows the overlap before it is ordered and after', async (t) => {
  const visitor = await visit(t)
  const address = '/sessions/s0002-2f9b1c7d/free-now'
  t.regex((await visitor.get(address)).text, /1 seat more than licensed may be in use until Nov 24, 2026, 14:29:05/)
  t.is((await visitor.post(address, {})).to, '/sessions')
  t.deepEqual(visitor.parts.done, ['disconnected s0002-2f9b1c7d now'])
  t.regex(
    (await visitor.get('/sessions')).text,
    /The seat of Chidi Okafor on WS-19 is free. 1 seat more[\s\S]*14:29:05/,
  )
})

test('settings show where each value comes from, and Submit says what changed', async (t) => {
  const visitor = await visit(t)
  const { text } = await visitor.get('/configuration/basic')
  t.regex(text, /Set by an administrator/)
  t.regex(text, /730 days[\s\S]*Fixed by the environment variable LEASEHOLD_JOURNAL_KEEP_DAYS/)
  t.regex(text, /A change takes effect at the next start/)
  const form = {
    'agent.name': 'WS-18',
    'agent.email': '',
    'session.idleMinutes': '60',
    'ui.rowsPerPage': '20',
    'ui.refreshSeconds': '3',
    'ui.protection': 'configuration',
    'journal.ignore': 'a\r\n\r\n b ',
    'ui.remote': 'on',
    'journal.keepDays': '1',
    'ui.language': 'en',
    'not.there': 'x',
    action: 'submit',
  }
  t.is((await visitor.post('/configuration/basic', form)).to, '/configuration/basic')
  t.deepEqual(visitor.parts.done, [
    `changed ${JSON.stringify({ 'agent.name': 'WS-18', 'session.idleMinutes': 60, 'ui.remote': true, 'journal.local': false })}`,
  ])
  const after = (await visitor.get('/configuration/basic')).text
  t.regex(
    after,
    /Machine name: WS-17 → WS-18; Idle timeout: 720 → 60; Remote administration: Off → On; Log requests of this machine: On → Off/,
  )
  await visitor.post('/configuration/basic', { ...form, action: 'submit' })
  t.regex((await visitor.get('/configuration/basic')).text, /Nothing was changed/)
})

test('wrong settings keep what was typed and are named at the field and above', async (t) => {
  const visitor = await visit(t)
  const typed = await visitor.post('/configuration/basic', { 'session.idleMinutes': 'ten', 'agent.name': 'WS-99' })
  t.is(typed.status, 422)
  t.regex(typed.text, /1 field needs another value[\s\S]*href="#session.idleMinutes">Idle timeout: must be a number/)
  t.regex(typed.text, /value="ten"/)
  t.regex(typed.text, /value="WS-99"/)
  const far = await visitor.post('/configuration/basic', { 'session.idleMinutes': '9', 'ui.rowsPerPage': '1001' })
  t.regex(far.text, /2 fields need another value[\s\S]*Idle timeout: must be 10 to 10,080[\s\S]*must be 5 to 1,000/)
  const refused = await visitor.post('/configuration/basic', { 'agent.name': 'nope', 'journal.local': 'on' })
  t.is(refused.status, 422)
  t.regex(refused.text, /Machine name: must be another name/)
  const defaults = await visitor.post('/configuration/basic', { action: 'defaults', 'agent.name': 'x' })
  t.regex(defaults.text, /The defaults are filled in[\s\S]*value="ws-17.example"/)
  t.deepEqual(visitor.parts.done, [])
})

test('a password is set, asked for by changes only, and changed with the current one', async (t) => {
  const visitor = await visit(t)
  const change = '/configuration/basic/password'
  t.regex((await visitor.post(change, { password: 'short', again: 'short' })).text, /must have at least 10 characters/)
  t.regex((await visitor.post(change, { password: `${password}1`, again: password })).text, /must be the same/)
  t.is((await visitor.post(change, { password, again: password })).to, '/configuration/basic')
  t.regex((await visitor.get('/configuration/basic')).text, /The password was set[\s\S]*Current password/)
  t.is((await visitor.post('/sign-out', {})).to, '/')
  t.is((await visitor.get('/sessions')).status, 200)
  t.is((await visitor.get('/configuration/basic?a=1')).to, '/sign-in?next=%2Fconfiguration%2Fbasic%3Fa%3D1')
  t.is((await visitor.post('/licenses/lic-9001/remove', {})).status, 401)
  t.deepEqual(visitor.parts.done, ['changed password'])
  t.is((await visitor.post('/sign-in', { password: 'wrong' })).status, 401)
  const often = await visitor.post('/sign-in', { password: 'too often' })
  t.is(often.status, 429)
  t.is(often.headers.get('retry-after'), '60')
  t.is((await visitor.post('/sign-in', { password, next: '/configuration/basic' })).to, '/configuration/basic')
  t.regex(
    (await visitor.post(change, { current: 'x', password: 'another one!', again: 'another one!' })).text,
    /is not right/,
  )
  t.is((await visitor.post(change, { current: password, password: 'another one!', again: 'another one!' })).status, 303)
})

test('every route that asks for a sign-in is closed without one', async (t) => {
  const visitor = await visit(t)
  visitor.parts.passwordSet = password
  for (const route of pageRoutes) {
    if (route.guard !== 'change' && route.guard !== 'configure') continue
    const address = exampleOf(route)
    const { status, to } = route.method === 'get' ? await visitor.get(address) : await visitor.post(address, { a: '1' })
    if (route.method === 'get') t.regex(to ?? '', /^\/sign-in\?/, route.path)
    else t.is(status, 401, route.path)
  }
  t.deepEqual(visitor.parts.done, [])
})

test('language and theme are chosen by what the browser says, then kept in a cookie', async (t) => {
  const visitor = await visit(t)
  t.regex(
    (await visitor.get('/', { 'accept-language': 'de-DE,de;q=0.9' })).text,
    /<html lang="de" dir="ltr">[\s\S]*Überblick/,
  )
  t.is((await visitor.post('/appearance', { theme: 'dark', back: '/sessions?q=a' })).to, '/sessions?q=a')
  t.is((await visitor.post('/appearance', { language: 'de', back: '//evil.example' })).to, '/')
  t.regex((await visitor.get('/')).text, /<html lang="de" dir="ltr" data-theme="dark">/)
  await visitor.post('/appearance', { theme: 'pink', language: 'xx' })
  t.regex((await visitor.get('/')).text, /<html lang="de" dir="ltr" data-theme="dark">/)
})

test('a made-up cookie says nothing', async (t) => {
  const visitor = await visit(t)
  for (const words of [
    'x',
    '{"kind":"good","key":"form.cancel","args":{}}',
    '{"kind":"good","key":"said.removed","args":{"a":{}}}',
  ]) {
    const cookie = `leasehold-said=${Buffer.from(words).toString('base64url')}`
    const { status, text } = await visitor.get('/licenses', { cookie })
    t.is(status, 200)
    t.notRegex(text, /role="status">\s*<svg/)
  }
})

test('forms that are too large, of another type or broken are refused', async (t) => {
  const visitor = await visit(t)
  t.is((await visitor.post('/licenses/add', { text: 'x'.repeat(300_000) })).status, 413)
  const send = (type: string, body: string) =>
    fetch(`${visitor.server.address}/licenses/add`, { method: 'POST', headers: { 'content-type': type }, body })
  t.is((await send('application/json', '{"text":"x"}')).status, 415)
  t.is((await send('multipart/form-data; boundary=x', '--x\r\nbroken')).status, 400)
  t.is((await send('multipart/form-data', 'x')).status, 400)
})

test('hostile names stay text: no tag, no attribute, no turned direction', async (t) => {
  const visitor = await visit(t, 'hostile')
  const addresses = ['/', '/sessions', '/licenses', `/sessions?q=${encodeURIComponent(hostile[1])}&state=%22%3E`]
  for (const { id } of visitor.parts.licenseList.slice(-8)) addresses.push(`/licenses/${encodeURIComponent(id)}`)
  for (const { id } of visitor.parts.sessionList.slice(-8))
    addresses.push(`/sessions/${id}`, `/sessions/${id}/disconnect`)
  for (const address of addresses) {
    const { status, text } = await visitor.get(address)
    t.is(status, 200, address)
    t.notRegex(text, /<script>|<img|[\u202a-\u202e\u2066-\u2069]/, address)
    t.notRegex(text.replace(/"[^"]*"/g, '""'), /<[^>]*\son\w+=/, address)
    t.notRegex(text, />\s*49/, 'templates in names are not run')
  }
})

test('pages are not kept by caches, and a page is in one language per address and cookie', async (t) => {
  const visitor = await visit(t)
  const { headers } = await visitor.get('/licenses')
  t.is(headers.get('cache-control'), 'no-store')
  t.regex(headers.get('vary') ?? '', /Accept-Language/)
})
