import { createHash, sign, verify } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'ava'
import { calculateJwkThumbprint } from 'jose'
import { findLoosePermissions, IdentityError, openIdentity, renewCliKey } from '../agent/identity.ts'
import { findDataFolder, findPackageRoot, packagePaths, pathsIn } from '../agent/paths.ts'

function freshPaths() {
  return pathsIn(path.join(mkdtempSync(path.join(os.tmpdir(), 'leasehold-')), 'deep', 'data'))
}

test('the first start makes a key and a secret that later starts find again', async (t) => {
  const paths = freshPaths()
  const first = await openIdentity(paths)
  const second = await openIdentity(paths)
  t.is(second.id, first.id)
  t.deepEqual(second.deriveKey('session'), first.deriveKey('session'))
  t.notDeepEqual(first.deriveKey('session'), first.deriveKey('sign-in'))
  t.is(first.deriveKey('session').length, 32)
  t.not(second.startId, first.startId)
  t.deepEqual(readdirSync(paths.data).sort(), ['agent.key', 'agent.secret'])
})

test('the agent id is the RFC 7638 thumbprint of its public key, and signatures are by that key', async (t) => {
  const identity = await openIdentity(freshPaths())
  t.is(identity.id, await calculateJwkThumbprint(identity.publicJwk, 'sha256'))
  t.is(identity.id.length, 43)
  const data = Buffer.from('what is signed')
  const signature = sign(null, data, identity.signingKey.privateKey)
  t.true(verify(null, data, identity.publicKey, signature))
  t.false(verify(null, createHash('sha256').update(data).digest(), identity.publicKey, signature))
})

test('two starts at once in an empty folder agree on who they are', async (t) => {
  const paths = freshPaths()
  const all = await Promise.all(Array.from({ length: 8 }, () => openIdentity(paths)))
  t.is(new Set(all.map((one) => one.id)).size, 1)
  t.is(new Set(all.map((one) => one.deriveKey('x').toString('hex'))).size, 1)
})

test('the key of the command line is new at every start and replaced whole', async (t) => {
  const paths = freshPaths()
  await openIdentity(paths)
  const first = await renewCliKey(paths)
  chmodSync(paths.cliKey, 0o644)
  const second = await renewCliKey(paths)
  t.not(first, second)
  t.is(readFileSync(paths.cliKey, 'utf8').trim(), second)
  t.is(Buffer.from(second, 'base64url').length, 32)
  t.is(statSync(paths.cliKey).mode & 0o777, 0o600)
})

test('files and folder are for their owner only; loose ones are named', async (t) => {
  const paths = freshPaths()
  await openIdentity(paths)
  t.is(statSync(paths.data).mode & 0o777, 0o700)
  t.is(statSync(paths.agentKey).mode & 0o777, 0o600)
  t.is(statSync(paths.agentSecret).mode & 0o777, 0o600)
  t.deepEqual(await findLoosePermissions(paths), [])
  chmodSync(paths.agentKey, 0o640)
  chmodSync(paths.data, 0o755)
  t.deepEqual(await findLoosePermissions(paths), [paths.data, paths.agentKey])
  t.deepEqual(await findLoosePermissions(paths, 'win32'), [])
})

test('a key without its secret, and files that hold something else, are refused and named', async (t) => {
  const paths = freshPaths()
  await openIdentity(paths)
  const secret = readFileSync(paths.agentSecret, 'utf8')
  const refused = async (file: string) => {
    const error = await t.throwsAsync(openIdentity(paths), { instanceOf: IdentityError })
    t.true(error?.message.includes(file), error?.message)
  }
  rmSync(paths.agentSecret)
  await refused(paths.agentSecret)
  writeFileSync(paths.agentSecret, secret.slice(0, 20))
  await refused(paths.agentSecret)
  writeFileSync(paths.agentSecret, secret)
  writeFileSync(paths.agentKey, 'not a key')
  await refused(paths.agentKey)
  rmSync(paths.agentKey)
  mkdirSync(paths.agentKey)
  await refused(paths.agentKey)
})

test('a data folder that can not be made is named with what to do', async (t) => {
  const file = path.join(mkdtempSync(path.join(os.tmpdir(), 'leasehold-')), 'file')
  writeFileSync(file, '')
  const paths = pathsIn(path.join(file, 'data'))
  await t.throwsAsync(openIdentity(paths), { instanceOf: IdentityError, message: /LEASEHOLD_DATA/ })
})

test('the data folder is the one that is named, else the user’s', (t) => {
  t.is(findDataFolder({ LEASEHOLD_DATA: '/srv/lh', XDG_DATA_HOME: '/x' }, '/home/ana'), path.resolve('/srv/lh'))
  t.is(findDataFolder({ LEASEHOLD_DATA: '', XDG_DATA_HOME: '/x' }, '/home/ana'), path.join('/x', 'leasehold'))
  const usual = path.join('/home/ana', '.local', 'share', 'leasehold')
  t.is(findDataFolder({ XDG_DATA_HOME: 'relative' }, '/home/ana'), usual)
  t.is(findDataFolder({}, '/home/ana'), usual)
})

test('the package’s own folder is found from the source and from what is built', (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'leasehold-'))
  mkdirSync(path.join(folder, 'build', 'agent'), { recursive: true })
  writeFileSync(path.join(folder, 'package.json'), '{}')
  writeFileSync(path.join(folder, 'build', 'package.json'), '{}')
  t.is(findPackageRoot(`file://${folder}/agent/paths.ts`), folder)
  t.is(findPackageRoot(`file://${folder}/build/agent/paths.js`), folder)
  t.is(JSON.parse(readFileSync(packagePaths.manifest, 'utf8')).name, 'leasehold')
})
