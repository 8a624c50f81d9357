/**
 * Who this agent is: its key pair, its id, its secret, and which start this is. Owns the files that hold them.
 * The private key and the secret leave this module only as signatures and derived keys. Imports the domain's keys.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto'
import { chmod, link, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { keyId, type PublicJwk, type SigningKey, signingKey } from './domain/documents/keys.ts'
import type { Paths } from './paths.ts'

export interface Identity {
  /** base64url SHA-256 thumbprint (RFC 7638) of the public key; 43 characters. */
  readonly id: string
  readonly publicJwk: PublicJwk
  readonly publicKey: KeyObject
  /** Random per start, base64url. */
  readonly startId: string
  /** Signs documents in the agent's name. */
  readonly signingKey: SigningKey
  /** 32 bytes that belong to this agent and `label`, the same at every start. Use another label for every purpose. */
  deriveKey(label: string): Buffer
}

/** The files that say who we are can not be used; the message names the file and what to do. */
export class IdentityError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'IdentityError'
  }
}

/** Reads who we are, or makes it at the first start. @throws IdentityError */
export async function openIdentity(paths: Paths): Promise<Identity> {
  await prepareFolder(paths.data)
  const { pem, secretText } = await readOrMake(paths)
  const privateKey = parseKey(pem, paths.agentKey)
  const secret = parseSecret(secretText, paths.agentSecret)
  const publicKey = createPublicKey(privateKey)
  const publicJwk = exportPublic(publicKey)
  return {
    id: keyId(publicJwk),
    publicJwk,
    publicKey,
    startId: randomBytes(16).toString('base64url'),
    signingKey: signingKey(privateKey),
    deriveKey: (label) => Buffer.from(hkdfSync('sha256', secret, '', `leasehold/${label}`, 32)),
  }
}

/**
 * Writes a new `cli.key`: what the command line shows to prove that it may read the data folder. Only once the store is open:
 * a second agent that finds the store locked must not take the key of the first. @throws IdentityError
 */
export async function renewCliKey(paths: Paths): Promise<string> {
  const key = randomBytes(32).toString('base64url')
  await writeAnew(paths.cliKey, `${key}\n`)
  return key
}

/** Of our files, those that others than their owner may read, change or enter. Empty on Windows, where modes say nothing. */
export async function findLoosePermissions(
  paths: Paths,
  platform: NodeJS.Platform = process.platform,
): Promise<readonly string[]> {
  if (platform === 'win32') return []
  const loose: string[] = []
  for (const file of [paths.data, paths.store, paths.agentKey, paths.agentSecret, paths.cliKey, paths.tlsKey]) {
    const mode = await readMode(file)
    if (mode !== undefined && (mode & 0o077) !== 0) loose.push(file)
  }
  return loose
}

async function readMode(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).mode
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

async function prepareFolder(folder: string): Promise<void> {
  try {
    const made = await mkdir(folder, { recursive: true, mode: 0o700 })
    // the mask of the process may have taken more away, and never less: say what we mean for what we made
    if (made !== undefined) await chmod(folder, 0o700)
  } catch (error) {
    throw new IdentityError(
      `the data folder ${folder} can not be made (${codeOf(error)}). Set LEASEHOLD_DATA to a folder that can be written`,
      error,
    )
  }
}

/** The secret is written first: a key without a secret is a loss and not a first start. */
async function readOrMake(paths: Paths): Promise<{ pem: string; secretText: string }> {
  const pem = await readText(paths.agentKey)
  const secretText = await readText(paths.agentSecret)
  if (pem !== undefined && secretText === undefined)
    throw new IdentityError(
      `${paths.agentSecret} is missing beside ${paths.agentKey}. Restore it from a backup of the data folder`,
    )
  const secret = secretText ?? (await make(paths.agentSecret, `${randomBytes(32).toString('base64url')}\n`))
  return { secretText: secret, pem: pem ?? (await make(paths.agentKey, makeKey())) }
}

function makeKey(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

function parseKey(pem: string, file: string): KeyObject {
  let key: KeyObject
  try {
    key = createPrivateKey(pem)
  } catch (error) {
    throw new IdentityError(`${file} does not hold a private key. Restore it from a backup of the data folder`, error)
  }
  if (key.asymmetricKeyType === 'ed25519') return key
  throw new IdentityError(`${file} holds a key of type ${key.asymmetricKeyType}; an Ed25519 key is wanted`)
}

function parseSecret(text: string, file: string): Buffer {
  const secret = Buffer.from(text.trim(), 'base64url')
  if (secret.length === 32 && secret.toString('base64url') === text.trim()) return secret
  throw new IdentityError(`${file} does not hold a secret of 32 bytes. Restore it from a backup of the data folder`)
}

function exportPublic(key: KeyObject): PublicJwk {
  const { x } = key.export({ format: 'jwk' })
  if (x === undefined) throw new IdentityError('the public key has no x')
  return { kty: 'OKP', crv: 'Ed25519', x }
}

async function readText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw new IdentityError(`${file} can not be read (${codeOf(error)})`, error)
  }
}

/** Makes a file that is not there, whole or not at all; what another process made in between wins. */
async function make(file: string, text: string): Promise<string> {
  const draft = await writeDraft(file, text)
  try {
    await link(draft, file)
    await syncFolder(path.dirname(file))
    return text
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw new IdentityError(`${file} can not be written (${codeOf(error)})`, error)
    return await readFile(file, 'utf8')
  } finally {
    await rm(draft, { force: true })
  }
}

async function writeAnew(file: string, text: string): Promise<void> {
  await rename(await writeDraft(file, text), file)
}

async function writeDraft(file: string, text: string): Promise<string> {
  const draft = `${file}.${randomBytes(6).toString('hex')}.tmp`
  try {
    const handle = await open(draft, 'wx', 0o600)
    try {
      await handle.writeFile(text)
      await handle.sync()
    } finally {
      await handle.close()
    }
    return draft
  } catch (error) {
    throw new IdentityError(`${file} can not be written (${codeOf(error)})`, error)
  }
}

async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return // folders can't be opened there
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function isMissing(error: unknown): boolean {
  return codeOf(error) === 'ENOENT'
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
}
