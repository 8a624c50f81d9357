/**
 * `leasehold vendor activate`: takes in deactivation receipts and answers activation requests.
 */
import { join } from 'node:path'
import { writeBlock } from '../domain/documents/armor.ts'
import { openBlock, readBlocks } from '../domain/documents/armor-reader.ts'
import { documentNames, type Opened } from '../domain/documents/document.ts'
import { shortGroups } from '../domain/documents/keys.ts'
import { refuse } from '../errors.ts'
import { type ActivationDesk, answerRequest, takeReceipt } from '../vendor/activate.ts'
import { ledgerFolder, listVendors, randomId, type Vendor } from '../vendor/keys.ts'
import { Ledger } from '../vendor/ledger.ts'
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
  writeOutput,
} from './vendor-io.ts'

export const activateUsage = `leasehold vendor activate FILE|- … [flags]

Answers activation requests, after taking in deactivation receipts. A file may hold several blocks.

  --receipt FILE   a deactivation receipt of the agent that had the license before; may be repeated
  --force          answers although another agent has the license and gave no receipt; this is recorded
  --out FILE       where to write the answer (default: standard output)
  --vendor NAME    the vendor (default: the one that issued the license)
  --dir FOLDER     vendor folder (default: ~/.leasehold-vendor/NAME)
  --json           the result as JSON
`

interface Taken {
  readonly requests: Opened<'leasehold-activation-request'>[]
  readonly receipts: Opened<'leasehold-deactivation'>[]
}

async function readTaken(io: VendorIo, files: readonly string[]): Promise<Taken | Failure> {
  const taken: Taken = { requests: [], receipts: [] }
  for (const file of files) {
    const input = await readInput(io, file)
    if (input.kind === 'failure') return input
    const reading = readBlocks(input.text)
    if (reading.kind === 'refused') return refusalFailure({ ...reading, detail: `${file}: ${reading.detail}` })
    if (reading.damaged.length > 0)
      return refusalFailure(refuse('document_altered', `${file}: nothing is left of the block ${reading.damaged[0]}.`))
    for (const block of reading.blocks) {
      const opened = openBlock(block, () => undefined)
      if (opened.kind === 'refused' && opened.facts?.typ === undefined)
        return refusalFailure({ ...opened, detail: `${file}: ${opened.detail}` })
      if (opened.kind === 'opened' && opened.typ === 'leasehold-activation-request') taken.requests.push(opened)
      else if (opened.kind === 'opened' && opened.typ === 'leasehold-deactivation') taken.receipts.push(opened)
      else {
        const name = opened.kind === 'opened' ? documentNames[opened.typ] : 'document for an agent'
        return refusalFailure(
          refuse(
            'not_a_document',
            `${file}: this is a ${name}; an activation request or a deactivation receipt is wanted.`,
          ),
        )
      }
    }
  }
  return taken
}

interface Desk extends ActivationDesk {
  readonly kind: 'desk'
}

/** The vendor that issued `license`, where none is named. */
async function findDesk(io: VendorIo, named: Named, license: string): Promise<Desk | Failure> {
  const desk = async (vendor: Vendor): Promise<Desk> => ({
    kind: 'desk',
    ledger: await Ledger.open(join(vendor.folder, ledgerFolder)),
    key: vendor.key,
    now: Math.floor(io.now() / 1000),
    newId: randomId,
  })
  if (named.dir === undefined && named.vendor === undefined) {
    for (const vendor of await listVendors(homeOf(io))) {
      const candidate = await desk(vendor)
      if (candidate.ledger.find(license) !== undefined) return candidate
    }
  }
  const vendor = await findVendor(io, named)
  return vendor.kind === 'failure' ? vendor : desk(vendor)
}

interface Named {
  readonly dir?: string | undefined
  readonly vendor?: string | undefined
}

/** What was done, for JSON and in sentences. */
interface Report {
  readonly receipts: { license: string; agent: string }[]
  readonly answers: { license: string; agent: string; number: number; repeated: boolean; forced: readonly string[] }[]
  readonly blocks: string[]
  readonly notes: string[]
}

async function takeReceipts(io: VendorIo, named: Named, taken: Taken, report: Report): Promise<Failure | undefined> {
  for (const receipt of taken.receipts) {
    const { license, agent } = receipt.payload
    const desk = await findDesk(io, named, license)
    if (desk.kind === 'failure') return desk
    const outcome = await takeReceipt(desk, receipt)
    // Beside a request a receipt that is known already is no reason to stop.
    const known = outcome.kind === 'refused' && outcome.code === 'already_returned' && taken.requests.length > 0
    if (outcome.kind === 'refused' && !known) return refusalFailure(outcome)
    report.receipts.push({ license, agent })
    report.notes.push(`Agent ${shortGroups(agent)} gave license ${license} back.`)
  }
  return undefined
}

async function answerRequests(
  io: VendorIo,
  named: Named,
  taken: Taken,
  force: boolean,
  report: Report,
): Promise<Failure | undefined> {
  for (const request of taken.requests) {
    const desk = await findDesk(io, named, request.payload.license)
    if (desk.kind === 'failure') return desk
    const outcome = await answerRequest(desk, request, force)
    if (outcome.kind === 'refused') return refusalFailure(outcome)
    const { repeated, forced } = outcome
    const { license, agent, number } = outcome.answer.payload
    report.answers.push({ license, agent, number, repeated, forced })
    report.blocks.push(writeBlock(outcome.answer))
    const again = repeated ? ', as answered before' : ''
    report.notes.push(`License ${license} is activated for agent ${shortGroups(agent)} (number ${number}${again}).`)
    for (const other of forced)
      report.notes.push(`Agent ${shortGroups(other)} was passed over without a receipt; this is recorded.`)
  }
  return undefined
}

export async function runActivate(args: readonly string[], io: VendorIo): Promise<Failure | undefined> {
  const read = readFlags({
    args: [...args],
    options: {
      receipt: { type: 'string', multiple: true },
      force: { type: 'boolean' },
      out: { type: 'string' },
      vendor: { type: 'string' },
      dir: { type: 'string' },
      json: { type: 'boolean' },
    },
    allowPositionals: true,
  } as const)
  if (read.kind === 'failure') return read
  const { values, positionals } = read.parsed
  const files = [...(values.receipt ?? []), ...positionals]
  if (files.length === 0)
    return usageFailure(
      'A file with an activation request or a deactivation receipt is wanted, or - for standard input.',
    )
  const taken = await readTaken(io, files)
  if ('kind' in taken) return taken
  const report: Report = { receipts: [], answers: [], blocks: [], notes: [] }
  const failed =
    (await takeReceipts(io, values, taken, report)) ??
    (await answerRequests(io, values, taken, values.force ?? false, report))
  if (failed !== undefined) return failed
  return writeReport(io, report, values.out, values.json ?? false)
}

async function writeReport(
  io: VendorIo,
  { receipts, answers, blocks, notes }: Report,
  out: string | undefined,
  json: boolean,
): Promise<Failure | undefined> {
  const block = blocks.join('\n')
  const saved = out !== undefined && blocks.length > 0
  if (saved) {
    const failed = await writeOutput(out, block)
    if (failed !== undefined) return failed
  }
  if (json) {
    const where = blocks.length === 0 ? {} : saved ? { file: out } : { block }
    printJson(io, { receipts, answers, ...where })
    return undefined
  }
  if (saved) notes.push(`The answer is in ${out}.`)
  // Where the block is on standard output it is alone there, so that it can be redirected.
  const alone = blocks.length > 0 && !saved
  if (alone) io.stdout.write(block)
  for (const note of notes) (alone ? io.stderr : io.stdout).write(`${note}\n`)
  return undefined
}
