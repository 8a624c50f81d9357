import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'ava'
import { openDocument } from '../../agent/domain/documents/document.ts'
import { type Certificate, Certificates, checkCertificateFiles } from '../../agent/peers/certificate.ts'
import { Introduction } from '../../agent/peers/introduction.ts'
import { ManualClock } from '../helpers/manual-clock.ts'
import { makeKey, randomId } from './peer-agent.ts'

const day = 24 * 60 * 60_000

function stand(clock = new ManualClock()) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'leasehold-certificate-'))
  const files = { certificate: path.join(folder, 'tls.crt'), key: path.join(folder, 'tls.key') }
  const named = { certificate: '', key: '' }
  const troubles: (string | undefined)[] = []
  const changes: Certificate[] = []
  const names = ['WS-17.example', 'agent-id.local']
  const make = () =>
    new Certificates({
      clock,
      files,
      named: () => named,
      names: () => names,
      onTrouble: (reason) => troubles.push(reason),
      onChange: (certificate) => changes.push(certificate),
    })
  return {
    clock,
    files,
    named,
    names,
    troubles,
    changes,
    make,
    certificates: make(),
    end: () => rmSync(folder, { recursive: true }),
  }
}

test('a certificate of our own is made at first need, is nobody else’s to read, and stays', async (t) => {
  const { files, certificates, make, clock, end } = stand()
  t.is(certificates.current, undefined)
  const [made, same] = await Promise.all([certificates.get(), certificates.get()])
  t.is(made, same)
  t.is(certificates.current, made)
  const parsed = new X509Certificate(made.certificate)
  t.is(parsed.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1')
  t.is(made.fingerprint, parsed.fingerprint256)
  t.is(Buffer.from(made.hash, 'base64url').toString('hex').toUpperCase(), made.fingerprint.replaceAll(':', ''))
  for (const host of ['localhost', 'ws-17.example', 'agent-id.local']) t.is(parsed.checkHost(host), host)
  for (const ip of ['127.0.0.1', '::1']) t.truthy(parsed.checkIP(ip), ip)
  t.false(parsed.ca)
  t.true(Date.parse(parsed.validFrom) <= clock.wall() - day)
  t.true(made.endsAt <= clock.wall() + 825 * day)
  for (const file of [files.certificate, files.key]) t.is(statSync(file).mode & 0o777, 0o600)
  t.is((await make().get()).hash, made.hash)
  end()
})

test('a certificate of our own is made anew before its end, and where its files are damaged', async (t) => {
  const { files, certificates, make, clock, changes, end } = stand()
  const first = await certificates.get()
  clock.advance(first.endsAt - clock.wall() - 31 * day)
  t.is((await certificates.refresh()).hash, first.hash)
  clock.advance(2 * day)
  const second = await certificates.refresh()
  t.not(second.hash, first.hash)
  t.deepEqual(changes, [second])
  writeFileSync(files.certificate, 'damaged')
  const third = await make().get()
  t.not(third.hash, second.hash)
  // a key of another certificate, as after a crash between the two
  writeFileSync(files.key, second.key)
  t.not((await make().get()).hash, third.hash)
  end()
})

test('a certificate of our own is made anew where the names of this machine are others, and only then', async (t) => {
  const { names, certificates, make, changes, end } = stand()
  const first = await certificates.get()
  names.reverse()
  names.push('LOCALHOST', 'ws-17.EXAMPLE', 'no, name', 'x'.repeat(300), '')
  t.is(await certificates.refresh(), first)
  names.push('license.example')
  const second = await certificates.refresh()
  t.is(new X509Certificate(second.certificate).checkHost('license.example'), 'license.example')
  t.is(await certificates.refresh(), second)
  t.is((await make().get()).hash, second.hash, 'the same after a restart')
  names.splice(0, names.length, 'license.example')
  const third = await certificates.refresh()
  t.is(new X509Certificate(third.certificate).checkHost('ws-17.example'), undefined)
  t.is(new X509Certificate(third.certificate).checkHost('license.example'), 'license.example')
  t.deepEqual(changes, [second, third])
  // renamed while it did not run
  names.push('ws-18.example')
  t.not((await make().get()).hash, third.hash)
  end()
})

test('the administrator’s certificate is read anew when its file changes, and a damaged one changes nothing', async (t) => {
  const { named, certificates, troubles, changes, end } = stand()
  const other = stand()
  const first = await other.certificates.get()
  const own = await certificates.get()
  named.certificate = other.files.certificate
  named.key = other.files.key
  const taken = await certificates.refresh()
  t.like(taken, { hash: first.hash, source: 'administrator' })
  t.not(taken.hash, own.hash)
  t.is(troubles.at(-1), undefined)
  writeFileSync(other.files.certificate, 'half of a certifi')
  t.is((await certificates.refresh()).hash, first.hash)
  t.regex(troubles.at(-1) ?? '', /are not a certificate and its key in PEM/)
  const renewed = await stand().certificates.get()
  writeFileSync(other.files.certificate, renewed.certificate)
  t.is((await certificates.refresh()).hash, first.hash)
  t.regex(troubles.at(-1) ?? '', /tls\.key is not the key of .*tls\.crt/)
  writeFileSync(other.files.key, renewed.key)
  t.is((await certificates.refresh()).hash, renewed.hash)
  t.is(troubles.at(-1), undefined)
  rmSync(other.files.key)
  t.is((await certificates.refresh()).hash, renewed.hash)
  t.regex(troubles.at(-1) ?? '', /tls\.key can not be read/)
  named.certificate = ''
  named.key = ''
  t.is((await certificates.refresh()).hash, own.hash)
  t.deepEqual(
    changes.map(({ hash }) => hash),
    [first.hash, renewed.hash, own.hash],
  )
  // files that never were any good: our own serves
  const fresh = stand()
  fresh.named.certificate = '/nowhere/crt'
  t.is((await fresh.certificates.get()).source, 'own')
  t.regex(fresh.troubles[0] ?? '', /named without its key/)
  for (const one of [fresh, other]) one.end()
  end()
})

test('a certificate and its key are checked together before a setting names them', async (t) => {
  const { files, certificates, end } = stand()
  await certificates.get()
  t.is(await checkCertificateFiles('', ''), undefined)
  t.is(await checkCertificateFiles(files.certificate, files.key), undefined)
  t.regex((await checkCertificateFiles('', files.key)) ?? '', /without a certificate/)
  t.regex((await checkCertificateFiles(files.certificate, '')) ?? '', /without its key/)
  t.regex((await checkCertificateFiles(files.key, files.certificate)) ?? '', /are not a certificate/)
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  writeFileSync(files.key, privateKey.export({ type: 'pkcs8', format: 'pem' }))
  t.regex((await checkCertificateFiles(files.certificate, files.key)) ?? '', /is not the key of/)
  t.true(readFileSync(files.key, 'utf8').includes('PRIVATE'))
  end()
})

test('the statement about the certificate is made anew in time, for another certificate, and when the clock goes back', async (t) => {
  const { certificates, clock, end, named } = stand()
  const agent = makeKey()
  const introduction = new Introduction({
    agent,
    name: () => 'WS-17',
    version: '0.1.0',
    startId: 'start-of-agent',
    startCounter: () => 3,
    certificates,
    clock,
    randomId,
  })
  const state = async () => {
    const opened = openDocument((await introduction.hello()).statement, 'leasehold-statement')
    if (opened.kind === 'refused') throw new Error(opened.detail)
    return opened.payload
  }
  const first = await state()
  t.like(first, { agent: agent.id, certificate: (await certificates.get()).hash })
  t.is(first.exp * 1000, clock.wall() + 7 * day)
  clock.advance(3 * day)
  t.is((await state()).id, first.id)
  clock.advance(day)
  const second = await state()
  t.not(second.id, first.id)
  clock.setWall(clock.wall() - 10 * day)
  const third = await state()
  t.true(third.exp < second.exp)
  const other = stand(clock)
  const taken = await other.certificates.get()
  named.certificate = other.files.certificate
  named.key = other.files.key
  await certificates.refresh()
  t.is((await state()).certificate, taken.hash)
  other.end()
  end()
})
