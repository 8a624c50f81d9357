import { readFileSync } from 'node:fs'
import path from 'node:path'
import test from 'ava'
import { parseSearchParameter } from '../../../agent/config/search-parameters.ts'
import { refuse } from '../../../agent/errors.ts'
import { writeAgentRow, writeSearchStep, writeStep } from '../../../agent/http/ui/agent-rows.ts'
import { ownerReasons, ownerSentences, sayAs } from '../../../agent/http/ui/owner-words.ts'
import { describeRefusal } from '../../../agent/http/ui/page.ts'
import { createTimeWords } from '../../../agent/http/ui/time.ts'
import { createLanguages, readCatalogs } from '../../../agent/language.ts'
import { options, root } from './page-app.ts'
import { makeAgent, makeStep } from './sample-agents.ts'

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

// ---- the table and its owners

/** Each place where something is put in becomes a §. */
function bareOf({ source }: RegExp): string {
  let bare = ''
  for (let at = 1; at < source.length - 1; at++) {
    if (source.startsWith('(?<', at)) {
      for (let depth = 0; ; at++) {
        if (source[at] === '\\') at++
        else if (source[at] === '(') depth++
        else if (source[at] === ')' && --depth === 0) break
      }
      if (source[at + 1] === '?') at++
      bare += '§'
    } else if (source[at] === '\\') bare += source[++at]
    else bare += source[at]
  }
  return bare
}

/** Texts that stand in the source of the owners, as what fits them. */
const said = [
  'config/kinds.ts',
  'config/search-parameters.ts',
  'peers/connection-test.ts',
  'peers/connection-words.ts',
  'peers/meeting.ts',
  'peers/peer-channel.ts',
  'peers/peer-client.ts',
  'peers/peer-connection.ts',
  'peers/peer-exchange.ts',
  'peers/probes.ts',
  'peers/system-network.ts',
].flatMap((name) => {
  const text = readFileSync(path.join(root, 'agent', name), 'utf8').replaceAll(/^\s*(\/\/|\/?\*).*$/gm, '')
  const words = [...text.matchAll(/'([^'\n]*)'|`([^`\n]*)`/g)].map(([, plain, filled]) => plain ?? filled ?? '')
  return words
    .map((one) => one.replaceAll(/\$\{(?:[^{}]|\{[^{}]*\})*\}/g, '§'))
    .filter((one) => one.replaceAll(/§|\W/g, '').length >= 4)
    .map((one) => new RegExp(`^${one.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&').replaceAll('§', '.*')}\\.?$`))
})

test('every sentence of the table stands in the source of an owner, and has a German text with the same places', (t) => {
  const texts = catalogs.get('de')?.texts ?? {}
  const table = [...ownerSentences, ...ownerReasons]
  t.is(new Set(table.map(([key]) => key)).size, table.length)
  for (const [key, pattern] of table) {
    const bare = bareOf(pattern)
    // the code of the system may be put behind it elsewhere
    const plain = bare.replace(/ \(§\)$/, '')
    t.true(
      said.some((one) => one.test(bare) || one.test(plain)),
      `nobody says: ${bare}`,
    )
    const places = [...pattern.source.matchAll(/\(\?<(\w+)>/g)].map(([, name]) => name)
    const named = [...String(texts[`owner.${key}`]).matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
    t.deepEqual(new Set(named), new Set(places), key)
  }
  const keys = Object.keys(texts).filter((key) => key.startsWith('owner.'))
  t.deepEqual(keys.sort(), table.map(([key]) => `owner.${key}`).sort())
})
