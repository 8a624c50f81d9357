import path from 'node:path'
import test from 'ava'
import { parseSearchParameter } from '../../../agent/config/search-parameters.ts'
import { refuse } from '../../../agent/errors.ts'
import { writeAgentRow, writeSearchStep, writeStep } from '../../../agent/http/ui/agent-rows.ts'
import { sayAs, tellAs } from '../../../agent/http/ui/owner-words.ts'
import { describeRefusal } from '../../../agent/http/ui/page.ts'
import { createTimeWords } from '../../../agent/http/ui/time.ts'
import { createLanguages, readCatalogs } from '../../../agent/language.ts'
import { options } from './page-app.ts'
import { makeAgent, makeStep } from './sample-agents.ts'
import { type Visitor, visit } from './visitor.ts'

const catalogs = await readCatalogs(path.join(options.views, 'locales'))
const languages = createLanguages(catalogs)
const [german, english] = [languages.get('de'), languages.get('en')]
const id = 'a'.repeat(43)

test('what owners say in English is said in German, with its names and numbers, and what is not known stays', (t) => {
  for (const [said, expected] of [
    ['It is an address.', 'Es ist eine Adresse.'],
    [
      '10.0.0.5:1947: nothing listens there (the connection was refused).',
      '10.0.0.5:1947: dort lauscht nichts (die Verbindung wurde abgewiesen).',
    ],
    [
      '10.0.0.5:1947: no answer within 2 s; [fd00::5]:1947: there is no way to that address (ENETUNREACH).',
      '10.0.0.5:1947: keine Antwort binnen 2 s; [fd00::5]:1947: zu dieser Adresse führt kein Weg (ENETUNREACH).',
    ],
    [
      'Ask the network administrator to let TCP port 1947 through from this machine (10.0.0.9) to 10.0.0.5, and see whether that machine is on.',
      'Bitten Sie den Netzwerkverwalter, TCP-Port 1947 von diesem Rechner (10.0.0.9) zu 10.0.0.5 durchzulassen, und prüfen Sie, ob jener Rechner an ist.',
    ],
    [
      'line 2, "10.0.0.300": an IPv4 address has four numbers from 0 to 255, without zeros in front',
      'Zeile 2, „10.0.0.300“: eine IPv4-Adresse hat vier Zahlen von 0 bis 255, ohne Nullen davor',
    ],
    ['“x” can not be tested: this is no URL.', '„x“ lässt sich nicht prüfen: das ist keine URL.'],
    [
      'LIC-1 speaks version 3, 2 of the interface between agents and this agent 1; update this agent',
      'LIC-1 spricht Version 3, 2 der Schnittstelle zwischen Agenten und dieser Agent 1; aktualisieren Sie diesen Agenten',
    ],
    [`It proved to be {id} $& (${id}).`, `Es hat sich als {id} $& (${id}) ausgewiesen.`],
    ['It offers acme/cad (2 of 2 free) and 3 more.', 'Angeboten werden acme/cad (2 of 2 free) und 3 weitere.'],
    ['10.0.0.5:1947: it dances.', '10.0.0.5:1947: it dances.'],
    ['a: no such name is known; b: it dances.', 'a: no such name is known; b: it dances.'],
    ['Something that nobody has translated.', 'Something that nobody has translated.'],
    ['', ''],
  ] as const) {
    t.is(sayAs(german, said), expected)
    t.is(sayAs(english, said), said)
  }
  const endless = `It offers ${'x (1 of 2 free), '.repeat(100_000)}`
  t.is(sayAs(german, endless), endless)
})

test('what is said of seats that are taken along is said in German, its dates in the zone of the page', (t) => {
  const time = createTimeWords('de', 'Europe/Berlin', 0)
  const at = 'Mittwoch, 25. November 2026 um 23:59:59 MEZ (Europe/Berlin)'
  for (const [said, expected] of [
    ['The license ends at 2026-11-25T22:59:59.000Z.', `Die Lizenz endet am ${at}.`],
    [
      'LICENSES refused it: It comes back online only; it ends at 2026-11-25T22:59:59.000Z.',
      `LICENSES hat es abgelehnt: Sie kommt nur mit Verbindung zurück; sie endet am ${at}.`,
    ],
    [
      'By LAPTOP-7 it is 2026-11-25T22:59:59.000Z, by WS-17 2026-11-25T22:59:59.000Z: 20 minutes behind it. A recipient block must be fresh, too.',
      `Bei LAPTOP-7 ist es ${at}, bei WS-17 ${at}: Die Uhr von LAPTOP-7 geht 20 Minuten nach. Auch ein Empfängerblock muss frisch sein.`,
    ],
    [
      'Only 1 of acme/cad can be detached now; 3 asked for.',
      'Von acme/cad kann jetzt nur 1 Platz mitgenommen werden; verlangt: 3.',
    ],
    [
      'Only 2 of acme/cad can be detached now; 3 asked for.',
      'Von acme/cad können jetzt nur 2 Plätze mitgenommen werden; verlangt: 3.',
    ],
    [
      'LICENSES can not be reached: The manager above can not be reached: 10.0.0.5:1947: nothing listens there.',
      'LICENSES ist nicht erreichbar: Der Lizenzserver darüber ist nicht erreichbar: 10.0.0.5:1947: dort lauscht nichts.',
    ],
    [
      '2 × acme/cad from LICENSES, detached until 2026-11-25 22:59 UTC (version 3).',
      '2 × acme/cad von LICENSES, mitgenommen bis 2026-11-25 22:59 UTC (Version 3).',
    ],
    [
      'The signature of the return receipt does not fit.',
      'Die Unterschrift des Blocks der Art „Rückgabebeleg“ passt nicht.',
    ],
    // no such instant
    ['The license ends at 2026-99-25T22:59:59.000Z.', 'Die Lizenz endet am 2026-99-25T22:59:59.000Z.'],
  ] as const)
    t.is(sayAs(german, said, time), expected)
  const spoken = createTimeWords('en', 'Europe/Berlin', 0)
  t.is(
    sayAs(english, 'The license ends at 2026-11-25T22:59:59.000Z.', spoken),
    'The license ends on Wednesday, November 25, 2026 at 23:59:59 GMT+1 (Europe/Berlin).',
  )
  t.is(sayAs(english, 'It is attached already.', spoken), 'It is attached already.')
})

test('several sentences, and what a manager said, are said one after the other, or stay as they are', (t) => {
  const full =
    'The site shop has no free seat. All 4 seats are in use (5 are wanted). Unless its user does something, the next is free in 3 minutes. ' +
    'More were not to be had: LIC-1: 5 of 5 seats of acme/user are in use; 2 wait for one already.'
  t.is(
    sayAs(german, full),
    'Die Website shop hat keinen freien Platz. Alle 4 der 5, die sie verlangt hat, sind belegt. ' +
      'Wenn sein Benutzer nichts tut, ist der nächste in 3 Minuten frei. ' +
      'Mehr waren nicht zu bekommen: LIC-1: 5 von 5 Plätzen von acme/user sind belegt; 2 warten schon darauf.',
  )
  t.is(
    sayAs(german, 'The site shop needs one seat of acme/server. LIC-1: It dances.'),
    'The site shop needs one seat of acme/server. LIC-1: It dances.',
  )
  t.is(
    sayAs(german, 'The site shop needs one seat of acme/server. LIC-1 did not answer.'),
    'Die Website shop braucht einen Platz von acme/server. LIC-1 hat nicht geantwortet.',
  )
  t.deepEqual(tellAs(german, 'It dances.'), { text: 'It dances.', lang: 'en' })
  t.deepEqual(tellAs(german, 'Nothing.'), { text: 'Nichts.', lang: undefined })
  t.deepEqual(tellAs(english, 'Nothing.'), { text: 'Nothing.', lang: undefined })
})

test('whatever others say, it is looked up in little time', (t) => {
  const pieces = [
    'LIC: ',
    'It is an address. ',
    'A refused it: ',
    ' can not be reached: ',
    '; ',
    'By A it is 2026Z, by ',
  ]
  for (const one of pieces)
    for (const other of pieces) {
      const said = (one + other).repeat(200).slice(0, 1_999)
      const begun = process.cpuUsage().user
      t.is(typeof sayAs(german, said), 'string')
      t.true(process.cpuUsage(undefined).user - begun < 200_000, said.slice(0, 60))
    }
})

// ---- on the pages

async function readGerman(visitor: Visitor, address: string): Promise<string> {
  return (await visitor.get(address, { 'accept-language': 'de' })).text
}

test('the German page of a detachment says why something can not be done, and marks only what stays English', async (t) => {
  const visitor = await visit(t)
  const [detachment] = visitor.parts.taken.list
  detachment?.unavailable.push({ action: 'extend', code: 'not_detachable', detail: 'It dances.' })
  const page = await readGerman(visitor, '/detached/d-in')
  t.regex(page, /Mit Beleg zurückgeben<\/span>: <span class="name">Anwendungen dieses Rechners benutzen ihre Plätze/)
  t.regex(page, /Verlängern<\/span>: <span class="name" lang="en">It dances\./)
  const offers = await readGerman(visitor, '/products/acme/cad/detach')
  t.regex(offers, /<span class="name">Davon kann jetzt nichts mitgenommen werden\./)
})

test('Update/Attach says in German what a block is and does, and why not', async (t) => {
  const visitor = await visit(t)
  await visitor.post('/appearance', { language: 'de', back: '/' })
  const page = await visitor.post('/update', { text: '-----BEGIN LEASEHOLD DETACHMENT-----', step: 'check' })
  t.regex(page.text, /<p class="name">1 × acme\/cad von LICENSES, mitgenommen bis 2026-11-25 22:59 UTC\.<\/p>/)
  t.regex(page.text, /<p class="name">Bindet die Plätze an diesen Rechner an;/)
  const other = '-----BEGIN LEASEHOLD LICENSE----- DEACTIVATION'
  const wrong = (await visitor.post('/update', { text: other, step: 'check' })).text
  t.regex(wrong, /Deaktivierungsbeleg[\s\S]*Ein Block der Art „Deaktivierungsbeleg“\./)
  t.regex(wrong, /<span class="name" lang="en">It is meant for the vendor\.</)
})

test('the German pages of sites say what is missing, and what is wrong with a field', async (t) => {
  const visitor = await visit(t)
  const said = 'LIC-1: 5 von 5 Plätzen von acme/portal-user sind belegt.'
  for (const address of ['/configuration/sites', '/configuration/sites/shop'])
    t.true((await readGerman(visitor, address)).includes(said), address)
  await visitor.post('/appearance', { language: 'de', back: '/' })
  const wrong = await visitor.post('/configuration/sites', { id: 'No Name', serverProduct: 'x', seats: '5000' })
  t.is(wrong.status, 422)
  t.regex(wrong.text, /muss aus 1 bis 64 Kleinbuchstaben/)
  t.regex(wrong.text, /muss als Hersteller\/Produkt geschrieben sein/)
  t.regex(wrong.text, /darf höchstens 1000 sein/)
  t.notRegex(wrong.text, /\bmust\b/)
})

test('every wrong search parameter is explained in German', (t) => {
  const wrong = [
    '',
    'x'.repeat(300),
    'a b',
    'ftp://x',
    'https://[',
    'https://u:p@x',
    'https://x/y',
    'x@10.0.0.1',
    'a:99999',
  ]
  wrong.push('10.0.0.300', '0.1.2.3', 'fe80::1', 'fd00::1%eth0', 'fe80::1%', '::', '[x]:1', ':1', '0x7f000001', '-a')
  wrong.push('fd00::/64', '10.0.0.0/8', '10.0.0/24', '240.0.0.0/24')
  for (const text of wrong) {
    const parsed = parseSearchParameter(text)
    if (parsed.kind !== 'wrong') return t.fail(text)
    t.not(sayAs(german, parsed.reason), parsed.reason)
  }
  return undefined
})

test('steps of tests and searches, agents that can not be reached and refusals are shown so', (t) => {
  const detail = '10.0.0.5:1947: nothing answered in time.'
  const expected = '10.0.0.5:1947: nichts hat rechtzeitig geantwortet.'
  const step = writeStep({ step: 'tcp', outcome: 'failed', detail, help: 'Ask its administrator.' }, german)
  t.like(step, { detail: expected, help: 'Fragen Sie seinen Verwalter.' })
  t.is(writeSearchStep(makeStep(1, { result: 'failed', detail }), german).detail, expected)
  const agent = makeAgent({ id: 'agent-branch', state: 'unreachable', detail })
  t.is(writeAgentRow(agent, german, createTimeWords('de', 'UTC', 0)).detail, expected)
  const reason = 'this is no host name'
  const refusal = refuse('invalid_request', `“-a” can not be tested: ${reason}.`)
  t.is(describeRefusal(refusal, german).text, '„-a“ lässt sich nicht prüfen: das ist kein Hostname.')
})
