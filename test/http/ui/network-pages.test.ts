import test from 'ava'
import { makeAgent, makeLease, makeStep } from './sample-agents.ts'
import { password } from './sample-parts.ts'
import { visit } from './visitor.ts'

/** What people read, in one line. */
function read(html: string): string {
  return html
    .replace(/<(script|style)[\s\S]*?<\/\1>/g, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/&amp;/g, '&')
    .replace(/\s+/g, ' ')
}

test('S3: “Access to Remote License Managers” has its four settings letter for letter, and its three buttons', async (t) => {
  const visitor = await visit(t)
  const { text } = await visitor.get('/configuration/remote-managers')
  t.regex(
    read(text),
    /Allow Access to Remote Licenses.*Broadcast Search for Remote Licenses.*Aggressive Search for Remote Licenses.*Specify Search Parameters.*Submit Cancel Set Defaults/,
  )
  for (const name of ['remote.allow', 'remote.broadcast', 'remote.aggressive', 'remote.search'])
    t.regex(text, new RegExp(`name="${name}"`))
  const tabs = /<nav class="tabs"[\s\S]*?<\/nav>/.exec(text)?.[0] ?? ''
  t.deepEqual(
    [...tabs.matchAll(/href="([^"]+)"/g)].map(([, address]) => address?.split('/').at(-1)),
    ['basic', 'user-restrictions', 'remote-managers', 'remote-clients', 'detachable', 'network', 'sites'],
  )
  t.regex(tabs, /remote-managers" aria-current="page"/)
})

test('S3: wrong search parameters are each named by their line, what was typed is kept, and nothing is saved', async (t) => {
  const visitor = await visit(t)
  const form = { 'remote.allow': 'on', 'remote.broadcast': 'on', 'remote.search': 'good\nb c\nd e' }
  const { status, text } = await visitor.post('/configuration/remote-managers', form)
  t.is(status, 422)
  t.regex(
    read(text),
    /2 fields need another value Specify Search Parameters: line 2: “b c” has spaces Specify Search Parameters: line 3/,
  )
  t.regex(text, /\ngood\r?\nb c\r?\nd e<\/textarea>/)
  t.deepEqual(visitor.parts.done, [])
})

test('S3: Submit says what changed, and how many leases end when access is switched off while in use', async (t) => {
  const visitor = await visit(t)
  const address = '/configuration/remote-managers'
  const kept = { 'remote.broadcast': 'on', 'remote.search': '10.1.2.255\nlicenses.example.com' }
  t.is((await visitor.post(address, { ...kept, 'remote.allow': 'on', 'remote.aggressive': 'on' })).to, address)
  t.regex(read((await visitor.get(address)).text), /Aggressive Search for Remote Licenses: Off → On/)
  await visitor.post(address, { ...kept, 'remote.aggressive': 'on' })
  const told = read((await visitor.get(address)).text)
  t.regex(told, /Allow Access to Remote Licenses: On → Off 2 leases are still in use; .* Nov 24, 2026, 14:29:05/)
  t.regex(told, /Access is switched off. 2 leases from other managers are still in use/, 'also when looked at later')
  visitor.parts.net.leases.length = 0
  t.notRegex(read((await visitor.get(address)).text), /still in use/)
})

test('S4: each search parameter has a Test button, whose steps are shown with what can be done', async (t) => {
  const visitor = await visit(t)
  const { text } = await visitor.get('/configuration/remote-managers')
  t.regex(text, /name="address" value="10.1.2.255"[\s\S]*name="address" value="licenses.example.com"/)
  const good = read((await visitor.post('/managers/test', { address: 'licenses.example.com' })).text)
  t.regex(good, /licenses.example.com answers. .* Name Good .* Connection Good .* Licenses offered Good/)
  t.regex(good, /Machine LICENSES Id [A-Z0-9-]+/)
  const bad = read((await visitor.post('/managers/test', { address: 'nobody' })).text)
  t.regex(
    bad,
    /nobody was not reached. .* Connection Failed Nobody listens at port 1947. .*See whether that machine is on/,
  )
  t.regex(bad, /Encryption Not tried/)
  t.is((await visitor.post('/managers/test', { address: ' ' })).status, 422)
  t.is((await visitor.post('/managers/test', { address: 'two words' })).status, 422)
})

test('S4: the search page shows what was found first, then each place that was looked at', async (t) => {
  const visitor = await visit(t)
  const { text } = await visitor.get('/managers/search')
  const rows = [...text.matchAll(/<tr id="step-(\d+)"/g)].map(([, id]) => id)
  t.deepEqual(rows, ['1', '4', '6', '5', '3', '2'])
  t.regex(read(text), /69 addresses tried, 1 agent found .* 10.1.2.3:1947 Broadcast Answer 14 ms Found LICENSES/)
  t.is((await visitor.post('/managers/search', {})).to, '/managers/search')
  t.regex(read((await visitor.get('/managers/search')).text), /Searching: 0 addresses tried/)
  visitor.parts.net.off = true
  t.is((await visitor.post('/managers/search', {})).status, 503)
  t.deepEqual(visitor.parts.done, ['searched'])
  const json = await visitor.get('/managers/search', { accept: 'application/json' })
  t.like(JSON.parse(json.text), { search: { state: 'running' } })
})

test('known agents stand with addresses, how they were found, state in words, latency, clock, and what they offer', async (t) => {
  const visitor = await visit(t)
  const { text } = await visitor.get('/managers')
  const rowOf = (id: string) => read(new RegExp(`<tr id="agent-${id}"[\\s\\S]*?</tr>`).exec(text)?.[0] ?? '')
  t.regex(
    rowOf('agent-lic'),
    /LICENSES .*10.1.2.3:1947 .*Broadcast, Search parameter .*Gives out seats .*0.1.0 .*3.2 ms Same clock .*7 of 20 in use/,
  )
  t.regex(rowOf('agent-branch'), /Not reached .*Approved .*Nobody listens at port 1947. .*Clock 125 seconds behind/)
  t.regex(rowOf('agent-laptop'), /Waits for approval .*Clock 61 seconds ahead/)
  t.regex(rowOf('agent-twin'), /Runs twice with one key .*Approve/)
  t.regex(rowOf('agent-off'), /Answers, gives out nothing .*The license server is stopped/)
  t.is(JSON.parse((await visitor.get('/managers?format=json&q=laptop')).text).total, 1)
  t.regex(
    (await visitor.get('/managers?format=csv')).text,
    /agent-lic,LICENSES,10.1.2.3:1947 licenses.example.com:1947,broadcast configured,reachable/,
  )
})

test('an agent is approved, kept out or forgotten, and people go on where they were', async (t) => {
  const visitor = await visit(t)
  t.regex(read((await visitor.get('/')).text), /1 machine waits for approval .*LAPTOP-7 .*Approve Do not allow/)
  t.is((await visitor.post('/managers/agent-laptop/approve', { back: 'overview' })).to, '/')
  t.regex(read((await visitor.get('/')).text), /LAPTOP-7 is approved/)
  t.is(
    (await visitor.post('/managers/agent-laptop/deny', { back: 'remote-clients' })).to,
    '/configuration/remote-clients',
  )
  t.regex(read((await visitor.get('/managers/agent-lic/forget')).text), /What is known of LICENSES .*is removed/)
  t.is((await visitor.post('/managers/agent-lic/forget', {})).to, '/managers')
  t.is((await visitor.post('/managers/agent-lic/approve', { back: '//evil.example' })).status, 404)
  t.deepEqual(visitor.parts.done, ['approved agent-laptop', 'denied agent-laptop', 'forgot agent-lic'])
})

test('R24: a copy of an earlier state says so under Managers until an administrator confirms it', async (t) => {
  const visitor = await visit(t)
  t.notRegex((await visitor.get('/managers')).text, /This copy goes on/)
  visitor.parts.net.restored = true
  t.regex(read((await visitor.get('/managers')).text), /set back to an earlier state .*This copy goes on/)
  t.is((await visitor.post('/managers/confirm-restored', {})).to, '/managers')
  t.deepEqual(visitor.parts.done, ['confirmed'])
})

test('S5: licenses, products and features of other machines stand where they are, and the name opens that machine', async (t) => {
  const visitor = await visit(t)
  const link = /href="https:\/\/10\.1\.2\.3:1947\/"[^>]*>LICENSES</
  for (const address of ['/products', '/', '/products/acme/acme-flow', '/sessions/s0001-2f9b1c7d'])
    t.regex((await visitor.get(address)).text, link, address)
  t.regex(
    (await visitor.get('/licenses')).text,
    /href="https:\/\/10\.1\.2\.3:1947\/licenses\/lic-remote"[^>]*>Acme Flow</,
  )
  t.notRegex((await visitor.get('/products/acme/acme-flow')).text, /Recount/, 'only where the license is')
  visitor.parts.net.agents.length = 0
  t.notRegex((await visitor.get('/licenses')).text, /href="https:/)
  visitor.parts.net.agents.push(makeAgent({ id: 'agent-lic', page: 'javascript:alert(1)' }))
  t.notRegex((await visitor.get('/licenses')).text, /href="javascript/)
})

test('X5: a session on a lease says from whom, until when it works alone, and when the connection is lost', async (t) => {
  const visitor = await visit(t)
  const { text } = await visitor.get('/sessions')
  const rowOf = (id: string) => read(new RegExp(`<tr id="session-${id}-[\\s\\S]*?</tr>`).exec(text)?.[0] ?? '')
  t.regex(rowOf('s0001'), /LICENSES works alone; ends in 9 min/)
  t.regex(rowOf('s0003'), /LICENSES Connection lost, works alone; ends in 4 min/)
  t.regex(rowOf('s0000'), /This machine/)
  t.regex(rowOf('s0004'), /WS-21 through BRANCH-2/)
  t.regex(
    read((await visitor.get('/sessions/s0003-2f9b1c7d')).text),
    /Works alone until Nov 24, 2026, 14:24:05 GMT\+1 in 4 minutes Connection lost/,
  )
})

test('S6: three choices, rules and who asked; a press adds a rule at the top', async (t) => {
  const visitor = await visit(t)
  const address = '/configuration/remote-clients'
  const { text } = await visitor.get(address)
  t.regex(
    read(text),
    /No one .*Approved agents .*Everyone the rules allow .*Access Restrictions .*Recent clients .*LAPTOP-7/,
  )
  t.notRegex(text, /serving\.handingOut/, 'that switch is on the Service page')
  t.notRegex(read(text), /bo@WS-17/, 'applications of this machine come in without a rule for machines')
  t.is((await visitor.post(address, { rule: 'deny=10.1.2.77' })).to, address)
  t.deepEqual(visitor.parts.done, [
    `changed ${JSON.stringify({ 'serving.rules': ['deny=10.1.2.77', 'allow=10.1.0.0/16'] })}`,
  ])
  t.regex(read((await visitor.get(address)).text), /The rule is in effect, at the top: deny=10.1.2.77/)
})

test('reach is switched on only with a password, and the refusal says so beside what was chosen', async (t) => {
  const visitor = await visit(t)
  const address = '/configuration/remote-clients'
  const refused = await visitor.post(address, { 'serving.access': 'rules', 'serving.rules': '' })
  t.is(refused.status, 422)
  t.regex(refused.text, /password_needed/)
  t.regex(refused.text, /value="rules" [^>]*checked/)
  t.deepEqual(visitor.parts.done, [])
})

test('X14: rules are tried out on one and on what was asked before, as typed and without saving', async (t) => {
  const visitor = await visit(t)
  const address = '/configuration/user-restrictions'
  const form = { 'users.rules': 'allow=ana\ndeny=bo@*', 'subject.account': 'bo', 'subject.host': 'WS-18' }
  const checked = await visitor.post(address, { ...form, action: 'check' })
  t.is(checked.status, 200)
  t.regex(read(checked.text), /Denied The first rule that fits decides. Line 2: deny=bo@\*/)
  t.regex(checked.text, /\nallow=ana\r?\ndeny=bo@\*<\/textarea>/)
  t.regex(checked.text, /name="subject.account"[^>]*value="bo"/)
  const dry = await visitor.post(address, { ...form, action: 'dry-run' })
  t.regex(
    read(dry.text),
    /1,234 requests looked at: 7 more would have been refused, 0 more allowed .*bo · WS-18 acme\/cad 7/,
  )
  const wrong = await visitor.post(address, { 'users.rules': 'allow=a\nfrob', action: 'dry-run' })
  t.is(wrong.status, 422)
  t.regex(read(wrong.text), /User Restrictions: line 2, column 1: expected allow= or deny=/)
  const subject = { host: 'WS-18', user: { account: 'bo' } }
  const rules = { users: ['allow=ana', 'deny=bo@*'] }
  t.deepEqual(visitor.parts.done, [
    `checked ${JSON.stringify({ rules, subject, dryRun: false })}`,
    `checked ${JSON.stringify({ rules, dryRun: true })}`,
  ])
})

test('S7: the detaching of all products and of single ones is set; what is empty is as for all', async (t) => {
  const visitor = await visit(t)
  const text = read((await visitor.get('/configuration/detachable')).text)
  t.regex(
    text,
    /Enable Detaching of Licenses .*Reserved Licenses .*Max. Detach Duration .*Per-product settings .*Acme CAD/,
  )
  const address = '/configuration/detachable/acme/cad'
  const sent = { enabled: 'on', reservedSeats: '', reservedPercent: '10', maxDays: '30' }
  t.is((await visitor.post(address, sent)).to, '/configuration/detachable')
  const start = 'detach.products.acme/cad'
  t.deepEqual(visitor.parts.done, [
    `changed ${JSON.stringify({ [`${start}.enabled`]: true, [`${start}.reservedSeats`]: null, [`${start}.reservedPercent`]: 10, [`${start}.maxDays`]: 30 })}`,
  ])
  const wrong = await visitor.post(address, { maxDays: '0', reservedSeats: 'x' })
  t.is(wrong.status, 422)
  t.regex(read(wrong.text), /Reserved Licenses: must be a number .*Max. Detach Duration: must be 1 to 9,999/)
  t.is((await visitor.get('/configuration/detachable/acme/none')).status, 404)
})

test('the Network page shows adapters, places, the fingerprint, and tests the outgoing proxy', async (t) => {
  const visitor = await visit(t)
  const text = read((await visitor.get('/configuration/network')).text)
  t.regex(text, /192.168.1.5:1947 Other agents, Administrators from elsewhere .*eth0 192.168.1.5, fe80::5 .*A7:A7:A7/)
  const test = '/configuration/network/proxy-test'
  t.is((await visitor.post(test, {})).status, 422)
  visitor.parts.net.proxySet = true
  t.regex(
    read((await visitor.post(test, {})).text),
    /There is no way through the proxy. Connection Good .* Login Failed It asks for another password/,
  )
  t.regex(read((await visitor.post(test, { address: 'a:443' })).text), /past the proxy/)
  t.deepEqual(visitor.parts.done.slice(1), ['tested the proxy ', 'tested the proxy a:443'])
})

test('X9: a hasplm.ini is looked at, told line by line, and applied only when that is pressed', async (t) => {
  const visitor = await visit(t)
  const address = '/configuration/import'
  t.regex((await visitor.get('/configuration/basic')).text, /href="\/configuration\/import"/)
  t.is((await visitor.post(address, { text: '' })).status, 422)
  t.is((await visitor.post(address, { text: 'Dear Ana' })).status, 422)
  const looked = await visitor.post(address, { text: '[SERVER]\nname = x' })
  t.regex(
    read(looked.text),
    /2 settings would change .*Specify Search Parameters .*30: serveraddr = 10.24.2.16 .*It is so already .*2 lines are left out .*Apply 2 changes/,
  )
  t.notRegex(looked.text, /<script>window/)
  t.deepEqual(visitor.parts.done, [])
  const upload = new FormData()
  upload.set('file', new File(['[SERVER]'], 'hasplm.ini'))
  upload.set('step', 'apply')
  t.regex(read((await visitor.post(address, upload)).text), /2 settings are changed/)
  t.deepEqual(visitor.parts.done, ['imported'])
})

test('I8: a computer is disconnected with the time until which it may go on, and freed at once with the overlap', async (t) => {
  const visitor = await visit(t)
  t.regex((await visitor.get('/computers')).text, /href="\/computers\/computer-0\/disconnect"/)
  const asked = read((await visitor.get('/computers/computer-0/disconnect')).text)
  t.regex(
    asked,
    /2 sessions of ana on WS-17 are told to stop now: acme\/cad · render, acme\/viewer. .*may go on until Nov 24, 2026, 14:29:05/,
  )
  t.is((await visitor.post('/computers/computer-0/disconnect', { reason: 'left' })).to, '/computers')
  const free = read((await visitor.get('/computers/computer-0/free-now')).text)
  t.regex(
    free,
    /2 seats of ana on WS-17 can be given out again .*2 seats more than licensed may be in use until Nov 24, 2026/,
  )
  await visitor.post('/computers/computer-0/free-now', {})
  t.regex(read((await visitor.get('/computers')).text), /2 seats more than licensed may be in use/)
  t.notRegex((await visitor.get('/computers/computer-1/disconnect')).text, /free-now/, 'the license forbids it')
  t.is((await visitor.get('/computers/computer-1/free-now')).status, 409)
  t.is((await visitor.post('/computers/none/disconnect', {})).status, 404)
  t.deepEqual(visitor.parts.done, ['disconnected computer-0 left', 'disconnected computer-0 now'])
})

test('I9: the Service page shows what runs, where it listens, who is connected, and the log', async (t) => {
  const visitor = await visit(t)
  const text = read((await visitor.get('/service')).text)
  t.regex(
    text,
    /Enabled Seats are given out. .*Connected users 5 Other agents with seats 2 Seats in use 5 Installed As a service/,
  )
  t.regex(
    text,
    /Version 0.1.0 Process id 4711 .*127.0.0.1:1947 This machine .*mDNS 5353\/udp .*a lease was not renewed/,
  )
  t.like(JSON.parse((await visitor.get('/service?format=json')).text), {
    serving: { state: 'open' },
    service: { process: 4711 },
  })
})

test('I9: stopping says what it ends before, and a start serves again', async (t) => {
  const visitor = await visit(t)
  t.regex(
    read((await visitor.get('/service/stop')).text),
    /5 seats are in use by 5 users: their applications are told to stop now/,
  )
  t.is((await visitor.post('/service/stop', {})).to, '/service')
  t.regex(
    read((await visitor.get('/service')).text),
    /5 seats are told to end; .*Stopped Nothing is given out .*Start serving/,
  )
  t.is((await visitor.post('/service/start', {})).to, '/service')
  t.deepEqual(visitor.parts.done, ['serving {"running":false}', 'serving {"running":true}'])
})

test('M3: the license server is disabled and enabled on Overview and Service alike', async (t) => {
  const visitor = await visit(t)
  t.regex(read((await visitor.get('/')).text), /License server Enabled Disable/)
  t.is((await visitor.post('/service/handing-out', { on: 'no', back: 'overview' })).to, '/')
  t.regex(read((await visitor.get('/')).text), /The license server is disabled: .*License server Disabled Enable/)
  t.is((await visitor.post('/service/handing-out', { on: 'yes' })).to, '/service')
  t.deepEqual(visitor.parts.done, ['serving {"handingOut":false}', 'serving {"handingOut":true}'])
  t.notRegex(read((await (await visit(t, 'empty')).get('/')).text), /License server Enabled/)
})

test('a first visit connects to a license server: what answers is kept, what does not only when that is pressed', async (t) => {
  const visitor = await visit(t, 'empty')
  t.regex((await visitor.get('/')).text, /action="\/connect"/)
  t.is((await visitor.post('/connect', { address: ' licenses.example.com ' })).to, '/licenses')
  t.is(visitor.parts.done.length, 1, 'it is a search parameter already')
  t.regex(read((await visitor.get('/licenses')).text), /LICENSES is kept as a search parameter/)
  const silent = await visitor.post('/connect', { address: 'nobody.example.com' })
  t.is(silent.status, 200)
  t.regex(read(silent.text), /nobody.example.com was not reached. .*Keep it all the same/)
  t.is((await visitor.post('/connect', { address: 'nobody.example.com', keep: 'yes' })).to, '/licenses')
  t.is(
    visitor.parts.done.at(-1),
    `changed ${JSON.stringify({ 'remote.search': ['10.1.2.255', 'licenses.example.com', 'nobody.example.com'] })}`,
  )
  t.is((await visitor.post('/connect', { address: '' })).status, 422)
  t.is((await visitor.post('/connect', { address: 'two words' })).status, 422)
})

test('what can be reached from outside is said on every page, in the language of the page', async (t) => {
  const visitor = await visit(t)
  visitor.parts.net.reach.push({ who: 'people', places: ['192.168.1.5:1947', '[fe80::5]:1947'] })
  for (const address of ['/', '/managers', '/nowhere', '/configuration/network', '/help'])
    t.regex(
      read((await visitor.get(address)).text),
      /Administrators can sign in from other machines at 192.168.1.5:1947, \[fe80::5\]:1947/,
    )
  t.regex(
    read((await visitor.get('/', { 'accept-language': 'de' })).text),
    /Verwalter können sich von anderen Rechnern/,
  )
})

test('hostile names of other machines stay text on every page about the network', async (t) => {
  const visitor = await visit(t, 'hostile')
  const pages = ['/managers', '/managers/search', '/service', '/computers', '/']
  const tabs = ['remote-managers', 'remote-clients', 'user-restrictions', 'network', 'detachable']
  for (const address of [...pages, ...tabs.map((tab) => `/configuration/${tab}`)]) {
    const { status, text } = await visitor.get(address)
    t.is(status, 200, address)
    t.notRegex(text, /<script>|<img|[\u202a-\u202e\u2066-\u2069]/, address)
    t.notRegex(text, /href="javascript:/, address)
    t.notRegex(text.replace(/"[^"]*"/g, '""'), /<[^>]*\son\w+=/, address)
  }
})

test('a search of thousands of places shows a part of them, and a lease that is long says its whole time', async (t) => {
  const visitor = await visit(t)
  const { search } = visitor.parts.net
  if (search === undefined) return t.fail()
  visitor.parts.net.search = {
    ...search,
    steps: Array.from({ length: 2000 }, (_, number) => makeStep(number + 1, { result: 'failed' })),
  }
  const { text } = await visitor.get('/managers/search')
  t.is([...text.matchAll(/<tr id="step-/g)].length, 300)
  t.regex(read(text), /and 1,700 more/)
  visitor.parts.net.leases.push(makeLease({ id: 'long', aloneUntil: '2026-12-01T00:00:00.000Z' }))
  await visitor.post('/configuration/remote-managers', { 'remote.search': '' })
  t.regex(read((await visitor.get('/configuration/remote-managers')).text), /3 leases .*Dec 1, 2026/)
})

test('settings about the network ask for the sign-in once a password is set; looking does not', async (t) => {
  const visitor = await visit(t)
  visitor.parts.passwordSet = password
  for (const address of ['/managers', '/managers/search', '/service']) t.is((await visitor.get(address)).status, 200)
  for (const tab of ['remote-managers', 'remote-clients', 'user-restrictions', 'network', 'detachable', 'import'])
    t.regex((await visitor.get(`/configuration/${tab}`)).to ?? '', /^\/sign-in/, tab)
  t.is((await visitor.post('/managers/test', { address: 'a' })).status, 401)
  t.deepEqual(visitor.parts.done, [])
})
