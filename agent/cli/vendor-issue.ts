/**
 * `leasehold vendor issue`: signs a license of a license file, of flags, or of both; flags go first.
 */
import { join } from 'node:path'
import { writeBlock } from '../domain/documents/armor.ts'
import { shortName } from '../domain/documents/fields.ts'
import type { FieldIssue } from '../domain/documents/issues.ts'
import { issueLicense } from '../vendor/issue.ts'
import { ledgerFolder, randomId } from '../vendor/keys.ts'
import { Ledger } from '../vendor/ledger.ts'
import { checkLicenseFile, type LicenseFileReading, readLicenseFile } from '../vendor/license-file.ts'
import {
  type Failure,
  findVendor,
  printJson,
  readInput,
  usageFailure,
  type VendorIo,
  writeOutput,
} from './vendor-io.ts'
import { flagOf, type IssueFlags, readIssueFlags, wanted } from './vendor-issue-flags.ts'

export const issueUsage = `leasehold vendor issue [FILE|-] [flags]

Signs a license and writes it as a block of text. FILE is a license file (docs/license-file.md);
flags go before what it says.

  --vendor NAME          the vendor that signs (default: the only one there is)
  --product NAME         a product; --seats, --title and --feature that follow belong to it; may be repeated
  --any-product          seats that fit every product of the vendor; --seats belongs to it
  --seats N              how many seats
  --feature NAME[=N]     a feature, with a limit of its own or without; may be repeated
  --title TEXT           name of the product for people
  --kind KIND            network (default) or standalone
  --count RULE           session (default), process, host or user
  --lease-seconds N      20 to 86400 (default 600)
  --starts DATE          first day or instant (default: at once)
  --ends DATE            last day or instant (default: never)
  --months N             length in months in place of --ends
  --detach-days N        allows detaching for at most so many days
  --no-activation        the license is not bound to a machine
  --customer TEXT        whom the license is for
  --owner EMAIL          account that owns the license
  --replaces ID          an earlier license that ends with this one; may be repeated
  --out FILE             where to write the block (default: standard output)
  --dir FOLDER           vendor folder (default: ~/.leasehold-vendor/NAME)
  --json                 the result as JSON
`

interface Source {
  readonly flags: IssueFlags
  readonly file?: LicenseFileReading
}

/** Says what is wrong by the flag or the place in the file that it comes from. */
function spellIssue({ flags, file }: Source, issue: FieldIssue): string {
  const field = String(issue.path[0] ?? '')
  if (file !== undefined && !Object.hasOwn(flags.fields, field)) {
    const { line, column } = file.locate(issue.path)
    return `${flags.file}:${line}:${column}: ${issue.path.join('.')}: ${issue.message}.`
  }
  const flag = flagOf(issue.path)
  if (issue.between) return `${flag}: ${issue.message}.`
  const given = issue.path.reduce<unknown>(
    (value, step) => (value as Record<string | number, unknown>)?.[step],
    flags.fields,
  )
  return `${flag}: wants ${wanted[flag]}${typeof given === 'string' || typeof given === 'number' ? `, not "${given}"` : ''}.`
}

async function readSource(io: VendorIo, flags: IssueFlags): Promise<Source | Failure> {
  if (flags.file === undefined) return { flags }
  const input = await readInput(io, flags.file)
  if (input.kind === 'failure') return input
  const file = readLicenseFile(input.text)
  if (file.kind === 'unreadable')
    return usageFailure(
      ...file.issues.map(
        ({ message, line, column }) => `${flags.file}${line ? `:${line}:${column}` : ''}: ${message}.`,
      ),
    )
  return { flags, file }
}

export async function runIssue(args: readonly string[], io: VendorIo): Promise<Failure | undefined> {
  const flags = readIssueFlags(args)
  if (flags.kind === 'failure') return flags
  const source = await readSource(io, flags)
  if ('kind' in source) return source
  const merged: Record<string, unknown> = { ...source.file?.fields, ...flags.fields }
  // The name becomes part of a path, so it is checked first.
  const named = merged.vendor === undefined ? undefined : shortName.safeParse(merged.vendor)
  if (named?.success === false)
    return usageFailure(spellIssue(source, { path: ['vendor'], message: 'is not a short name', between: false }))
  const vendor = await findVendor(io, { dir: flags.dir, vendor: named?.data })
  if (vendor.kind === 'failure') return vendor
  const checked = checkLicenseFile({ ...merged, vendor: vendor.name })
  if (checked.kind === 'bad') return usageFailure(...checked.issues.map((issue) => spellIssue(source, issue)))

  const now = Math.floor(io.now() / 1000)
  const outcome = issueLicense({ file: checked.file, key: vendor.key, id: randomId(), now })
  if (outcome.kind === 'over') {
    const path = checked.file.months === undefined ? ['ends'] : ['months']
    return usageFailure(
      spellIssue(source, {
        between: true,
        path,
        message: `the license would be over since ${new Date(outcome.endsAt * 1000).toISOString()}`,
      }),
    )
  }
  const { license } = outcome
  const ledger = await Ledger.open(join(vendor.folder, ledgerFolder))
  await ledger.record(now, () => ({
    event: { kind: 'issued', license: license.payload.id, text: license.text },
    answer: undefined,
  }))
  const block = writeBlock(license)
  if (flags.out !== undefined) {
    const failed = await writeOutput(flags.out, block)
    if (failed !== undefined) return failed
  }
  const { id } = license.payload
  if (flags.json)
    printJson(io, { id, ...(flags.out === undefined ? { block } : { file: flags.out }), license: license.payload })
  else if (flags.out === undefined) {
    io.stdout.write(block)
    io.stderr.write(`License ${id} is issued.\n`)
  } else io.stdout.write(`License ${id} is issued: ${flags.out}\n`)
  return undefined
}
