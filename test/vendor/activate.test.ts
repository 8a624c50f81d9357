/**
 * Activation at the vendor: the ledger, one agent per license, receipts; and looking into documents.
 */
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { type Mailed, writeBlock } from '../../agent/domain/documents/armor.ts'
import { readBlocks } from '../../agent/domain/documents/armor-reader.ts'
import { hashText } from '../../agent/domain/documents/base64url.ts'
import { type Opened, openDocument } from '../../agent/domain/documents/document.ts'
import { buildActivationRequest, buildDeactivation, checkActivation } from '../../agent/domain/documents/exchange.ts'
import type { SigningKey } from '../../agent/domain/documents/keys.ts'
import { answerRequest, takeReceipt } from '../../agent/vendor/activate.ts'
import { issueLicense } from '../../agent/vendor/issue.ts'
import { openVendor, randomId } from '../../agent/vendor/keys.ts'
import { Ledger, LedgerDamage } from '../../agent/vendor/ledger.ts'
import { checkLicenseFile } from '../../agent/vendor/license-file.ts'
import { laptop, manager, now, open, sampleKey, sampleParts, stranger, vendor } from '../domain/documents/samples.ts'
import { openTerminal, type Terminal } from './terminal.ts'

const ana = manager
const ben = laptop

function requestOf(license: Opened<'leasehold-license'>, agent: SigningKey, nonce: string, number = 0) {
  const text = buildActivationRequest(
    { license, parts: sampleParts, nonce: `nonce-of-the-request-${nonce}`, number, id: randomId(), now },
    agent,
  )
  return open(text, 'leasehold-activation-request')
}

function receiptOf(
  license: Opened<'leasehold-license'>,
  activation: Opened<'leasehold-activation'>,
  agent: SigningKey,
) {
  return open(
    buildDeactivation({ license, activation: activation.payload, id: randomId(), now }, agent),
    'leasehold-deactivation',
  )
}

/** A vendor with one issued license, at a terminal. */
async function openShop(t: Parameters<typeof openTerminal>[0]) {
  const terminal = await openTerminal(t)
  await terminal.run('init', 'acme')
  const said = await terminal.run('issue', '--product', 'cad', '--seats', '2', '--months', '24', '--json')
  const { block } = JSON.parse(said.stdout)
  const reading = readBlocks(block)
  if (reading.kind === 'refused') throw new Error(reading.detail)
  const license = open(reading.blocks[0]?.text ?? '', 'leasehold-license')
  const opened = await openVendor(terminal.path('.leasehold-vendor/acme'))
  if (opened.kind === 'unusable') throw new Error(opened.detail)
  return { terminal, license, key: opened.key, ledger: terminal.path('.leasehold-vendor/acme/ledger') }
}

async function save(terminal: Terminal, name: string, document: Mailed): Promise<string> {
  return terminal.write(name, writeBlock(document))
}

function answerIn(text: string, key: SigningKey): Opened<'leasehold-activation'> {
  const reading = readBlocks(text)
  if (reading.kind === 'refused') throw new Error(reading.detail)
  return open(reading.blocks[0]?.text ?? '', 'leasehold-activation', key)
}

test('I15: one agent has a license; a second needs the receipt of the first', async (t) => {
  const { terminal, license, key } = await openShop(t)
  const first = await save(terminal, 'first.txt', requestOf(license, ana, 'a1'))
  const said = await terminal.run('activate', first, '--out', terminal.path('answer.txt'))
  t.is(said.exit, 0, said.stderr)
  const answer = answerIn(await terminal.read('answer.txt'), key)
  t.is(answer.payload.number, 1)
  const expected = { license, agent: ana.id, nonces: ['nonce-of-the-request-a1'], number: 0, now }
  t.is(checkActivation(answer, expected).kind, 'good')

  const second = await save(terminal, 'second.txt', requestOf(license, ben, 'b1'))
  const refused = await terminal.run('activate', second)
  t.is(refused.exit, 18)
  t.regex(refused.stderr, /is activated for agent [0-9A-Z-]{23}; this request is of agent/)

  const receipt = await save(terminal, 'receipt.txt', receiptOf(license, answer, ana))
  const moved = await terminal.run('activate', second, '--receipt', receipt)
  t.is(moved.exit, 0, moved.stderr)
  t.is(answerIn(moved.stdout, key).payload.number, 2)
  t.is(answerIn(moved.stdout, key).payload.agent, ben.id)
  t.is((await terminal.run('activate', first)).exit, 19, 'the old request of the first is over')
})

test('I15: a receipt can be taken in by itself, and once', async (t) => {
  const { terminal, license, key } = await openShop(t)
  const said = await terminal.run('activate', await save(terminal, 'first.txt', requestOf(license, ana, 'a1')))
  const receipt = await save(terminal, 'receipt.txt', receiptOf(license, answerIn(said.stdout, key), ana))
  t.regex((await terminal.run('activate', receipt)).stdout, /gave license \S+ back/)
  t.is((await terminal.run('activate', receipt)).exit, 20)
  const both = await terminal.write(
    'both.txt',
    `${await terminal.read('receipt.txt')}\n${writeBlock(requestOf(license, ben, 'b1'))}`,
  )
  t.is((await terminal.run('activate', both)).exit, 0)
})

test('I15: the same agent passes with a renewal, and a repeated request gets the same answer', async (t) => {
  const { terminal, license, key } = await openShop(t)
  const first = await save(terminal, 'first.txt', requestOf(license, ana, 'a1'))
  const one = await terminal.run('activate', first)
  const again = await terminal.run('activate', first)
  t.is(again.stdout, one.stdout)
  t.regex(again.stderr, /as answered before/)
  terminal.now += 300 * 86_400_000
  const renewed = await terminal.run('activate', await save(terminal, 'renewal.txt', requestOf(license, ana, 'a2', 1)))
  t.is(renewed.exit, 0)
  t.is(answerIn(renewed.stdout, key).payload.number, 2)
  t.true((answerIn(renewed.stdout, key).payload.exp ?? 0) > (answerIn(one.stdout, key).payload.exp ?? 0))
})

test('I15: --force answers a second agent, is recorded, and shuts the first one out', async (t) => {
  const { terminal, license, key, ledger } = await openShop(t)
  const first = await terminal.run('activate', await save(terminal, 'first.txt', requestOf(license, ana, 'a1')))
  const second = await save(terminal, 'second.txt', requestOf(license, ben, 'b1'))
  const forced = await terminal.run('activate', second, '--force', '--json')
  t.is(forced.exit, 0)
  t.deepEqual(JSON.parse(forced.stdout).answers[0].forced, [ana.id])
  const names = (await readdir(ledger)).sort()
  const last = JSON.parse(await readFile(join(ledger, names.at(-1) ?? ''), 'utf8'))
  t.deepEqual(last.event.forced, [ana.id])
  t.is((await terminal.run('activate', await save(terminal, 'renewal.txt', requestOf(license, ana, 'a2', 1)))).exit, 18)
  const late = await save(terminal, 'late.txt', receiptOf(license, answerIn(first.stdout, key), ana))
  t.is((await terminal.run('activate', late)).exit, 0, 'its late receipt is recorded')
  t.is((await terminal.run('activate', await save(terminal, 'b2.txt', requestOf(license, ben, 'b2', 2)))).exit, 0)
})

test('R25: a receipt for an earlier activation frees nothing', async (t) => {
  const { terminal, license, key } = await openShop(t)
  const one = await terminal.run('activate', await save(terminal, 'a1.txt', requestOf(license, ana, 'a1')))
  const early = await save(terminal, 'early.txt', receiptOf(license, answerIn(one.stdout, key), ana))
  await terminal.run('activate', await save(terminal, 'a2.txt', requestOf(license, ana, 'a2', 1)))
  t.is((await terminal.run('activate', early)).exit, 19)
  t.is((await terminal.run('activate', await save(terminal, 'b1.txt', requestOf(license, ben, 'b1')))).exit, 18)
})

test('R25: numbers rise above what the agent knows, also after the ledger was lost', async (t) => {
  const { terminal, license, key } = await openShop(t)
  const said = await terminal.run('activate', await save(terminal, 'a1.txt', requestOf(license, ana, 'a1', 41)))
  t.is(answerIn(said.stdout, key).payload.number, 42)
})

test('what is no request or receipt, and what is of another vendor, is refused by kind', async (t) => {
  const { terminal, license, key } = await openShop(t)
  t.is((await terminal.run('activate', await save(terminal, 'l.txt', license))).exit, 10)
  t.is((await terminal.pipe('hello', 'activate', '-')).exit, 10)
  const request = writeBlock(requestOf(license, ana, 'a1'))
  const lines = request.split('\n')
  t.is((await terminal.pipe(lines.toSpliced(8, 1).join('\n'), 'activate', '-')).exit, 11)
  t.is((await terminal.run('activate')).exit, 2)
  t.is((await terminal.run('activate', terminal.path('missing'))).exit, 4)
  t.is((await terminal.pipe(request.replace(/^/gm, '> '), 'activate', '-')).exit, 0, 'a quoted mail is read')
  const answer = answerIn((await terminal.pipe(request, 'activate', '-')).stdout, key)
  t.is((await terminal.pipe(writeBlock(answer), 'activate', '-')).exit, 10)

  const checked = checkLicenseFile({ vendor: 'acme', products: [{ name: 'cad', seats: 9 }] })
  if (checked.kind === 'bad') return t.fail()
  const other = issueLicense({ file: checked.file, key: vendor, id: randomId(), now })
  if (other.kind === 'over') return t.fail()
  t.is((await terminal.pipe(writeBlock(requestOf(other.license, ana, 'x1')), 'activate', '-')).exit, 17)
  const forged = issueLicense({ file: checked.file, key, id: license.payload.id, now })
  if (forged.kind === 'over') return t.fail()
  const said = await terminal.pipe(writeBlock(requestOf(forged.license, ana, 'x2')), 'activate', '-')
  t.regex(said.stderr, /is not the text that was issued/)
  const strangers = await terminal.pipe(writeBlock(receiptOf(license, answer, stranger)), 'activate', '-')
  t.is(strangers.exit, 16)
  terminal.now += 800 * 86_400_000
  t.is((await terminal.pipe(writeBlock(requestOf(license, ana, 'late')), 'activate', '-')).exit, 21)
})

test('the vendor that issued a license is found among several', async (t) => {
  const { terminal, license } = await openShop(t)
  await terminal.run('init', 'zeta')
  const request = writeBlock(requestOf(license, ana, 'a1'))
  t.is((await terminal.pipe(request, 'activate', '-')).exit, 0)
  t.is((await terminal.pipe(request, 'activate', '-', '--vendor', 'zeta')).exit, 17)
})

test('of many processes that answer at once for many agents, one agent gets the license', async (t) => {
  const { license, key, ledger } = await openShop(t)
  const agents = Array.from({ length: 8 }, (_, at) => sampleKey(`agent ${at}`))
  const outcomes = await Promise.all(
    agents.map(async (agent, at) => {
      const desk = { ledger: await Ledger.open(ledger), key, now, newId: randomId }
      return answerRequest(desk, requestOf(license, agent, `n${at}`))
    }),
  )
  t.is(outcomes.filter((outcome) => outcome.kind === 'answered').length, 1)
  t.true(outcomes.every((outcome) => outcome.kind === 'answered' || outcome.code === 'activated_elsewhere'))
  t.is((await Ledger.open(ledger)).length, 2)
})

test('the numbers of one license rise without a gap, whoever writes them', async (t) => {
  const { license, key, ledger } = await openShop(t)
  const ledgers = await Promise.all([Ledger.open(ledger), Ledger.open(ledger), Ledger.open(ledger)])
  const outcomes = await Promise.all(
    ledgers.flatMap((opened, of) =>
      [0, 1, 2, 3].map((at) => {
        const desk = { ledger: opened, key, now, newId: randomId }
        return answerRequest(desk, requestOf(license, ana, `n${of}-${at}`))
      }),
    ),
  )
  const numbers = outcomes.flatMap((outcome) => (outcome.kind === 'answered' ? [outcome.answer.payload.number] : []))
  t.deepEqual(
    numbers.toSorted((one, other) => one - other),
    Array.from({ length: 12 }, (_, at) => at + 1),
  )
  t.deepEqual(
    (await readdir(ledger)).filter((name) => name.endsWith('.tmp')),
    [],
    'nothing is left over',
  )
})

test('a changed, missing or foreign entry of the ledger is named, and nothing is answered', async (t) => {
  const { terminal, license, ledger } = await openShop(t)
  const request = writeBlock(requestOf(license, ana, 'a1'))
  await terminal.pipe(request, 'activate', '-')
  await terminal.run('issue', '--product', 'cam', '--seats', '1')
  const file = join(ledger, '00000002.json')
  const text = await readFile(file, 'utf8')
  const damaged = async (changed: string) => {
    await writeFile(file, changed)
    const said = await terminal.pipe(request, 'activate', '-')
    await writeFile(file, text)
    return `${said.exit} ${/at (\S+):/.exec(said.stderr)?.[1]}`
  }
  t.is(await damaged(text.replace('"number":1', '"number":2')), '1 00000003.json', 'an entry that was changed')
  t.is(await damaged(text.slice(0, 100)), '1 00000002.json', 'an entry cut off')
  t.is(await damaged(''), '1 00000002.json', 'an empty entry')
  t.is(await damaged(text.replace('"sequence":2', '"sequence":7')), '1 00000002.json', 'a number that is not its own')
  await rm(file)
  await t.throwsAsync(Ledger.open(ledger), { instanceOf: LedgerDamage, message: /00000002\.json: it is missing/ })
  await writeFile(file, text)
  t.is((await Ledger.open(ledger)).length, 3)
  t.is((await stat(join(ledger, '00000003.json'))).mode & 0o777, 0o600)
})

test('an entry is in the ledger before the answer, and the ledger remembers what it needs', async (t) => {
  const { license, key, ledger } = await openShop(t)
  const desk = { ledger: await Ledger.open(ledger), key, now, newId: randomId }
  const outcome = await answerRequest(desk, requestOf(license, ana, 'a1'))
  if (outcome.kind === 'refused') return t.fail(outcome.detail)
  const reopened = await Ledger.open(ledger)
  t.is(reopened.find(license.payload.id)?.agents.get(ana.id)?.state, 'active')
  await takeReceipt({ ...desk, ledger: reopened }, receiptOf(license, outcome.answer, ana))
  t.is((await Ledger.open(ledger)).find(license.payload.id)?.agents.get(ana.id)?.state, 'returned')
  t.is(outcome.answer.payload.parent, hashText(license.text))
})

test('inspect says what a block is, who signed it and what it means', async (t) => {
  const { terminal, license, key } = await openShop(t)
  const request = requestOf(license, ana, 'a1')
  const said = await terminal.pipe(writeBlock(request), 'activate', '-')
  const all = [writeBlock(license), writeBlock(request), said.stdout].join('\n')
  const shown = await terminal.pipe(all, 'inspect', '-')
  t.is(shown.exit, 0, shown.stderr)
  for (const part of [
    'Kind:        license\n',
    'cad: 2 seats',
    'Kind:        activation request',
    'Kind:        activation\n',
    'Number:      1',
  ])
    t.true(shown.stdout.includes(part), part)
  const json = JSON.parse((await terminal.pipe(all, 'inspect', '-', '--json')).stdout)
  t.deepEqual(
    json.documents.map((document: { type: string }) => document.type),
    ['leasehold-license', 'leasehold-activation-request', 'leasehold-activation'],
  )
  t.is(json.documents[0].signer, key.id)

  const elsewhere = await openTerminal(t)
  t.is((await elsewhere.pipe(all, 'inspect', '-')).exit, 0, 'the license in the text names the key of its activation')
  t.is((await elsewhere.pipe(said.stdout, 'inspect', '-')).exit, 16, 'without it the signer is not known')
  const altered = writeBlock(license).replace(/^(e.{20})./m, '$1~')
  t.is((await elsewhere.pipe(altered, 'inspect', '-')).exit, 11)
  t.is((await elsewhere.pipe('nothing', 'inspect', '-', '--json')).exit, 10)
  t.is((await elsewhere.run('inspect')).exit, 2)
  t.is(openDocument(license.text, 'leasehold-license', key).kind, 'opened')
})
