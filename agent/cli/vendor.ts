/**
 * `leasehold vendor …`: the vendor's side, which needs no agent. Writes only what it is given to write on.
 */
import { join } from 'node:path'
import { shortName } from '../domain/documents/fields.ts'
import { shortGroups } from '../domain/documents/keys.ts'
import { createVendor, vendorHome } from '../vendor/keys.ts'
import { LedgerDamage } from '../vendor/ledger.ts'
import { activateUsage, runActivate } from './vendor-activate.ts'
import { inspectUsage, runInspect } from './vendor-inspect.ts'
import {
  exitCodes,
  type Failure,
  failure,
  folderFailure,
  homeOf,
  printJson,
  readFlags,
  usageFailure,
  type VendorIo,
} from './vendor-io.ts'
import { issueUsage, runIssue } from './vendor-issue.ts'
import { wanted } from './vendor-issue-flags.ts'

export type { VendorIo } from './vendor-io.ts'

const initUsage = `leasehold vendor init NAME [--dir FOLDER] [--json]

Makes a vendor: a folder with a new key that signs licenses (default: ~/.leasehold-vendor/NAME).
`

async function runInit(args: readonly string[], io: VendorIo): Promise<Failure | undefined> {
  const read = readFlags({
    args: [...args],
    options: { dir: { type: 'string' }, json: { type: 'boolean' } },
    allowPositionals: true,
  } as const)
  if (read.kind === 'failure') return read
  const { values, positionals } = read.parsed
  const [name] = positionals
  if (name === undefined || positionals.length > 1)
    return usageFailure('One NAME is wanted: the short name of the vendor.')
  if (!shortName.safeParse(name).success) return usageFailure(`NAME: wants ${wanted['--product']}.`)
  const vendor = await createVendor(values.dir ?? join(vendorHome(homeOf(io)), name), name)
  if (vendor.kind === 'unusable') return folderFailure(vendor)
  const { folder, key } = vendor
  if (values.json) printJson(io, { name, folder, id: key.id, fingerprint: shortGroups(key.id), key: key.jwk })
  else
    io.stdout.write(
      [
        `Vendor ${name} is made in ${folder}. Keep a copy of this folder in a safe place: it signs every license.`,
        `Fingerprint, to publish:          ${shortGroups(key.id)}`,
        `Public key, for your application: ${JSON.stringify(key.jwk)}`,
        '',
      ].join('\n'),
    )
  return undefined
}

interface Command {
  readonly usage: string
  readonly run: (args: readonly string[], io: VendorIo) => Promise<Failure | undefined>
}

const commands: Readonly<Record<string, Command>> = {
  init: { usage: initUsage, run: runInit },
  issue: { usage: issueUsage, run: runIssue },
  activate: { usage: activateUsage, run: runActivate },
  inspect: { usage: inspectUsage, run: runInspect },
}

const usage = `leasehold vendor init|issue|activate|inspect

  init NAME          makes a vendor with a new key
  issue [FILE]       signs a license
  activate REQUEST   answers an activation request, takes in a deactivation receipt
  inspect FILE       says what a block is and who signed it

leasehold vendor COMMAND --help says more.
`

/** @returns the exit code; 0 only on success */
export async function runVendor(args: readonly string[], io: VendorIo): Promise<number> {
  const [name, ...rest] = args
  const command = name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined
  if (command === undefined) {
    const asked = name === '--help' || name === '-h'
    ;(asked ? io.stdout : io.stderr).write(
      name === undefined || asked ? usage : `There is no command "vendor ${name}".\n\n${usage}`,
    )
    return asked ? exitCodes.done : exitCodes.usage
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    io.stdout.write(command.usage)
    return exitCodes.done
  }
  const failed = await runGuarded(command, rest, io)
  if (failed === undefined) return exitCodes.done
  if (rest.includes('--json')) printJson(io, { error: failed.code, detail: failed.lines.join(' ') })
  for (const line of failed.lines) io.stderr.write(`${line}\n`)
  if (failed.exit === exitCodes.usage) io.stderr.write(`See: leasehold vendor ${name} --help\n`)
  return failed.exit
}

async function runGuarded(command: Command, args: readonly string[], io: VendorIo): Promise<Failure | undefined> {
  try {
    return await command.run(args, io)
  } catch (error) {
    const code = error instanceof LedgerDamage ? 'ledger_damaged' : 'failed'
    return failure(exitCodes.failed, code, error instanceof Error ? error.message : String(error))
  }
}
