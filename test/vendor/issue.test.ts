/**
 * Vendor folders, license files and flags, and the licenses they make.
 */
import { chmod, mkdir, readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { readBlocks } from '../../agent/domain/documents/armor-reader.ts'
import { openDocument } from '../../agent/domain/documents/document.ts'
import type { License } from '../../agent/domain/documents/license.ts'
import { issueLicense } from '../../agent/vendor/issue.ts'
import { createVendor, openVendor, randomId } from '../../agent/vendor/keys.ts'
import { checkLicenseFile, readDate, readLicenseFile } from '../../agent/vendor/license-file.ts'
import { now, vendor } from '../domain/documents/samples.ts'
import { schemaFile, spellSchema } from './make-schema.ts'
import { openTerminal, type Terminal } from './terminal.ts'

async function openAcme(terminal: Terminal): Promise<void> {
  await terminal.run('init', 'acme')
}

/** What matters of a license: all but its id, its time and its vendor's key. */
function termsOf(license: License): object {
  const { id: _, iat: __, vendor: signer, ...terms } = license
  return { ...terms, vendor: signer.name }
}

async function issue(terminal: Terminal, ...args: string[]): Promise<License> {
  const said = await terminal.run('issue', ...args, '--json')
  if (said.exit !== 0) throw new Error(said.stderr)
  return JSON.parse(said.stdout).license
}

test('a vendor is a folder that only its owner may read, and is never made twice', async (t) => {
  const terminal = await openTerminal(t)
  const said = await terminal.run('init', 'acme')
  t.is(said.exit, 0)
  t.regex(said.stdout, /Fingerprint, to publish: +[0-9A-Z]{5}(-[0-9A-Z]{5}){3}\n/)
  const folder = terminal.path('.leasehold-vendor/acme')
  t.is((await stat(folder)).mode & 0o777, 0o700)
  t.is((await stat(join(folder, 'key.pem'))).mode & 0o777, 0o600)
  const key = await readFile(join(folder, 'key.pem'), 'utf8')
  const again = await terminal.run('init', 'acme')
  t.is(again.exit, 3)
  t.regex(again.stderr, /never overwritten/)
  t.is(await readFile(join(folder, 'key.pem'), 'utf8'), key)
  t.deepEqual(await readdir(terminal.path('.leasehold-vendor')), ['acme'], 'nothing is left over')
})

test('a vendor can be kept in any folder, an empty one too, and in no file', async (t) => {
  const terminal = await openTerminal(t)
  await mkdir(terminal.path('empty'))
  t.is((await terminal.run('init', 'acme', '--dir', terminal.path('empty'))).exit, 0)
  t.is((await terminal.run('init', 'acme', '--dir', terminal.path('deep/er'), '--json')).exit, 0)
  t.is((await terminal.run('init', 'acme', '--dir', await terminal.write('file', ''))).exit, 3)
  t.is((await terminal.run('issue', '--dir', terminal.path('deep/er'), '--product', 'cad', '--seats', '1')).exit, 0)
})

test('a name that could leave the folder is refused', async (t) => {
  const terminal = await openTerminal(t)
  for (const name of ['..', '../acme', 'Acme', '-x', '', 'a/b', 'x'.repeat(65)])
    t.is((await terminal.run('init', name)).exit, 2, name)
  await openAcme(terminal)
  t.is((await terminal.run('issue', '--vendor', '../../etc', '--product', 'cad', '--seats', '1')).exit, 2)
})

test('a key that others may read is not used', async (t) => {
  const terminal = await openTerminal(t)
  await openAcme(terminal)
  await chmod(terminal.path('.leasehold-vendor/acme/key.pem'), 0o640)
  const said = await terminal.run('issue', '--vendor', 'acme', '--product', 'cad', '--seats', '1')
  t.is(said.exit, 3)
  t.regex(said.stderr, /chmod 600/)
})

test('a vendor folder with another key or without one is named', async (t) => {
  const terminal = await openTerminal(t)
  const folder = terminal.path('v')
  t.is((await openVendor(folder)).kind, 'unusable')
  await createVendor(folder, 'acme')
  await terminal.write('v/vendor.json', JSON.stringify({ name: 'acme', key: vendor.jwk }))
  const opened = await openVendor(folder)
  t.is(opened.kind === 'unusable' && opened.reason, 'damaged')
})

test('ids are never equal and never begin with a dash', (t) => {
  const ids = Array.from({ length: 1000 }, randomId)
  t.is(new Set(ids).size, 1000)
  t.true(ids.every((id) => /^[0-9a-z]{16}$/.test(id)))
})

test('a license is written as a block, by default where it can be redirected', async (t) => {
  const terminal = await openTerminal(t)
  await openAcme(terminal)
  const said = await terminal.run('issue', '--vendor', 'acme', '--product', 'cad', '--seats', '2')
  t.is(said.exit, 0)
  t.true(said.stdout.startsWith('-----BEGIN LEASEHOLD LICENSE-----\nVendor: acme\nProduct: cad (2)\n'))
  t.true(said.stdout.endsWith('-----END LEASEHOLD LICENSE-----\n'))
  t.regex(said.stderr, /^License \S+ is issued\.\n$/)
  const saved = await terminal.run('issue', '--product', 'cad', '--seats', '2', '--out', terminal.path('cad.txt'))
  t.regex(saved.stdout, /cad\.txt\n$/)
  const reading = readBlocks(await terminal.read('cad.txt'))
  t.is(reading.kind === 'blocks' && openDocument(reading.blocks[0]?.text ?? '', 'leasehold-license').kind, 'opened')
  t.is((await terminal.run('issue', '--product', 'cad', '--seats', '2', '--out', terminal.path('no/where'))).exit, 4)
})

test('flags and a license file that say the same make the same license', async (t) => {
  const terminal = await openTerminal(t)
  await openAcme(terminal)
  const cases: [string, string[]][] = [
    ['vendor: acme\nproducts: [{ name: cad, seats: 2 }]', ['--product', 'cad', '--seats', '2']],
    ['vendor: acme\nproducts: [{ name: cad, seats: 2 }]', ['--seats', '2', '--product', 'cad']],
    [
      `
vendor: acme
kind: standalone
count: user
leaseSeconds: 60
starts: 2026-12-01
ends: 2027-11-30
customer: Example Ltd
owner: ana@example.com
replaces: [old-license-1, old-license-2]
activation: { needed: false }
products:
  - name: cad
    title: Acme CAD
    seats: 10
    features:
      - name: render
        seats: 2
      - name: export
  - any: true
    seats: 3`,
      '--kind standalone --count user --lease-seconds 60 --starts 2026-12-01 --ends 2027-11-30 --customer'
        .split(' ')
        .concat('Example Ltd', '--title', 'Acme CAD')
        .concat(
          '--owner ana@example.com --replaces old-license-1 --replaces old-license-2 --no-activation'.split(' '),
          '--product cad --seats 10 --feature render=2 --feature export --any-product --seats 3'.split(' '),
        ),
    ],
    [
      'vendor: acme\nproducts: [{ name: cad, seats: 1 }]\nmonths: 12\ndetach: { maxDays: 14 }',
      '--product cad --seats 1 --months 12 --detach-days 14'.split(' '),
    ],
  ]
  for (const [yaml, flags] of cases) {
    const file = await terminal.write('license.yaml', yaml)
    t.deepEqual(termsOf(await issue(terminal, ...flags)), termsOf(await issue(terminal, file)))
  }
})

test('the same file, key, id and date make the same license, byte by byte', (t) => {
  const checked = checkLicenseFile({ vendor: 'acme', products: [{ name: 'cad', seats: 2 }], months: 12 })
  if (checked.kind === 'bad') return t.fail()
  const make = () => issueLicense({ file: checked.file, key: vendor, id: 'license-1', now })
  t.deepEqual(make(), make())
})

test('flags go before the license file', async (t) => {
  const terminal = await openTerminal(t)
  await openAcme(terminal)
  const file = await terminal.write(
    'license.yaml',
    'products: [{ name: cad, seats: 2 }]\ncount: host\ncustomer: Example Ltd',
  )
  const license = await issue(terminal, file, '--count', 'user', '--product', 'cam', '--seats', '4')
  t.deepEqual(license.products, [{ name: 'cam', seats: 4 }])
  t.is(license.count, 'user')
  t.is(license.customer, 'Example Ltd')
  const piped = await terminal.pipe('products: [{ name: cad, seats: 2 }]', 'issue', '-', '--json')
  t.is(JSON.parse(piped.stdout).license.count, 'session')
})

test('dates are days in UTC with their whole length, or instants', async (t) => {
  const terminal = await openTerminal(t)
  await openAcme(terminal)
  const term = async (...flags: string[]) => {
    const { nbf, exp, model } = await issue(terminal, '--product', 'cad', '--seats', '1', ...flags)
    return [nbf, exp].map((at) => at && new Date(at * 1000).toISOString().slice(0, 19)).concat(model)
  }
  t.deepEqual(await term(), [undefined, undefined, 'perpetual'])
  t.deepEqual(await term('--starts', '2026-12-01', '--ends', '2026-12-31'), [
    '2026-12-01T00:00:00',
    '2026-12-31T23:59:59',
    'subscription',
  ])
  t.deepEqual(await term('--starts', '2027-01-31', '--months', '1'), [
    '2027-01-31T00:00:00',
    '2027-02-28T00:00:00',
    'subscription',
  ])
  t.deepEqual(await term('--months', '12'), [undefined, '2027-11-24T12:00:00', 'subscription'])
  t.deepEqual(await term('--ends', '2027-01-01T08:00:00+02:00'), [undefined, '2027-01-01T06:00:00', 'subscription'])
  t.is(readDate('2026-02-30', 'start'), undefined)
  t.is(readDate('2026-13-01', 'start'), undefined)
  t.is(readDate('2028-02-29', 'start'), Date.UTC(2028, 1, 29) / 1000)
})

test('a wrong flag is named with what is wanted', async (t) => {
  const terminal = await openTerminal(t)
  await openAcme(terminal)
  const cad = ['--product', 'cad', '--seats', '2']
  const cases: [string[], RegExp][] = [
    [['--product', 'cad', '--seats', 'many'], /^--seats: wants a whole number from 1 to 1000000, not "many"\.\n/],
    [['--product', 'cad', '--seats', '0'], /^--seats: wants .*, not "0"/],
    [['--product', 'cad'], /^--seats: wants a whole number from 1 to 1000000\.\n/],
    [[], /^--product: wants a short name/],
    [['--seats', '2'], /^--seats: belongs to a --product, and there is none/],
    [['--product', 'Cad', '--seats', '2'], /^--product: wants a short name.*, not "Cad"/],
    [[...cad, '--feature', 'render=3'], /^--feature: feature render has more seats \(3\) than its product \(2\)/],
    [[...cad, '--seats', '3'], /^--seats: stands twice for one product/],
    [['--seats', '3', ...cad], /^--seats: stands twice for one product/],
    [[...cad, ...cad], /^--product: product cad stands here twice/],
    [['--any-product', '--seats', '1', '--feature', 'x'], /^--feature: any-product seats have neither/],
    [[...cad, '--count', 'floor'], /^--count: wants session, process, host or user, not "floor"/],
    [[...cad, '--kind', 'cloud'], /^--kind: wants network or standalone/],
    [[...cad, '--lease-seconds', '5'], /^--lease-seconds: wants a whole number from 20 to 86400, not "5"/],
    [[...cad, '--ends', '2026-02-30'], /^--ends: is not a day of the calendar/],
    [[...cad, '--ends', 'soon'], /^--ends: wants a day such as .*, not "soon"/],
    [[...cad, '--ends', '2020-01-01'], /^--ends: the license would be over since 2020-01-01/],
    [[...cad, '--starts', '2027-02-01', '--ends', '2027-01-01'], /^--ends: is not after starts/],
    [[...cad, '--ends', '2027-01-01', '--months', '3'], /^--months: stands beside ends/],
    [
      [...cad, '--kind', 'standalone', '--detach-days', '3'],
      /^--detach-days: seats of a stand-alone license are never detached/,
    ],
    [[...cad, '--owner', 'ana'], /^--owner: wants an e-mail address, not "ana"/],
    [[...cad, '--title', 'a\nb'], /^--title: wants a text/],
    [[...cad, '--seets', '2'], /^--seets: there is no such flag/],
    [[...cad, '--vendor', 'other'], /no vendor in .*other/],
    [['a.yaml', 'b.yaml'], /"b.yaml": at most one license file/],
  ]
  for (const [flags, message] of cases) {
    const said = await terminal.run('issue', ...flags)
    t.true(said.exit === 2 || said.exit === 3, flags.join(' '))
    t.regex(said.stderr, message)
    t.is(said.stdout, '')
  }
  t.deepEqual(await readdir(terminal.path('.leasehold-vendor/acme/ledger')), [], 'nothing was issued')
})

test('what is wrong in a license file is said with its line and column', async (t) => {
  const terminal = await openTerminal(t)
  await openAcme(terminal)
  const said = async (yaml: string) => {
    const file = await terminal.write('license.yaml', yaml)
    const { exit, stderr } = await terminal.run('issue', file)
    t.is(exit, 2)
    return stderr.replaceAll(file, 'FILE').split('\n').slice(0, -2)
  }
  t.deepEqual(
    await said(
      'products:\n  - name: cad\n    seats: 2\n    features:\n      - name: render\n        seats: 3\ncolor: red',
    ),
    [
      'FILE:7:8: color: there is no such field.',
      'FILE:6:16: products.0.features.0.seats: feature render has more seats (3) than its product (2).',
    ],
  )
  t.deepEqual(await said('products:\n  - name: cad\n    seats: lots'), [
    'FILE:3:12: products.0.seats: expected number, received string.',
  ])
  t.regex((await said('products: [1\nkind: network'))[0] ?? '', /^FILE:2:1: /)
  t.regex((await said('kind: network\nkind: standalone'))[0] ?? '', /^FILE:2:1: Map keys must be unique/)
  t.deepEqual(await said('just a text'), ['FILE:1:1: a license file is a list of "name: value" lines.'])
  t.is((await terminal.run('issue', terminal.path('missing.yaml'))).exit, 4)
})

test('a license file can not make its reader build something huge', (t) => {
  const bomb = [
    'a: &a [x, x, x, x, x, x, x, x, x]',
    ...'bcdefghi'.split('').map((name, at) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[at]}`).join()}]`),
  ]
  t.is(readLicenseFile(bomb.join('\n')).kind, 'unreadable')
})

test('with several vendors one must be named', async (t) => {
  const terminal = await openTerminal(t)
  t.is((await terminal.run('issue', '--product', 'cad', '--seats', '1')).exit, 3)
  await terminal.run('init', 'acme')
  await terminal.run('init', 'zeta')
  const said = await terminal.run('issue', '--product', 'cad', '--seats', '1')
  t.is(said.exit, 2)
  t.regex(said.stderr, /^--vendor: wants the name of one of your vendors: acme, zeta/)
  const license = await issue(terminal, '--vendor', 'zeta', '--product', 'cad', '--seats', '1')
  t.is(license.vendor.name, 'zeta')
  const mixed = await terminal.run(
    'issue',
    '--vendor',
    'acme',
    '--dir',
    terminal.path('.leasehold-vendor/zeta'),
    '--product',
    'cad',
    '--seats',
    '1',
  )
  t.regex(mixed.stderr, /is the folder of vendor zeta, not of acme/)
})

test('the JSON Schema in the docs is that of the code', async (t) => {
  t.is(await readFile(schemaFile, 'utf8'), spellSchema())
})

test('the examples in the docs are good license files', async (t) => {
  const text = await readFile(new URL('../../../docs/license-file.md', import.meta.url), 'utf8')
  const examples = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map((match) => match[1] ?? '')
  t.true(examples.length >= 2)
  for (const example of examples) {
    const reading = readLicenseFile(example)
    if (reading.kind === 'unreadable') return t.fail(reading.issues[0]?.message)
    t.deepEqual(checkLicenseFile(reading.fields).kind, 'good', example)
  }
})

test('help is given for every command, and what is no command is refused', async (t) => {
  const terminal = await openTerminal(t)
  for (const command of ['init', 'issue', 'activate', 'inspect']) {
    const said = await terminal.run(command, '--help')
    t.is(said.exit, 0)
    t.true(said.stdout.startsWith(`leasehold vendor ${command}`))
  }
  t.is((await terminal.run()).exit, 2)
  t.is((await terminal.run('--help')).exit, 0)
  t.regex((await terminal.run('serve')).stderr, /no command "vendor serve"/)
  t.is((await terminal.run('__proto__')).exit, 2)
})
