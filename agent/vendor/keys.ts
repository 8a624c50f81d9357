/**
 * The vendor folder: the private key that signs licenses, and what belongs to it. Made once, never overwritten.
 */
import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { z } from 'zod'
import { shortName } from '../domain/documents/fields.ts'
import { publicJwk, type SigningKey, signingKey } from '../domain/documents/keys.ts'
import { createDurably, hasCode, syncFolder } from './durable-file.ts'

const keyFile = 'key.pem'
const vendorFile = 'vendor.json'
export const ledgerFolder = 'ledger'

const vendorSchema = z.strictObject({ name: shortName, key: publicJwk })

export interface Vendor {
  readonly kind: 'vendor'
  readonly name: string
  readonly folder: string
  readonly key: SigningKey
}

/** A folder that can't be used; `detail` is a sentence that says what to do. */
export interface UnusableFolder {
  readonly kind: 'unusable'
  readonly reason: 'missing' | 'exists' | 'loose_permissions' | 'damaged'
  readonly detail: string
}

function unusable(reason: UnusableFolder['reason'], detail: string): UnusableFolder {
  return { kind: 'unusable', reason, detail }
}

/** Where vendor folders are kept by default. */
export function vendorHome(home: string): string {
  return join(home, '.leasehold-vendor')
}

/** Fresh id of a document: 16 characters, 80 bits, easily read and never beginning with a dash. */
export function randomId(): string {
  return Array.from(randomBytes(16), (byte) => '0123456789abcdefghjkmnpqrstvwxyz'.charAt(byte & 31)).join('')
}

/** Makes folder (0700) and key (0600). The folder appears whole or not at all. @param name must be a short name */
export async function createVendor(
  folder: string,
  name: string,
  newKey: () => KeyObject = () => generateKeyPairSync('ed25519').privateKey,
): Promise<Vendor | UnusableFolder> {
  const target = resolve(folder)
  const parent = dirname(target)
  await mkdir(parent, { recursive: true, mode: 0o700 })
  const draft = await mkdtemp(join(parent, `.${basename(target)}.`))
  try {
    const key = signingKey(newKey())
    const pem = key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    await createDurably(join(draft, keyFile), pem, 0o600)
    await createDurably(join(draft, vendorFile), `${JSON.stringify({ name, key: key.jwk }, null, 2)}\n`, 0o600)
    await mkdir(join(draft, ledgerFolder), { mode: 0o700 })
    await syncFolder(draft)
    await rename(draft, target)
    await syncFolder(parent)
    return { kind: 'vendor', name, folder: target, key }
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    if (['EEXIST', 'ENOTEMPTY', 'ENOTDIR', 'EPERM'].some((code) => hasCode(error, code)))
      return unusable('exists', `${target} is there already. A vendor key is never overwritten; choose another folder.`)
    throw error
  }
}

export async function openVendor(folder: string): Promise<Vendor | UnusableFolder> {
  const target = resolve(folder)
  const keyPath = join(target, keyFile)
  try {
    const { mode } = await stat(keyPath)
    if (process.platform !== 'win32' && (mode & 0o077) !== 0)
      return unusable('loose_permissions', `Others may read ${keyPath}. Make it yours alone: chmod 600 ${keyPath}`)
    const key = signingKey(createPrivateKey(await readFile(keyPath)))
    const vendor = vendorSchema.parse(JSON.parse(await readFile(join(target, vendorFile), 'utf8')))
    if (vendor.key.x !== key.jwk.x) return unusable('damaged', `${keyPath} is not the key that ${vendorFile} names.`)
    return { kind: 'vendor', name: vendor.name, folder: target, key }
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR'))
      return unusable('missing', `There is no vendor in ${target}. Make one with: leasehold vendor init NAME`)
    return unusable(
      'damaged',
      `The vendor in ${target} can not be read: ${error instanceof Error ? error.message : error}`,
    )
  }
}

/** The vendors in the default place that can be used. */
export async function listVendors(home: string): Promise<Vendor[]> {
  const names = await readdir(vendorHome(home)).catch(() => [])
  const opened = await Promise.all(
    names.filter((name) => !name.startsWith('.')).map((name) => openVendor(join(vendorHome(home), name))),
  )
  return opened.filter((vendor) => vendor.kind === 'vendor')
}
