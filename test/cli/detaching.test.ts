import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import test from 'ava'
import type { Detachment } from '../../agent/http/api/detachment-shapes.ts'
import { refusal } from './fake-agent.ts'
import { answers, begin, fingerprint, instant, removeRoot } from './place.ts'

test.after.always(removeRoot)

const attached: Detachment = {
  id: 'd-1234567890123456',
  direction: 'in',
  state: 'active',
  product: 'acme/cad',
  seats: 2,
  used: 0,
  license: 'license-1',
  manager: { id: 'agent-2', name: 'LIC-1' },
  recipient: { id: 'agent-1', name: 'WS-17', fingerprint },
  version: 1,
  soft: false,
  cascade: false,
  earlyReturn: 'offline',
  startedAt: instant,
  until: '2027-01-11T22:59:59.000Z',
  endsIn: 600_000,
  actions: ['return'],
  unavailable: [],
}
const { used: _, ...shared } = attached
const away: Detachment = {
  ...shared,
  direction: 'out',
  recipient: { id: 'agent-3', name: 'LAPTOP\u001b[2J', fingerprint },
}
const block = '-----BEGIN LEASEHOLD DETACHMENT-----\nabc\n-----END LEASEHOLD DETACHMENT-----\n'
const detachPath = 'POST /api/v1/detachments'

test('detach sends what was said and tells where the seats are until when', async (t) => {
  const { agent, io, run } = await begin(t)
  agent.on(detachPath, answers({ detachment: attached }, 201))
  const words = '--until 2027-01-11 --seats 2 --feature render --manager LIC-1'.split(' ')
  t.is(await run('detach', 'acme/cad', ...words), 0)
  t.deepEqual(agent.asked[0]?.body, {
    product: 'acme/cad',
    until: '2027-01-11',
    seats: 2,
    feature: 'render',
    manager: 'LIC-1',
  })
  t.regex(
    io.stdout.text,
    /^2 seats of acme\/cad, attached here, from LIC-1, until 2027-01-1\d \d\d:59 \(UTC.*\): 7 days left\.$/m,
  )
  t.regex(io.stderr.text, /d-1234567890123456/)
  t.is(await run('detach', 'acme/cad', '--soft'), 0)
  t.deepEqual(agent.asked[1]?.body, { product: 'acme/cad', soft: true })
})

test('with --preview it is only said what it would be', async (t) => {
  const { agent, io, run } = await begin(t)
  const plan = {
    product: 'acme/cad',
    seats: 1,
    manager: attached.manager,
    recipient: attached.recipient,
    soft: false,
    until: attached.until,
    zone: 'UTC',
    cut: true,
    latest: attached.until,
    freeAt: attached.until,
  }
  agent.on(detachPath, answers(plan))
  t.is(await run('detach', 'cad', '--days', '14', '--preview'), 0)
  t.deepEqual(agent.asked[0]?.body, { product: 'cad', days: 14, preview: true })
  t.regex(
    io.stdout.text,
    /1 seat of acme\/cad from LIC-1 for WS-17[\s\S]*ends there\.[\s\S]*latest date[\s\S]*LIC-1 has them back at/,
  )
})

test('for a machine that is never met its block goes there, and the block of the seats comes back', async (t) => {
  const { agent, io, run } = await begin(t)
  const file = path.join(io.env.LEASEHOLD_DATA ?? '', 'recipient.txt')
  const out = path.join(io.env.LEASEHOLD_DATA ?? '', 'detachment.txt')
  agent.on(
    'GET /api/v1/recipient',
    answers({ recipient: block, id: 'agent-3', name: 'LAPTOP', fingerprint, time: instant, zone: 'UTC' }),
  )
  t.is(await run('recipient', '--out', file), 0)
  t.regex(io.stderr.text, new RegExp(fingerprint))
  agent.on(detachPath, answers({ detachment: away, block }, 201))
  t.is(await run('detach', 'acme/cad', '--days', '3', '--recipient', file, '--out', out), 0)
  t.like(agent.asked[1]?.body, { recipient: block })
  t.is(await readFile(out, 'utf8'), block)
  t.false(io.stdout.text.includes('\u001b'))
  t.is(await run('detach', 'acme/cad', '--days', '3', '--recipient', 'LAPTOP'), 0)
  t.like(agent.asked[2]?.body, { recipient: 'LAPTOP' })
  t.true(io.stdout.text.includes('BEGIN LEASEHOLD DETACHMENT'))
  t.is(await run('detach', 'acme/cad', '--days', '3', '--recipient', './none.txt'), 4)
})

test('attach takes in a block, and --preview only says what it would do', async (t) => {
  const { agent, io, run } = await begin(t)
  const file = path.join(io.env.LEASEHOLD_DATA ?? '', 'detachment.txt')
  await writeFile(file, block)
  const document = { type: 'detachment', summary: '2 × acme/cad.', effect: 'Attaches them.', applied: true }
  agent.on('POST /api/v1/documents', answers({ documents: [document] }))
  t.is(await run('attach', file), 0)
  t.is(await run('attach', file, '--preview'), 0)
  t.deepEqual(
    agent.asked.map(({ body }) => (body as { apply?: boolean }).apply),
    [true, false],
  )
  t.regex(io.stdout.text, /Done: Attaches them\./)
})

test('extend names the new date, and return says how far it came or makes the receipt', async (t) => {
  const { agent, io, run } = await begin(t)
  const { id } = attached
  agent.on(`PATCH /api/v1/detachments/${id}`, answers({ detachment: { ...attached, version: 2 } }))
  t.is(await run('extend', id, '--days', '9'), 0)
  t.deepEqual(agent.asked[0]?.body, { days: 9 })
  agent.on(`DELETE /api/v1/detachments/${id}`, answers({ state: 'returning', detachment: attached }))
  t.is(await run('return', id), 0)
  t.regex(io.stdout.text, /The manager is told once none is in use/)
  agent.on('POST /api/v1/returns', answers({ receipt: block, fingerprint, detachment: attached }))
  t.is(await run('return', id, '--receipt'), 0)
  t.deepEqual(agent.asked[2]?.body, { detachment: id })
  t.true(io.stdout.text.includes('BEGIN LEASEHOLD'))
})

test('detachments lists them; one is declared lost, and its block is written again', async (t) => {
  const { agent, io, run } = await begin(t)
  agent.on('GET /api/v1/detachments', answers({ items: [attached, away], total: 2 }))
  t.is(await run('detachments', '--over'), 0)
  t.regex(agent.asked[0]?.url ?? '', /over=with/)
  t.regex(io.stdout.text, /^here +active +acme\/cad +2 +LIC-1 +WS-17 +2027-01-1\d/m)
  t.regex(io.stdout.text, /^away +active .*LAPTOP\[2J/m)
  const lost = { ...away, state: 'lost', freeAt: instant }
  agent.on(`POST /api/v1/detachments/${away.id}/lost`, answers(lost))
  t.is(await run('detachments', 'lost', away.id, '--note', 'stolen'), 0)
  t.deepEqual(agent.asked[1]?.body, { note: 'stolen' })
  agent.on(`POST /api/v1/detachments/${away.id}/block`, answers({ block }))
  t.is(await run('detachments', 'block', away.id), 0)
  t.true(io.stdout.text.includes('BEGIN LEASEHOLD DETACHMENT'))
})

test('each refusal has its exit code, and the value that would be allowed is in its sentence', async (t) => {
  const { agent, io, run } = await begin(t)
  for (const [code, exit] of [
    ['detach_disabled', 37],
    ['too_many_seats', 37],
    ['beyond_maximum', 38],
    ['clocks_differ', 40],
  ] as const) {
    agent.on(detachPath, refusal(code, `The latest date that is allowed now is ${instant}.`))
    t.is(await run('detach', 'acme/cad', '--days', '20'), exit, code)
  }
  t.true(io.stderr.text.includes(instant))
})

test('clock tells the date that things end by, and confirms a clock that jumped ahead', async (t) => {
  const { agent, io, run } = await begin(t)
  const state = { time: instant, date: instant, zone: 'UTC', ahead: { seconds: 7200, waitIn: 3000 } }
  agent.on('GET /api/v1/clock', answers(state))
  t.is(await run('clock'), 0)
  t.regex(io.stdout.text, /It jumped ahead by 2 h and is believed after 50 min more of running/)
  agent.on('GET /api/v1/clock', answers({ ...state, ahead: undefined, behind: { seconds: 3600, refusesIn: 86_400 } }))
  t.is(await run('clock'), 0)
  t.regex(io.stdout.text, /It is 60 min behind .* for 24 h more/)
  agent.on('POST /api/v1/clock/confirm', answers({ time: instant, date: instant, zone: 'UTC' }))
  t.is(await run('clock', 'confirm'), 0)
})
