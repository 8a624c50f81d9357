/** The pages about web sites and reserves, on an agent in memory. */
import test from 'ava'
import { cutOff, fillUp, siteToken } from './sample-sites.ts'
import { visit } from './visitor.ts'

function read(html: string): string {
  return html
    .replace(/<(script|style)[\s\S]*?<\/\1>/g, '')
    .replace(/<[^>]+>/g, ' ')
    .replace(/&amp;/g, '&')
    .replace(/\s+/g, ' ')
}

const address = '/configuration/sites'

test('P6, P8: the page of sites shows state, seats occupied of those taken, what is missing, and the reserves', async (t) => {
  const visitor = await visit(t)
  const text = read((await visitor.get(address)).text)
  t.regex(
    text,
    /shop acme\/portal-server, acme\/portal-user Started Server seat held 2 of 4 occupied, 5 asked for 1 seat is missing\. LIC-1: All 5 seats/,
  )
  t.regex(text, /wiki .* Stopped – –/)
  t.regex(text, /design acme\/cad 2 of 3 kept, 1 in use 1 seat is missing\. .* 2 from LIC-1/)
})

test('R19: while a manager does not answer, the pages say until when its seats work', async (t) => {
  const visitor = await visit(t)
  for (const place of [address, `${address}/shop`]) t.notRegex(read((await visitor.get(place)).text), /Connection lost/)
  cutOff(visitor.parts.kept)
  const alone = 'Connection lost, works alone; ends in 30 sec'
  t.regex(
    read((await visitor.get(`${address}/shop`)).text),
    /LIC-1 does not answer The seats that came from there go on without it and end in 30 seconds, unless it answers/,
  )
  t.regex(read((await visitor.get(address)).text), new RegExp(`occupied, 5 asked for ${alone}.*2 from LIC-1 ${alone}`))
})

test('P3: when all seats of a site are occupied, its page says so, and when the next one is free', async (t) => {
  const visitor = await visit(t)
  fillUp(visitor.parts.kept)
  t.regex(read((await visitor.get(address)).text), /Started Server seat held Full 5 of 5 occupied/)
  t.regex(
    read((await visitor.get(`${address}/shop`)).text),
    /All seats are occupied Whoever signs in now is refused\. Unless its user does something, the next seat is free in 3 hours\./,
  )
})

test('P1: the page of a site that is not started says how it starts, and offers no recycle', async (t) => {
  const visitor = await visit(t)
  const text = read((await visitor.get(`${address}/wiki`)).text)
  t.regex(text, /The site is not started It takes its seats as soon as it calls this agent with its token\./)
  t.notRegex(text, /Recycle now|occupied/)
  const [shop] = visitor.parts.kept.sites
  if (shop === undefined) return t.fail()
  visitor.parts.kept.sites[0] = { ...shop, server: false }
  t.regex(
    read((await visitor.get(`${address}/shop`)).text),
    /No server seat Nobody new is let in\. Whoever has a seat keeps it\./,
  )
})

test('P7: the page of a site shows everybody who is signed in, with when each seat goes back', async (t) => {
  const visitor = await visit(t)
  const text = read((await visitor.get(`${address}/shop`)).text)
  t.regex(
    text,
    /Ana Ruiz ana@example\.com Seat .* bo Seat .* Not named No seat until the next activity .* – root@example\.com Administrator, no seat .* –/,
  )
  t.regex(text, /Nov 24, 2026, 18:15:05 GMT\+1/, 'ana: 235 minutes after 14:20')
  t.is((await visitor.get(`${address}/nowhere`)).status, 404)
})

test('a site is added with its token shown once; wrong fields are named and what was typed is kept', async (t) => {
  const visitor = await visit(t)
  const form = {
    id: 'blog',
    serverProduct: 'acme/s',
    clientProduct: 'acme/c',
    seats: '7',
    inactivityMinutes: '60',
    cron: '0 5 * * *',
    zone: 'UTC',
  }
  const wrong = await visitor.post(address, { ...form, id: 'No', seats: 'many' })
  t.is(wrong.status, 422)
  t.regex(
    read(wrong.text),
    /2 fields need another value Name: must be 1 to 64 lower-case letters.* Client seats: must be a number/,
  )
  t.regex(wrong.text, /name="zone"[^>]* value="UTC"/)
  t.regex(read((await visitor.post(address, { ...form, cron: 'never' })).text), /Recycle schedule: must be five fields/)
  t.regex(read((await visitor.post(address, { ...form, id: 'shop' })).text), /Name: is the name of a site/)
  t.deepEqual(visitor.parts.done, [])
  const added = await visitor.post(address, form)
  t.is(added.status, 200)
  t.true(added.text.includes(siteToken))
  t.false((await visitor.get(`${address}/blog`)).text.includes(siteToken))
  t.is((await visitor.post(`${address}/blog`, { ...form, seats: '9' })).to, `${address}/blog`)
  t.is((await visitor.post(`${address}/blog`, { ...form, seats: '0' })).status, 422)
  t.deepEqual(visitor.parts.done, ['defined blog 7', 'defined blog 9'])
})

test('P5: recycle, a new token and removing ask before, and say how many users notice', async (t) => {
  const visitor = await visit(t)
  t.regex(
    read((await visitor.get(`${address}/shop/recycle`)).text),
    /Recycle the seats of shop .*2 users lose their seats now .* Cancel Recycle now/,
  )
  t.is((await visitor.post(`${address}/shop/recycle`, {})).to, `${address}/shop`)
  t.regex(read((await visitor.get(`${address}/shop/token`)).text), /Make a new token for shop/)
  t.true((await visitor.post(`${address}/shop/token`, {})).text.includes(siteToken))
  t.regex(read((await visitor.get(`${address}/shop/remove`)).text), /Remove the site shop/)
  t.is((await visitor.post(`${address}/shop/remove`, {})).to, address)
  t.deepEqual(visitor.parts.done, ['recycled shop', 'token of shop', 'removed shop'])
})

test('seats are kept in advance and given back', async (t) => {
  const visitor = await visit(t)
  const form = { 'reserve-id': 'office', 'reserve-product': 'acme/cad', 'reserve-feature': '', 'reserve-seats': '4' }
  t.is((await visitor.post(`${address}/reserves`, { ...form, 'reserve-seats': '' })).status, 422)
  t.is((await visitor.post(`${address}/reserves`, form)).to, address)
  t.regex(read((await visitor.get(address)).text), /The reserve office has 4 of 4 seats\./)
  t.regex(
    read((await visitor.get(`${address}/reserves/design/drop`)).text),
    /1 seat is in use and goes back when its session ends/,
  )
  t.is((await visitor.post(`${address}/reserves/design/drop`, {})).to, address)
  t.deepEqual(visitor.parts.done, ['kept office {"product":"acme/cad","seats":4}', 'given back design'])
})

test('where there is nothing, the page says what there would be', async (t) => {
  const visitor = await visit(t, 'empty')
  const text = read((await visitor.get(address)).text)
  t.regex(text, /No web site is defined/)
  t.regex(text, /Nothing is kept in advance/)
})
