/**
 * The TLS certificate of this agent: the administrator's files where they are named, else one of our own, made at first need.
 * Owns the two files of the latter. Follows changes of the files. Must not import http.
 */
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto'
import { chmod, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'
import type { Clock } from '../clock.ts'

export interface Certificate {
  /** PEM, the chain included. */
  readonly certificate: string
  readonly key: string
  /** base64url SHA-256 of the certificate, as statements have it. */
  readonly hash: string
  /** The same as people compare it: pairs of hexadecimal digits with colons. */
  readonly fingerprint: string
  /** ms since 1970. */
  readonly endsAt: number
  readonly source: 'own' | 'administrator'
}

export interface CertificateParts {
  readonly clock: Pick<Clock, 'wall'>
  /** The two files of our own certificate, in the data folder. */
  readonly files: { readonly certificate: string; readonly key: string }
  /** The administrator's files; empty texts where there are none. */
  readonly named: () => { readonly certificate: string; readonly key: string }
  /** Host names for a certificate of our own: where they change, another one is made. */
  readonly names: () => readonly string[]
  /** What is wrong with the administrator's files; undefined when nothing is. */
  readonly onTrouble: (reason: string | undefined) => void
  /** Called with each new certificate that takes the place of another. */
  readonly onChange?: (certificate: Certificate) => void
}

const day = 24 * 60 * 60_000
/** macOS takes no server certificate that is valid for longer than 825 days. */
const lifetime = 730 * day
const renewBefore = 30 * day
/** What else a certificate can be asked for would be written into it in another way than it is read. */
const hostName = /^[a-z0-9._-]{1,253}$/

export class Certificates {
  readonly #parts: CertificateParts
  #current: Certificate | undefined
  #loading: Promise<Certificate> | undefined

  constructor(parts: CertificateParts) {
    this.#parts = parts
  }

  /** The one in use, if any was needed yet. */
  get current(): Certificate | undefined {
    return this.#current
  }

  /** The one in use, made or read at first need. Rejects only when our own can't be kept on disk. */
  async get(): Promise<Certificate> {
    return this.#current ?? (await this.refresh())
  }

  /** Reads the files anew; to be called every few seconds while TLS is served, and when the settings change. */
  refresh(): Promise<Certificate> {
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined
    })
    return this.#loading
  }

  async #load(): Promise<Certificate> {
    const found = (await this.#readNamed()) ?? (await this.#readOwn()) ?? (await this.#make())
    const before = this.#current
    this.#current = found
    if (before !== undefined && before.hash !== found.hash) this.#parts.onChange?.(found)
    return found
  }

  /** A damaged file must not take TLS away: the one before stays in use. */
  async #readNamed(): Promise<Certificate | undefined> {
    const { certificate, key } = this.#parts.named()
    if (certificate === '' && key === '') {
      this.#parts.onTrouble(undefined)
      return undefined
    }
    const read = await readPair(certificate, key, 'administrator')
    if (read.kind === 'read') {
      this.#parts.onTrouble(undefined)
      return read.certificate
    }
    this.#parts.onTrouble(read.reason)
    return this.#current?.source === 'administrator' ? this.#current : undefined
  }

  async #readOwn(): Promise<Certificate | undefined> {
    const { files } = this.#parts
    if (this.#current?.source === 'own' && this.#isGood(this.#current)) return this.#current
    const read = await readPair(files.certificate, files.key, 'own')
    return read.kind === 'read' && this.#isGood(read.certificate) ? read.certificate : undefined
  }

  /** It lasts, and people who open a page of this agent by one of its names find that name in it. */
  #isGood({ endsAt, certificate }: Certificate): boolean {
    const named = namesIn(certificate)
    const names = this.#names()
    const isOfThem = names.length === named.size && names.every((name) => named.has(name))
    return isOfThem && endsAt - renewBefore > this.#parts.clock.wall()
  }

  #names(): readonly string[] {
    const names = ['localhost', ...this.#parts.names()].map((name) => name.toLowerCase())
    return [...new Set(names)].filter((name) => hostName.test(name))
  }

  async #make(): Promise<Certificate> {
    const { files, clock } = this.#parts
    // loaded now: nobody needs it who never serves
    const { generate } = await import('selfsigned')
    const wall = clock.wall()
    const hosts = this.#names()
    const pems = await generate([{ name: 'commonName', value: hosts[1]?.slice(0, 64) ?? 'localhost' }], {
      keyType: 'ec',
      curve: 'P-256',
      algorithm: 'sha256',
      // clocks of others may be behind
      notBeforeDate: new Date(wall - day),
      notAfterDate: new Date(wall + lifetime),
      extensions: [
        { name: 'basicConstraints', cA: false, critical: true },
        { name: 'keyUsage', digitalSignature: true, critical: true },
        { name: 'extKeyUsage', serverAuth: true },
        {
          name: 'subjectAltName',
          altNames: [
            ...hosts.map((value) => ({ type: 2 as const, value })),
            { type: 7 as const, ip: '127.0.0.1' },
            { type: 7 as const, ip: '::1' },
          ],
        },
      ],
    })
    // The certificate is written last: one that is there has its key.
    await writeSecret(files.key, pems.private)
    await writeSecret(files.certificate, pems.cert)
    return describe(pems.cert, pems.private, 'own')
  }
}

/** What is wrong with a certificate and its key in files, as the beginning of a sentence; undefined when nothing is. */
export async function checkCertificateFiles(certificate: string, key: string): Promise<string | undefined> {
  if (certificate === '' && key === '') return undefined
  const read = await readPair(certificate, key, 'administrator')
  return read.kind === 'read' ? undefined : read.reason
}

type Read =
  | { readonly kind: 'read'; readonly certificate: Certificate }
  | { readonly kind: 'unusable'; readonly reason: string }

async function readPair(certificateFile: string, keyFile: string, source: Certificate['source']): Promise<Read> {
  if (certificateFile === '') return unusable('A key is named without a certificate')
  if (keyFile === '') return unusable('A certificate is named without its key')
  const certificate = await readText(certificateFile)
  if (certificate === undefined) return unusable(`${certificateFile} can not be read`)
  const key = await readText(keyFile)
  if (key === undefined) return unusable(`${keyFile} can not be read`)
  try {
    const fits = new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))
    if (!fits) return unusable(`${keyFile} is not the key of ${certificateFile}`)
    createSecureContext({ cert: certificate, key, minVersion: 'TLSv1.3' })
    return { kind: 'read', certificate: describe(certificate, key, source) }
  } catch {
    return unusable(`${certificateFile} and ${keyFile} are not a certificate and its key in PEM without a password`)
  }
}

function namesIn(certificate: string): ReadonlySet<string> {
  const { subjectAltName = '' } = new X509Certificate(certificate)
  return new Set(subjectAltName.split(', ').flatMap((entry) => /^DNS:(.+)$/.exec(entry)?.[1]?.toLowerCase() ?? []))
}

function unusable(reason: string): Read {
  return { kind: 'unusable', reason }
}

function describe(certificate: string, key: string, source: Certificate['source']): Certificate {
  const parsed = new X509Certificate(certificate)
  return {
    certificate,
    key,
    source,
    hash: hashCertificate(parsed.raw),
    fingerprint: parsed.fingerprint256,
    endsAt: Date.parse(parsed.validTo),
  }
}

/** @param raw DER. @returns base64url SHA-256 */
export function hashCertificate(raw: Buffer): string {
  return createHash('sha256').update(raw).digest('base64url')
}

async function readText(file: string): Promise<string | undefined> {
  return await readFile(file, 'utf8').catch(() => undefined)
}

/** Whole or not at all, and readable by nobody else. */
async function writeSecret(file: string, text: string): Promise<void> {
  const draft = `${file}.tmp`
  await rm(draft, { force: true })
  await writeFile(draft, text, { mode: 0o600, flag: 'wx', flush: true })
  await chmod(draft, 0o600)
  await rename(draft, file)
}
