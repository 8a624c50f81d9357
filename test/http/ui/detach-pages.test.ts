import test from 'ava'
import decodeQr from 'qr/decode.js'
import { drawQr, mostBytes } from '../../../agent/http/ui/qr.ts'
import { makeDetachment } from './sample-detaching.ts'
import { password } from './sample-parts.ts'
import { type Visitor, visit } from './visitor.ts'

/** What people read, in one line. */
function read(html: string): string {
  return html
    .replace(/<(script|style)[\s\S]*?<\/\1>/g, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/&amp;/g, '&')
    .replace(/\s+/g, ' ')
}

const detach = '/products/acme/cad/detach'
const recipient = '-----BEGIN LEASEHOLD RECIPIENT-----\nAAAA\n-----END LEASEHOLD RECIPIENT-----'
const usual = { to: 'here', user: 'ana@example.com', how: 'date', until: '2026-12-08', seats: '2' }

async function readPage(visitor: Visitor, address: string): Promise<string> {
  return read((await visitor.get(address)).text)
}

test('S8: Products has “Detach”, which leads through three steps to “Detach & Attach”, with the limit and the end spelled out', async (t) => {
  const visitor = await visit(t)
  t.regex((await visitor.get('/products')).text, /href="\/products\/acme\/cad\/detach"[^>]*>Detach</)
  t.regex(
    await readPage(visitor, '/products/acme/cad'),
    /What can be detached LICENSES 3 of 20 seats can be detached now/,
  )
  const first = await visitor.get(detach)
  t.regex(read(first.text), /Who takes it along .*This machine: WS-17 .*Another machine that is known here/)
  t.regex(first.text, /aria-current="step"[\s\S]{0,120}Who takes it along/)
  const second = await visitor.post(detach, { step: 'until', to: 'here', user: 'ana@example.com' })
  t.is(second.status, 200)
  t.regex(
    read(second.text),
    /For WS-17 .*Select an expiration date .*It ends with Tuesday, December 1, 2026. LICENSES 3 of 20 .*For at most 14 days: now until Tuesday, December 8, 2026 at 14:20:05 GMT\+1 \(Europe\/Berlin\)/,
  )
  t.regex(second.text, /type="date" id="until"[^>]*value="2026-12-01" min="2026-11-24" max="2026-12-08"/)
  const third = await visitor.post(detach, { ...usual, step: 'check' })
  t.regex(
    read(third.text),
    /Seats 2 From LICENSES Recipient WS-17 T9QZH-[A-Z0-9-]+ User ana@example.com Ends Tuesday, December 8, 2026 at 14:20:05 GMT\+1 \(Europe\/Berlin\) in 14 days The day ends later than is allowed, .*Free again on LICENSES Tuesday, December 8, 2026 at 14:30:05 .*Detach & Attach/,
  )
  t.regex(third.text, /name="order" value="order-of-the-sample"/, 'sent twice it is one detachment')
  t.deepEqual(visitor.parts.done, [], 'looking detaches nothing')
  t.is((await visitor.post(detach, { ...usual, step: 'detach' })).to, '/detached/d-new')
  const wish = { product: 'acme/cad', seats: 2, soft: false, until: '2026-12-08', user: { email: 'ana@example.com' } }
  t.deepEqual(visitor.parts.done, [`detached ${JSON.stringify(wish)}`])
  t.regex(
    await readPage(visitor, '/detached/d-new'),
    /Acme CAD is attached to WS-17 until Tuesday, December 8, 2026 at 14:20:05 GMT\+1 \(Europe\/Berlin\)\./,
  )
})

test('what was chosen before goes along with the forms, and Back shows it again', async (t) => {
  const visitor = await visit(t)
  const choice = { ...usual, to: 'block', recipient, feature: 'render', seats: '3' }
  const { text } = await visitor.post(detach, { ...choice, step: 'check' })
  t.regex(
    read(text),
    /Recipient LAPTOP-7 QQ2SD-[A-Z0-9-]+ .*GMT\+9 \(Asia\/Tokyo\) .*Here: Tuesday, December 8, 2026 at 14:20:05 GMT\+1/,
  )
  for (const [name, value] of Object.entries({
    to: 'block',
    how: 'date',
    until: '2026-12-08',
    seats: '3',
    feature: 'render',
  }))
    t.regex(text, new RegExp(`name="${name}" value="${value}"`), name)
  t.regex(text, /<textarea name="recipient" hidden>\n-----BEGIN LEASEHOLD RECIPIENT-----/)
  const back = await visitor.post(detach, { ...choice, step: 'until' })
  t.regex(back.text, /id="until"[^>]*value="2026-12-08"/)
  const start = await visitor.post(detach, { ...choice, step: 'recipient' })
  t.regex(start.text, /value="block" [^>]*checked/)
  t.regex(start.text, /name="until" value="2026-12-08"/)
})

test('a wrong date or number of seats is refused at its field with the value that would be allowed', async (t) => {
  const visitor = await visit(t)
  const expectWrong = async (change: object, said: RegExp) => {
    const { status, text } = await visitor.post(detach, { ...usual, ...change, step: 'check' })
    t.is(status, 422)
    t.regex(read(text), said)
    t.regex(text, /id="errors"/)
  }
  await expectWrong(
    { until: '2027-01-31' },
    /longer than a detachment may last: at the latest Tuesday, December 8, 2026 at 14:20:05/,
  )
  await expectWrong(
    { until: '2026-11-01' },
    /Select an expiration date: It must end later than Tuesday, November 24, 2026 at 14:20:05/,
  )
  await expectWrong({ until: 'soon' }, /A day is wanted here, such as 2026-12-24/)
  await expectWrong({ until: '2026-02-30' }, /A day is wanted here/)
  await expectWrong({ seats: '9' }, /Only 3 seats can be detached now/)
  await expectWrong({ seats: '1e3' }, /Seats: must be a number/)
  await expectWrong({ to: 'block', recipient: '' }, /Recipient ID: Paste the recipient ID/)
  await expectWrong({ to: 'block', recipient: 'for another' }, /Recipient ID: .*not_a_document/)
  const off = await visitor.post(detach, { ...usual, until: '2026-11-30', step: 'check' })
  t.is(off.status, 409)
  t.regex(
    read(off.text),
    /Detaching is switched off on LICENSES\. .*“Enable Detaching of Licenses” on the machine that is named/,
  )
  t.deepEqual(visitor.parts.done, [])
})

test('S7: where detaching is off here, the page says so and leads to the switch; Products shows no Detach', async (t) => {
  const visitor = await visit(t)
  visitor.parts.taken.enabled = false
  t.notRegex((await visitor.get('/products')).text, /\/detach"/)
  t.regex(await readPage(visitor, detach), /Detaching is switched off on WS-17\. .*Detachable Licenses/)
  visitor.parts.taken.offers.length = 0
  t.regex(await readPage(visitor, detach), /Nothing of it can be detached now/)
  t.is((await visitor.get('/products/acme/none/detach')).status, 404)
})

test('X6: a soft detachment has no date and says how it lasts', async (t) => {
  const visitor = await visit(t)
  const soft = { ...usual, how: 'soft', until: '' }
  t.regex(
    read((await visitor.post(detach, { ...soft, step: 'check' })).text),
    /Friday, November 27, 2026 .*renewed every hour/,
  )
  await visitor.post(detach, { ...soft, step: 'detach' })
  t.regex(visitor.parts.done[0] ?? '', /"soft":true/)
  t.notRegex(visitor.parts.done[0] ?? '', /until/)
})

test('the people of this machine detach to it and give back without the password, unless it is asked for; other machines need it', async (t) => {
  const visitor = await visit(t)
  visitor.parts.passwordSet = password
  t.is((await visitor.post(detach, { ...usual, step: 'detach' })).status, 303)
  t.is((await visitor.post('/detached/d-in/return', {})).to, '/detached/d-in')
  t.is((await visitor.post(detach, { ...usual, to: 'block', recipient, step: 'detach' })).status, 401)
  for (const action of ['lost', 'block', 'extend', 'withdraw'])
    t.is((await visitor.post(`/detached/d-wait/${action}`, { until: '2026-12-01' })).status, 401, action)
  t.is((await visitor.post('/detached/accept-clock', {})).status, 401)
  t.is(visitor.parts.done.length, 2)
  const place = visitor.parts.settings.findIndex(({ name }) => name === 'detach.enabled')
  const setting = visitor.parts.settings[place]
  if (setting === undefined) return t.fail()
  visitor.parts.settings.push({ ...setting, name: 'detach.needsAdministrator', value: true })
  t.is((await visitor.post(detach, { ...usual, step: 'detach' })).status, 401)
  t.is((await visitor.post('/detached/d-soft/return', {})).status, 401)
})

test('Detached shows both sides with countdown, exact instant and zone, user and last contact; what is over only when asked for', async (t) => {
  const visitor = await visit(t)
  const text = await readPage(visitor, '/detached')
  t.regex(
    text,
    /5 detachments .*Attached here .*Acme CAD 1 1 in use LICENSES Ana Ruiz Attached Ends within 3 days tomorrow Nov 25, 2026, 23:59:59 GMT\+1 .*3 hr\. ago .*Return now Extend Details .*From here, at other machines .*LAPTOP-7 .*Waits to be taken .*Lost/,
  )
  t.notRegex(text, /Returned/)
  t.regex(await readPage(visitor, '/detached?over=with'), /Returned/)
  const csv = (await visitor.get('/detached?format=csv')).text
  t.regex(
    csv,
    /\nd-in,in,active,acme\/cad,,1,lic-7f3a9c21,LICENSES,WS-17,Ana Ruiz,2026-11-22T13:20:05.000Z,2026-11-25T22:59:59.000Z,Europe\/Berlin/,
  )
  t.is(JSON.parse((await visitor.get('/detached?format=json&q=laptop')).text).total, 3)
  t.regex(
    await readPage(await visit(t, 'empty'), '/detached'),
    /Nothing is taken along Detaching is switched off on this machine/,
  )
})

test('Detached has pages: what is attached here comes first, and a page that is not there any more says so', async (t) => {
  const visitor = await visit(t)
  const { list } = visitor.parts.taken
  for (let index = 0; index < 60; index += 1)
    list.push(makeDetachment({ id: `d-many-${index}`, direction: index % 2 === 0 ? 'out' : 'in' }))
  const first = await visitor.get('/detached')
  t.regex(read(first.text), /65 detachments .*Attached here .*1 to 20 of 65 Next/)
  t.notRegex(first.text, /id="detached-out"/)
  const second = await readPage(visitor, '/detached?page=2')
  t.regex(second, /Attached here .*From here, at other machines .*21 to 40 of 65 Previous Next/)
  const last = await visitor.get('/detached?page=4')
  t.notRegex(last.text, /id="detached-in"/)
  t.regex(read(last.text), /61 to 65 of 65/)
  t.regex(await readPage(visitor, '/detached?page=9'), /There is no page 9; the list has 4 .*To the first page/)
  t.is(JSON.parse((await visitor.get('/detached?format=json')).text).total, 65)
})

test('S10: what no application uses is given back in one click from the list, and nobody is asked first', async (t) => {
  const visitor = await visit(t)
  const { text } = await visitor.get('/detached')
  t.regex(text, /<form method="post" action="\/detached\/d-soft\/return"><button[^>]*>Return now</)
  t.regex(text, /<a [^>]*href="\/detached\/d-in\/return" data-dialog/, 'it is in use')
})

test('a detachment says what can be done with it, and why something can not', async (t) => {
  const visitor = await visit(t)
  const text = await readPage(visitor, '/detached/d-in')
  t.regex(text, /Ends Wednesday, November 25, 2026 at 23:59:59 GMT\+1 \(Europe\/Berlin\) tomorrow/)
  t.regex(
    text,
    /What can be done Return now Extend .*Return by receipt : Applications of this machine use its seats now\. detachment_in_use/,
  )
  t.regex(await readPage(visitor, '/detached/d-wait'), /Clock 125 seconds behind/)
  t.is((await visitor.get('/detached/d-in/receipt')).to, '/detached/d-in', 'what can not be done leads back')
  t.is((await visitor.get('/detached/none')).status, 404)
  t.is((await visitor.post('/detached/none/return', {})).status, 404)
})

test('S10: early return is one press after its consequence: given back at once, or once nothing uses it', async (t) => {
  const visitor = await visit(t)
  const asked = await readPage(visitor, '/detached/d-in/return')
  t.regex(
    asked,
    /they go back to LICENSES\. 1 seat is in use: it goes back once its application has ended\. If LICENSES can not be reached now/,
  )
  await visitor.post('/detached/d-in/return', {})
  t.regex(await readPage(visitor, '/detached/d-in'), /given back; LICENSES is told as soon as nothing uses them/)
  await visitor.post('/detached/d-soft/return', {})
  t.regex(await readPage(visitor, '/detached/d-soft'), /given back, and free at LICENSES/)
  await visitor.post('/detached/d-wait/withdraw', {})
  t.regex(await readPage(visitor, '/detached/d-wait'), /free again; LAPTOP-7 does not get them/)
  t.deepEqual(visitor.parts.done, ['gave back d-in', 'gave back d-soft', 'gave back d-wait'])
})

test('S10: an extension shows the limit, takes a day, and says at the field what is allowed', async (t) => {
  const visitor = await visit(t)
  const address = '/detached/d-out/extend'
  t.regex(
    await readPage(visitor, address),
    /It ends now on Wednesday, November 25, 2026 .*can be extended until Tuesday, December 8, 2026/,
  )
  t.is((await visitor.post(address, { until: '2026-12-02' })).to, '/detached/d-out')
  t.regex(await readPage(visitor, '/detached/d-out'), /until Wednesday, December 2, 2026 at 23:59:59 GMT\+1/)
  const wrong = await visitor.post(address, { until: '2027-01-31' })
  t.is(wrong.status, 422)
  t.regex(read(wrong.text), /at the latest Tuesday, December 8/)
  t.is((await visitor.post(address, { until: 'x' })).status, 422)
  await visitor.post('/detached/d-soft/extend', {})
  t.deepEqual(visitor.parts.done, ['extended d-out 2026-12-02', 'extended d-soft softly'])
})

test('S11: the block for the other machine and the return receipt are shown with fingerprint, download and QR code', async (t) => {
  const visitor = await visit(t)
  t.regex(await readPage(visitor, '/detached/d-wait/block'), /from then on only LAPTOP-7 can give them back before/)
  const block = await visitor.post('/detached/d-wait/block', {})
  t.regex(
    read(block.text),
    /Bring it to LAPTOP-7 and apply it there on Update\/Attach\. .*QQ2SD-[A-Z0-9-]+ -----BEGIN LEASEHOLD DETACHMENT-----/,
  )
  t.regex(block.text, /name="filename" value="detachment-d-wait.txt"[\s\S]*<svg class="qr-code"/)
  t.notRegex(block.text, /data-live=/, 'nothing asks for the answer to a form again')
  const receipt = await visitor.post('/detached/d-soft/receipt', {})
  t.regex(read(receipt.text), /Bring the receipt to LICENSES .*-----BEGIN LEASEHOLD RETURN RECEIPT-----/)
  t.regex(receipt.text, /value="receipt-d-soft.txt"/)
  t.deepEqual(visitor.parts.done, ['showed the block of d-wait', 'made a receipt for d-soft'])
})

test('X6: declaring lost says until when it may go on, keeps the note, and offers no extension any more', async (t) => {
  const visitor = await visit(t)
  t.regex(
    await readPage(visitor, '/detached/d-out/lost'),
    /they may go on there until Wednesday, November 25, 2026 at 23:59:59 .*They are free Thursday, November 26, 2026 at 00:09:59 .*can not be undone/,
  )
  await visitor.post('/detached/d-out/lost', { reason: ' stolen ' })
  t.deepEqual(visitor.parts.done, ['lost d-out stolen'])
  t.regex(await readPage(visitor, '/detached/d-out'), /declared lost\. .*It is free at its date/)
})

test('S11: a recipient block on Update/Attach leads to detaching for that machine; an old detachment answers with its receipt', async (t) => {
  const visitor = await visit(t)
  const shown = await visitor.post('/update', { text: recipient, step: 'check' })
  t.regex(
    read(shown.text),
    /Recipient ID Names a machine .*Names the machine LAPTOP-7.*Detach for that machine .*Acme CAD Next: until when/,
  )
  t.notRegex(read(shown.text), /can be applied on this machine|wrong_recipient/)
  const second = await visitor.post('/detached/new', {
    product: 'acme/cad',
    recipient: `mail\n${recipient}`,
    step: 'until',
  })
  t.regex(read(second.text), /For the machine that the recipient ID names .*Select an expiration date/)
  t.is((await visitor.post('/detached/new', { product: 'x/y', recipient, step: 'until' })).status, 404)
  const detachment = recipient.replaceAll('RECIPIENT', 'DETACHMENT')
  const good = await visitor.post('/update', { text: detachment, step: 'apply' })
  t.regex(good.text, /href="\/detached\/d-in"/)
  const old = await visitor.post('/update', { text: `old\n${detachment}`, step: 'apply' })
  t.regex(
    read(old.text),
    /already_returned .*was given back here already\. Bring this receipt .*-----BEGIN LEASEHOLD RETURN RECEIPT-----/,
  )
})

test('Diagnostics names this machine in a block with fingerprint, time, download and QR code', async (t) => {
  const { text } = await (await visit(t)).get('/diagnostics')
  t.regex(
    read(text),
    /Recipient ID .*By its clock it is Tuesday, November 24, 2026 at 14:20:05 GMT\+1 \(Europe\/Berlin\)\. .*T9QZH-XKSAB-KM6XM-XS3AF -----BEGIN LEASEHOLD RECIPIENT-----/,
  )
  t.regex(
    text,
    /value="recipient.txt"[\s\S]*<svg class="qr-code" [^>]*role="img" aria-label="Recipient ID as a QR code"/,
  )
})

test('X6: Overview says what ends soon, and reminds of what is attached here, once', async (t) => {
  const visitor = await visit(t)
  visitor.parts.problemList.push({
    code: 'detachment_ends',
    severity: 'warning',
    title: 'A detached seat ends soon',
    text: 'x',
  })
  const text = await readPage(visitor, '/')
  t.regex(
    text,
    /1 seat of Acme CAD from LICENSES: soon over Wednesday, November 25, 2026 at 23:59:59 .*What ends soon 1 seat of Acme CAD from LICENSES Ends within 3 days/,
  )
  t.regex(text, /What ends soon .*1 seat of Acme CAD for LAPTOP-7 Detached tomorrow/)
  t.notRegex(text, /A detached seat ends soon|3 seats of Acme CAD for LAPTOP-7/)
  t.notRegex(text, /All \d+ detachments/)
  for (let index = 0; index < 20; index += 1) visitor.parts.taken.list.push(makeDetachment({ id: `d-many-${index}` }))
  t.regex(await readPage(visitor, '/'), /All 23 detachments that end soon or are attached here/)
})

test('S7: the tab says what is away and can be detached; switching off says what stays away', async (t) => {
  const visitor = await visit(t)
  const address = '/configuration/detachable'
  t.regex(
    await readPage(visitor, address),
    /Enable Detaching of Licenses .*Now .*2 of 5 seats can be detached now, 1 detached/,
  )
  t.regex(await readPage(visitor, address), /5 seats of this machine are away\. Detached/)
  await visitor.post(address, { action: 'submit', 'detach.enabled': 'on' })
  await visitor.post(address, { action: 'submit' })
  t.regex(await readPage(visitor, address), /5 seats that are away stay so until their dates/)
})

test('R11: while the clock is ahead Detached says what dates go by, and takes the word that it is right', async (t) => {
  const visitor = await visit(t)
  const { taken } = visitor.parts
  taken.clock = { ...taken.clock, ahead: { seconds: 9_000_000, waitIn: 3_300 } }
  t.regex(
    await readPage(visitor, '/detached'),
    /jumped ahead by 104 days .*dates go by Tuesday, November 24, 2026 .*after 55 minutes .*The clock is right/,
  )
  t.is((await visitor.post('/detached/accept-clock', {})).to, '/detached')
  t.regex(await readPage(visitor, '/detached'), /The clock is believed/)
  taken.clock = { ...taken.clock, behind: { seconds: 3_600, refusesIn: 80_000 } }
  t.regex(
    await readPage(visitor, '/detached'),
    /is 1 hour behind .*in 22 hours detached seats are not given out any more/,
  )
})

test('hostile names of products, machines, users and zones stay text on every page about what is taken along', async (t) => {
  const visitor = await visit(t, 'hostile')
  const one = ['bad-out-0', 'bad-out-1', 'bad-in-2', 'bad-out-3'].map((id) => `/detached/${id}`)
  for (const address of ['/detached', detach, '/', ...one, ...one.map((each) => `${each}/extend`)]) {
    const { status, text } = await visitor.get(address)
    t.is(status, 200, address)
    t.notRegex(text, /<script>|<img|[\u202a-\u202e\u2066-\u2069]/, address)
    t.notRegex(text.replace(/"[^"]*"/g, '""'), /<[^>]*\son\w+=/, address)
  }
})

test('a session on attached seats says until when it works alone', async (t) => {
  const visitor = await visit(t)
  const place = visitor.parts.sessionList.findIndex(({ id }) => id === 's0000-2f9b1c7d')
  const session = visitor.parts.sessionList[place]
  if (session === undefined) return t.fail()
  const source = { kind: 'detachment', manager: { id: 'agent-lic', name: 'LICENSES' } } as const
  visitor.parts.sessionList[place] = { ...session, source }
  t.regex(
    await readPage(visitor, '/sessions/s0000-2f9b1c7d'),
    /Location This machine Works alone until Nov 25, 2026, 23:59:59/,
  )
  visitor.parts.taken.list.length = 0
  visitor.parts.taken.list.push(makeDetachment({ id: 'other', license: 'another' }))
  t.notRegex(await readPage(visitor, '/sessions/s0000-2f9b1c7d'), /Works alone/)
})

test('a QR code is read back by a reader; what is too long for one gets none', (t) => {
  for (const text of [recipient, 'A'.repeat(mostBytes), `ü${'~'.repeat(500)}`]) {
    const code = drawQr(text)
    if (code === undefined) return t.fail()
    const scale = 3
    const width = code.size * scale
    const data = new Uint8Array(width * width * 4).fill(255)
    for (const [, x, y, length] of code.path.matchAll(/M(\d+) (\d+)h(\d+)v1h-\d+z/g))
      for (let row = 0; row < scale; row += 1)
        for (let column = 0; column < Number(length) * scale; column += 1) {
          const place = ((Number(y) * scale + row) * width + Number(x) * scale + column) * 4
          data.fill(0, place, place + 3)
        }
    t.is(decodeQr({ width, height: width, data }), text)
  }
  t.is(drawQr('A'.repeat(mostBytes + 1)), undefined)
})
