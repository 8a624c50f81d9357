/**
 * `leasehold vendor inspect`: says what is in a text and whether it is signed right.
 */

import { refuse } from '../errors.ts'
import { describeDocument, inspectText } from '../vendor/inspect.ts'
import { listVendors } from '../vendor/keys.ts'
import {
  type Failure,
  findVendor,
  homeOf,
  printJson,
  readFlags,
  readInput,
  refusalFailure,
  usageFailure,
  type VendorIo,
} from './vendor-io.ts'

export const inspectUsage = `leasehold vendor inspect FILE|- [--dir FOLDER] [--json]

Says what the blocks in a text are, who signed them and what they mean.
`

export async function runInspect(args: readonly string[], io: VendorIo): Promise<Failure | undefined> {
  const read = readFlags({
    args: [...args],
    options: { dir: { type: 'string' }, json: { type: 'boolean' } },
    allowPositionals: true,
  } as const)
  if (read.kind === 'failure') return read
  const { values, positionals } = read.parsed
  const [path] = positionals
  if (path === undefined || positionals.length > 1) return usageFailure('One file is wanted, or - for standard input.')
  const input = await readInput(io, path)
  if (input.kind === 'failure') return input
  const vendors = await listVendors(homeOf(io))
  if (values.dir !== undefined) {
    const vendor = await findVendor(io, { dir: values.dir })
    if (vendor.kind === 'failure') return vendor
    vendors.push(vendor)
  }
  const inspected = inspectText(
    input.text,
    vendors.map((vendor) => vendor.key),
  )
  if (inspected.kind === 'refused') return refusalFailure(inspected)

  const { findings, damaged } = inspected
  if (values.json) {
    const documents = findings.map((finding) =>
      finding.kind === 'opened'
        ? { type: finding.typ, signature: 'good', signer: finding.signer, payload: finding.payload }
        : { refused: finding.code, detail: finding.detail },
    )
    printJson(io, { documents, damaged })
  } else {
    const parts = findings.map((finding) =>
      finding.kind === 'opened'
        ? describeDocument(finding)
            .map(([label, value]) => `${`${label}:`.padEnd(13)}${value}\n`)
            .join('')
        : `${'Refused:'.padEnd(13)}${finding.detail} (${finding.code})\n`,
    )
    io.stdout.write([...parts, ...damaged.map((label) => `${'Damaged:'.padEnd(13)}${label}\n`)].join('\n'))
  }
  const bad = findings.find((finding) => finding.kind === 'refused')
  if (bad?.kind === 'refused') return refusalFailure(bad)
  return damaged.length > 0
    ? refusalFailure(refuse('document_altered', `Nothing is left of the block ${damaged[0]}.`))
    : undefined
}
