import test from 'ava'
import { errorTable } from '../../../agent/errors.ts'
import { hostile } from './sample-data.ts'
import { visit } from './visitor.ts'

const block = '-----BEGIN LEASEHOLD LICENSE-----\nAAAA\n-----END LEASEHOLD LICENSE-----'

/** The text of a page as people read it. */
function read(html: string): string {
  return html
    .replace(/<(script|style)[\s\S]*?<\/\1>/g, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ')
}

test('M5: Products shows seats, free, any-product, waiting, each license, the mode and an overlap', async (t) => {
  const visitor = await visit(t)
  const { text } = await visitor.get('/products')
  const [row = '', viewer = ''] = (text.match(/<tr id="product-[\s\S]*?<\/tr>/g) ?? []).map(read)
  for (const words of ['Acme CAD', '3 of 5 in use', '2 more seats fit any product', 'lic-22b0', 'Both', 'Each user'])
    t.true(row.includes(words), words)
  t.regex(viewer, /212 of 400 in use 2 seats more than licensed in use, until Nov 24, 2026, 14:29:05 GMT\+1/)
  t.deepEqual(
    ['Free', 'Waiting', 'License mode', 'Location'].filter((word) => !read(text).includes(word)),
    [],
  )
  t.regex((await visitor.get('/products?q=nothing')).text, /No product fits the filter[\s\S]*Clear filters/)
  t.regex((await (await visit(t, 'empty')).get('/products')).text, /No products yet[\s\S]*href="\/licenses\/add"/)
})

test('Products, Features, Computers and refusals are CSV and JSON at the same address, with the same filter', async (t) => {
  const visitor = await visit(t)
  const csv = await visitor.get('/products?format=csv')
  t.is(csv.text.trim().split('\r\n').length, 7, 'a row for each license of a product')
  t.regex(csv.text, /\r\nacme\/cad,Acme CAD,acme,5,3,2,2,0,both,user,lic-7f3a9c21,active,5,3\r\n/)
  for (const [address, total] of [
    ['/products?q=viewer', 1],
    ['/features', 2],
    ['/features?q=export', 1],
    ['/computers?q=WS-18', 1],
    ['/refused?q=render', 1],
  ] as const) {
    const { text } = await visitor.get(address, { accept: 'application/json' })
    t.is((JSON.parse(text) as { total: number }).total, total, address)
  }
  const table = await visitor.get('/computers', { accept: 'text/csv' })
  t.regex(
    table.text,
    /\r\nWS-17,ana,ACME\\ana,,,127.0.0.1,2,2,2026-11-24T13:13:05.000Z,1 × acme\/cad render; 1 × acme\/viewer\r\n/,
  )
  t.regex((await visitor.get('/refused?format=csv')).text, /Cleo Marsh,WS-20,Acme CAD 12,no_seats,5 of 5 seats/)
})

test('a product has its licenses, features and sessions on one page, and its short names lead there', async (t) => {
  const visitor = await visit(t)
  const text = read((await visitor.get('/products/acme/cad')).text)
  for (const words of ['lic-7f3a9c21', 'Rendering', 'limit: 2', 'peak: 2', 'Ana Ruiz on WS-17', 'All sessions (5)'])
    t.true(text.includes(words), words)
  t.is((await visitor.get('/products/cad')).to, '/products/acme/cad')
  t.is((await visitor.get('/products/acme%2Fcad')).to, '/products/acme/cad')
  t.is((await visitor.get('/products/none')).status, 404)
  t.is((await visitor.get('/products/acme/none')).status, 404)
  t.regex((await visitor.get('/sessions?product=acme%2Fcad')).text, /5 sessions fit the filter/)
  t.regex((await visitor.get('/sessions?product=acme%2Fnone')).text, /No session fits the filter/)
})

test('I10: the license mode is chosen per product, with a server or found automatically', async (t) => {
  const visitor = await visit(t)
  const address = '/products/acme/cad/mode'
  t.regex(read((await visitor.get(address)).text), /“Network license” uses none of this one/)
  t.is((await visitor.post(address, { mode: 'network', manager: ' server-1 ' })).to, '/products/acme/cad')
  t.deepEqual(visitor.parts.done, [
    `changed ${JSON.stringify({ 'products.acme/cad.mode': 'network', 'products.acme/cad.manager': 'server-1' })}`,
  ])
  t.regex(
    read((await visitor.get('/products/acme/cad')).text),
    /come from the network only[\s\S]*Network license, from server-1/,
  )
  const wrong = await visitor.post(address, { mode: 'both', manager: 'two words' })
  t.is(wrong.status, 422)
  t.regex(wrong.text, /wants the address of a manager[\s\S]*value="two words"/)
})

test('M5: Recount says that nothing differed, or what did', async (t) => {
  const visitor = await visit(t)
  t.is((await visitor.post('/products/acme/cad/recount', {})).to, '/products/acme/cad')
  t.regex((await visitor.get('/products/acme/cad')).text, /Recounted: 3 seats are in use, as it was kept/)
  await visitor.post('/products/acme/acme-viewer/recount', {})
  t.regex((await visitor.get('/products')).text, /found other numbers than were kept: lic-7f3a9c21: 3 → 4/)
  t.deepEqual(visitor.parts.done, ['recounted acme/cad', 'recounted acme/acme-viewer'])
})

test('S17: Features shows access, counting, logins with peak, limit, detached and restrictions', async (t) => {
  const visitor = await visit(t)
  const { text } = await visitor.get('/features')
  const head = read(/<thead>[\s\S]*?<\/thead>/.exec(text)?.[0] ?? '')
  for (const word of 'Feature Product Access Counting Logins Peak Limit Detached Restrictions Location'.split(' '))
    t.true(head.includes(word), word)
  t.regex(read(text), /Rendering render acme\/cad Network Each user 1 2 2 0 None This machine/)
  t.regex(read(text), /export export acme\/cad Network Each user 0 0 Seats of the product 0/)
  t.regex((await visitor.get('/features?q=zebra')).text, /No feature fits the filter/)
})

test('I6: Computers shows machines with their users, what is in use there and since when', async (t) => {
  const visitor = await visit(t, 'full')
  const { text } = await visitor.get('/computers')
  t.regex(read(text), /1,000 computers with their users/)
  t.regex(read(text), /WS-17 ana ACME&#92;ana 127.0.0.1 Acme CAD · render 1 seat acme\/viewer 1 seat 7 min. ago/)
  t.regex(text, /href="\/sessions\?q=WS-17\+ana" aria-label="Show 2 sessions of WS-17 ana"/)
  t.regex((await visitor.get('/computers?page=50')).text, /981 to 1,000 of 1,000/)
  t.regex((await visitor.get('/computers?page=60')).text, /There is no page 60[\s\S]*To the first page/)
})

test('Update/Attach looks at every block first, then applies what can be', async (t) => {
  const visitor = await visit(t)
  const seen = await visitor.post('/update', { text: `mail\n${block}\nDEACTIVATION`, step: 'check' })
  t.is(seen.status, 200)
  t.regex(read(seen.text), /2 blocks were found License Can be applied A license of acme: 5 × Acme CAD/)
  t.regex(read(seen.text), /Deactivation receipt Can not be applied[\s\S]*It is meant for the vendor. wrong_recipient/)
  t.deepEqual(visitor.parts.done, [], 'looking changes nothing')
  const done = await visitor.post('/update', { text: block, step: 'apply' })
  t.regex(read(done.text), /What became of the block License Applied[\s\S]*To the license/)
  t.deepEqual(visitor.parts.done, ['applied as it is'])
  const upload = new FormData()
  upload.set('file', new File([`stranger\n${block}`], 'mail.txt'))
  const asked = await visitor.post('/update', upload)
  t.regex(asked.text, /Asks for trust[\s\S]*name="trust" value="yes"[\s\S]*Trust this vendor and apply/)
  await visitor.post('/update', { text: `stranger\n${block}`, step: 'apply', trust: 'yes' })
  t.is(visitor.parts.done.at(-1), 'applied with trust')
})

test('Update/Attach keeps a text that has no block, and says what is wanted', async (t) => {
  const visitor = await visit(t)
  const refused = await visitor.post('/update', { text: 'Dear Ana', step: 'check' })
  t.is(refused.status, 422)
  t.regex(refused.text, /not_a_document[\s\S]*Dear Ana<\/textarea>/)
  t.is((await visitor.post('/update', { text: ' ' })).status, 422)
})

test('the Access Log shows what happened in words, newest first, and leads on to older entries', async (t) => {
  const visitor = await visit(t, 'full')
  const numbers = (text: string) => [...text.matchAll(/<tr id="entry-(\d+)"/g)].map(([, number]) => Number(number))
  const first = await visitor.get('/journal')
  t.deepEqual(
    numbers(first.text),
    Array.from({ length: 20 }, (_, place) => 1000 - place),
  )
  const older = /href="(\/journal\?to=\d+)" rel="next"/.exec(first.text)?.[1] ?? ''
  t.is(numbers((await visitor.get(older)).text)[0], 980)
  t.regex(read(first.text), /Setting changed configuration.changed agent.name ana WS-17 WS-17 → WS-18/)
  const filtered = await visitor.get('/journal?type=session.refused&user=ana')
  t.regex(read(filtered.text), /20 entries fit the filter, of \d+ looked at/)
  t.regex(filtered.text, /rel="next"[^>]*>Older entries/)
  const none = await visitor.get('/journal?q=nothing')
  t.regex(read(none.text), /500 entries were looked at, and none fits the filter[\s\S]*Older entries/)
  t.regex((await visitor.get('/journal?from=2026-11-24&until=2026-11-24')).text, /value="2026-11-24"/)
  t.is((await visitor.get('/journal?from=never&to=-1&type=%00&format=x')).status, 200)
})

test('the Access Log as a file runs no formula, and as NDJSON has every fact', async (t) => {
  const visitor = await visit(t)
  const csv = await visitor.get('/journal?format=csv')
  t.regex(csv.headers.get('content-disposition') ?? '', /access-log.csv/)
  t.is(csv.text.trim().split('\r\n').length, 13)
  t.regex(csv.text, /^sequence,at,type,product,feature,seats,user,host,/)
  t.regex(csv.text, /\r\n1,[^\r]+,session.opened,acme\/cad,render,1,ana,"'=1\+1",/)
  t.is((await visitor.get('/journal?format=csv&type=session.refused')).text.trim().split('\r\n').length, 4)
  const lines = (await visitor.get('/journal?format=ndjson')).text.trim().split('\n')
  t.like(JSON.parse(lines[0] ?? ''), { sequence: 1, type: 'session.opened', personal: { host: '=1+1' } })
  const json = await visitor.get('/journal', { accept: 'application/json' })
  t.is((JSON.parse(json.text) as { items: unknown[] }).items.length, 12)
})

test('an entry of the Access Log shows all its facts, and what was forgotten as forgotten', async (t) => {
  const visitor = await visit(t)
  const text = read((await visitor.get('/journal/1')).text)
  t.regex(
    text,
    /Seat given session.opened[\s\S]*supplies a, b[\s\S]*account ana[\s\S]*forgotten forgotten[\s\S]*hash-of-1/,
  )
  for (const address of ['/journal/99', '/journal/0', '/journal/x', '/journal/1e3'])
    t.is((await visitor.get(address)).status, 404, address)
})

test('verifying the Access Log gives the verdict with what it rests on', async (t) => {
  t.regex(
    read((await (await visit(t)).get('/journal/verify')).text),
    /Good: 12 entries, none changed or left out.[\s\S]*hash-of-the-last/,
  )
  t.regex(
    read((await (await visit(t, 'hostile')).get('/journal/verify')).text),
    /Broken: the first entry that is wrong is number 3. altered/,
  )
})

test('History draws usage against seats with denials, and the table has the same numbers', async (t) => {
  const visitor = await visit(t)
  const { text } = await visitor.get('/history')
  const panel = /<section class="panel" id="history-acme-cad"[\s\S]*?<\/section>/.exec(text)?.[0] ?? ''
  t.regex(read(panel), /At most 5 of 8 seats in use, 6 denials/)
  t.is([...panel.matchAll(/class="chart-bar"/g)].length, 20)
  t.is([...panel.matchAll(/class="chart-denial"/g)].length, 3)
  const rows = [...panel.matchAll(/<tr><th scope="row">[\s\S]*?<\/tr>/g)].map(([row]) => read(row).trim())
  t.is(rows.length, 24)
  t.is(rows[0], '14:00 5 8 2')
  t.regex(read(text), /acme\/gone At most 0 of 0 seats in use, 1 denial\./)
  t.regex(
    (await visitor.get('/history?period=month')).text,
    /<th scope="row">25 Sun<\/th>|<th scope="row">Sun 25<\/th>|<th scope="row">26 Mon<\/th>|<th scope="row">Mon 26<\/th>/,
  )
  const csv = await visitor.get('/history?format=csv&period=week&product=acme%2Fcad')
  t.is(csv.text.trim().split('\r\n').length, 29)
  t.regex((await visitor.get('/history?product=none')).text, /Nothing is known of this product/)
  t.regex((await (await visit(t, 'hostile')).get('/history')).text, /The past is still being read/)
})

test('X1: “Why was I refused?” says what was the matter, how it is now, and leads to what helps', async (t) => {
  const visitor = await visit(t)
  const { text } = await visitor.get('/refused')
  t.regex(
    read(text),
    /Cleo Marsh on WS-20 asked for acme\/cad[\s\S]*All seats are in use 5 of 5 seats of acme\/cad are in use.[\s\S]*Ana Ruiz · WS-17[\s\S]*Bo Lindqvist · WS-18 2 seats[\s\S]*Now 1 of 5 is free A seat is free: ask again.[\s\S]*Asked 4 times since/,
  )
  t.regex(read(text), /Who holds them is not shown here[\s\S]*Now 0 of 2 are free The next one comes back in 9 minutes/)
  t.regex(read(text), /The rule: deny=\*@WS-20/)
  t.regex(text, /href="\/sessions\?product=acme%2Fcad">See who holds seats/)
  t.regex(text, /href="\/licenses\/add">Add a license[\s\S]*href="\/help#unknown_product"/)
  t.regex((await visitor.get('/refused?q=nobody')).text, /No refusal fits the filter/)
  t.regex((await (await visit(t, 'empty')).get('/refused')).text, /Nobody was refused/)
})

test('M12: the Overview shows what this computer uses, the day of each product, and who was refused last', async (t) => {
  const visitor = await visit(t)
  const { text } = await visitor.get('/')
  const own = read(/<section class="panel" id="own"[\s\S]*?<\/section>/.exec(text)?.[0] ?? '')
  t.regex(own, /What this computer uses Acme CAD render · Ana Ruiz · cad · 4000/)
  t.notRegex(own, /Bo Lindqvist/)
  t.regex(read(text), /At most 5 in 24 hours, 6 denials/)
  t.regex(read(text), /Refused last: Cleo Marsh on WS-20, acme\/cad. All seats are in use · 1 minute ago/)
  t.true(text.includes('class="spark-line"'))
})

test('Diagnostics is a page, a text to send on, and JSON', async (t) => {
  const visitor = await visit(t)
  t.regex(
    read((await visitor.get('/diagnostics')).text),
    /Agent Version 0.1.0[\s\S]*something new 1[\s\S]*Nothing needs your attention/,
  )
  const page = (await visitor.get('/diagnostics')).text
  t.regex(page, /BEGIN LEASEHOLD RECIPIENT[\s\S]*name="filename" value="recipient.txt"/)
  t.true(page.includes('T9QZH-XKSAB-KM6XM-XS3AF'))
  const text = await visitor.get('/diagnostics?format=text')
  t.is(text.headers.get('content-type'), 'text/plain; charset=utf-8')
  t.regex(text.text, /^Leasehold diagnostics\n/)
  const json = await visitor.get('/diagnostics', { accept: 'application/json' })
  t.like(JSON.parse(json.text), { agent: { version: '0.1.0' } })
})

test('Help explains every error code at its anchor, and finds topics and codes by words', async (t) => {
  const visitor = await visit(t)
  const { text } = await visitor.get('/help')
  for (const code of Object.keys(errorTable)) t.true(text.includes(`<div id="${code}">`), code)
  for (const topic of ['first-seat', 'add-license', 'refused', 'move-license', 'password', 'about'])
    t.true(text.includes(`id="${topic}"`), topic)
  const found = await visitor.get('/help?q=receipt+vendor')
  t.regex(read(found.text), /Moving a license to another machine/)
  t.notRegex(found.text, /id="first-seat"/)
  t.regex((await visitor.get('/help?q=no_seats')).text, /<div id="no_seats">/)
  t.regex((await visitor.get('/help?q=zebra')).text, /Nothing in Help has these words/)
})

test('what the pages of one machine show stays text, whatever its names are', async (t) => {
  const visitor = await visit(t, 'hostile')
  for (const address of [
    '/products',
    '/features',
    '/computers',
    '/journal',
    '/journal/2',
    '/history',
    '/refused',
    '/diagnostics',
    `/help?q=${encodeURIComponent(hostile[1])}`,
    `/journal?q=${encodeURIComponent(hostile[1])}&type=%22%3E`,
  ]) {
    const { status, text } = await visitor.get(address)
    t.is(status, 200, address)
    t.notRegex(text, /<script>|<img|[\u202a-\u202e\u2066-\u2069]/, address)
    t.notRegex(text.replace(/"[^"]*"/g, '""'), /<[^>]*\son\w+=/, address)
  }
})

test('a list that can not be read is an error page, and not an empty list', async (t) => {
  const visitor = await visit(t)
  visitor.parts.broken = true
  for (const address of ['/products', '/features', '/computers', '/journal', '/history', '/refused'])
    t.is((await visitor.get(address)).status, 500, address)
})
