/**
 * `leasehold licenses add`: installs a license. A vendor that is new here is trusted only when the person, or the script by
 * --trust, names the fingerprint of its key.
 */
import { shortGroups } from '../domain/documents/keys.ts'
import { licenseDetails } from './answers.ts'
import { askLine, isAtTerminal } from './ask.ts'
import { interrupted } from './exit-codes.ts'
import { ask, fail, failRefused, failUnanswered, type Unanswered } from './failure.ts'
import { readInput } from './files.ts'
import { agentOptions, type Invocation, type Verb } from './verb.ts'

export const addLicenseVerb: Verb = {
  name: 'licenses add',
  summary: 'Install a license',
  description: [
    'The text is taken as it was received: mail text, quote marks and line breaks do not matter. FILE - is standard input.',
    'The first license of a vendor shows the fingerprint of the vendor’s key. Compare it with the one the vendor publishes. A terminal is asked; a script names it with --trust.',
  ],
  arguments: [{ name: 'FILE', required: true }],
  options: [
    { name: 'trust', kind: 'text', value: 'FINGERPRINT', help: 'Trust the vendor whose key has this fingerprint' },
    ...agentOptions,
  ],
  run: addLicense,
}

async function addLicense(invocation: Invocation): Promise<number> {
  const { given, io, agent, out } = invocation
  const file = given.arguments[0] ?? ''
  const read = await readInput(io, out, file)
  if (read.kind === 'failed') return read.exit
  const add = (trust: boolean) =>
    ask(agent, { method: 'POST', path: '/api/v1/licenses', body: { text: read.text, trust } }, licenseDetails)
  let asked = await add(false)
  if (asked.kind === 'refused' && asked.problem.code === 'untrusted_vendor') {
    const trusted = await decideTrust(invocation, asked, file === '-')
    if (trusted !== undefined) return trusted
    asked = await add(true)
  }
  if (asked.kind !== 'answer') return failUnanswered(out, agent, asked)
  if (out.json) {
    out.raw(asked.text)
    return 0
  }
  const { id, state, vendor } = asked.value
  out.line(`License ${id} of ${vendor.name} is installed: ${state}.`)
  if (state === 'not_activated') out.line(`It gives out seats once it is activated: leasehold licenses activate ${id}`)
  return 0
}

/** @returns undefined when the vendor is to be trusted, else an exit code */
async function decideTrust(
  { given, io, out }: Invocation,
  refused: Unanswered & { kind: 'refused' },
  inputIsUsed: boolean,
): Promise<number | undefined> {
  const { problem, text } = refused
  const shown = problem.fingerprint
  const named = given.text('trust')
  if (shown === undefined) return failRefused(out, problem, text)
  if (named !== undefined) {
    if (isSameFingerprint(named, shown)) return undefined
    out.note('The license is signed with another key than the one that --trust names.')
    return failRefused(out, problem, text)
  }
  if (inputIsUsed || out.json || !isAtTerminal(io)) return failRefused(out, problem, text)
  out.note(problem.detail)
  out.note('Compare it with the fingerprint that the vendor publishes.')
  const typed = await askLine(io, 'Trust this vendor? Type yes: ')
  if (typed.kind === 'interrupted') return interrupted
  if (typed.kind === 'typed' && typed.text.trim().toLowerCase() === 'yes') return undefined
  return fail(out, 'not_confirmed', 'Nothing was installed.')
}

/** @param typed a fingerprint in any notation, or the whole id of the key */
function isSameFingerprint(typed: string, shown: string): boolean {
  const id = typed.trim()
  const named = /^[A-Za-z0-9_-]{43}$/.test(id) ? shortGroups(id) : typed
  return plain(named) === plain(shown)
}

/** Letters that are easily mistaken count as the digits they look like. */
function plain(fingerprint: string): string {
  return fingerprint.toUpperCase().replace(/[\s-]/g, '').replaceAll('O', '0').replace(/[IL]/g, '1')
}
