/**
 * What the vendor commands share: the streams they are given, their exit codes, and how they say no.
 */
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { type ParseArgsConfig, parseArgs } from 'node:util'
import { maxDocumentLength } from '../domain/documents/jws.ts'
import { type ErrorCode, errorTable, type Refusal } from '../errors.ts'
import { replaceDurably } from '../vendor/durable-file.ts'
import { listVendors, openVendor, type UnusableFolder, type Vendor, vendorHome } from '../vendor/keys.ts'

export interface VendorIo {
  readonly stdout: { write(text: string): unknown }
  readonly stderr: { write(text: string): unknown }
  readonly stdin: AsyncIterable<Buffer | string>
  readonly env: Readonly<Record<string, string | undefined>>
  /** Wall time in ms since 1970. */
  now(): number
}

/** Documented in docs/license-file.md; a code once given keeps its meaning. */
export const exitCodes = { done: 0, failed: 1, usage: 2, vendorFolder: 3, unreadableFile: 4 } as const

const refusalExitCodes: Partial<Record<ErrorCode, number>> = {
  not_a_document: 10,
  document_altered: 11,
  bad_signature: 12,
  document_invalid: 13,
  document_too_new: 14,
  body_too_large: 15,
  wrong_recipient: 16,
  unknown_license: 17,
  activated_elsewhere: 18,
  document_superseded: 19,
  already_returned: 20,
  license_expired: 21,
}

/** Why a command did nothing more; `exit` is its exit code. */
export interface Failure {
  readonly kind: 'failure'
  readonly exit: number
  readonly code: string
  /** Whole sentences, one a line. */
  readonly lines: readonly string[]
}

export function failure(exit: number, code: string, ...lines: string[]): Failure {
  return { kind: 'failure', exit, code, lines }
}

export function usageFailure(...lines: string[]): Failure {
  return failure(exitCodes.usage, 'usage', ...lines)
}

export function refusalFailure({ code, detail }: Refusal): Failure {
  return failure(refusalExitCodes[code] ?? exitCodes.failed, code, detail, errorTable[code].help)
}

export function folderFailure({ reason, detail }: UnusableFolder): Failure {
  return failure(exitCodes.vendorFolder, `vendor_folder_${reason}`, detail)
}

/** The user's home, where vendor folders are by default. */
export function homeOf(io: VendorIo): string {
  return io.env.HOME || io.env.USERPROFILE || homedir()
}

/** The text of a file, `-` = standard input. */
export async function readInput(io: VendorIo, path: string): Promise<{ kind: 'text'; text: string } | Failure> {
  try {
    if (path !== '-') return { kind: 'text', text: await readFile(path, 'utf8') }
    const chunks: Buffer[] = []
    let length = 0
    for await (const chunk of io.stdin) {
      const bytes = Buffer.from(chunk)
      length += bytes.length
      if (length > 2 * maxDocumentLength)
        return failure(exitCodes.unreadableFile, 'unreadable_file', 'Standard input is too long.')
      chunks.push(bytes)
    }
    return { kind: 'text', text: Buffer.concat(chunks).toString('utf8') }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return failure(exitCodes.unreadableFile, 'unreadable_file', `${path} can not be read: ${why}`)
  }
}

/** Parses flags; what is wrong with them is said by the name of the flag. */
export function readFlags<T extends ParseArgsConfig>(
  config: T,
): { kind: 'flags'; parsed: ReturnType<typeof parseArgs<T>> } | Failure {
  try {
    return { kind: 'flags', parsed: parseArgs<T>(config) }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    // Node's words after the first sentence are about how to write a positional argument.
    const flag = /'(-[^\s',]+)/.exec(message)?.[1]
    if (flag !== undefined && message.startsWith('Unknown option'))
      return usageFailure(`${flag}: there is no such flag.`)
    return usageFailure(message.split('. ')[0]?.replace(/\.?$/, '.') ?? message)
  }
}

/** The vendor that `--dir` or `--vendor` names, or the only one there is. */
export async function findVendor(
  io: VendorIo,
  named: { readonly dir?: string | undefined; readonly vendor?: string | undefined },
): Promise<Vendor | Failure> {
  const home = homeOf(io)
  if (named.dir !== undefined || named.vendor !== undefined) {
    const opened = await openVendor(named.dir ?? join(vendorHome(home), named.vendor ?? ''))
    if (opened.kind === 'unusable') return folderFailure(opened)
    if (named.vendor !== undefined && opened.name !== named.vendor)
      return usageFailure(`--vendor: ${opened.folder} is the folder of vendor ${opened.name}, not of ${named.vendor}.`)
    return opened
  }
  const vendors = await listVendors(home)
  const [only] = vendors
  if (only !== undefined && vendors.length === 1) return only
  return vendors.length === 0
    ? failure(
        exitCodes.vendorFolder,
        'vendor_folder_missing',
        'There is no vendor yet. Make one with: leasehold vendor init NAME',
      )
    : usageFailure(
        `--vendor: wants the name of one of your vendors: ${vendors.map((vendor) => vendor.name).join(', ')}.`,
      )
}

/** Writes what `--out` asks for. */
export async function writeOutput(path: string, text: string): Promise<Failure | undefined> {
  try {
    await replaceDurably(path, text, 0o644)
    return undefined
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return failure(exitCodes.unreadableFile, 'unwritable_file', `--out: ${path} can not be written: ${why}`)
  }
}

export function printJson(io: VendorIo, value: unknown): void {
  io.stdout.write(`${JSON.stringify(value, null, 2)}\n`)
}
