/**
 * The command line: finds the verb, reads its words, and runs it. `main.ts` hands it everything but `serve`. Must not import
 * anything of the agent: it talks to the running one.
 */
import { linkAgent } from './agent-link.ts'
import { done, exitCodeOf } from './exit-codes.ts'
import { fail } from './failure.ts'
import { writeHelp, writeVerbHelp } from './help.ts'
import type { CommandIo } from './io.ts'
import { Output } from './output.ts'
import { parseWords } from './parse.ts'
import { runVendor } from './vendor.ts'
import { type Verb, verbUsage } from './verb.ts'
import { companions, findVerb, verbs } from './verbs.ts'

/** @param args what follows the name of the program @returns the exit code; 0 only on success */
export async function runCommand(args: readonly string[], io: CommandIo): Promise<number> {
  const end = args.indexOf('--')
  const out = new Output(io, (end < 0 ? args : args.slice(0, end)).includes('--json'))
  try {
    return await dispatch(args, io, out)
  } catch (error) {
    out.note('leasehold: Something went wrong in the command line.')
    for (const line of errorText(error).split('\n')) out.note(line)
    return exitCodeOf('internal_error')
  }
}

function errorText(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

async function dispatch(args: readonly string[], io: CommandIo, out: Output): Promise<number> {
  const [first, ...rest] = args
  if (first === undefined) {
    io.stderr.write(writeHelp())
    return exitCodeOf('usage')
  }
  if (first === 'help' || first === '--help' || first === '-h') return printHelp(rest, io, out)
  if (first === '--version') return dispatch(['version', ...rest], io, out)
  if (first === 'vendor') {
    const { stdout, stderr, env, clock } = io
    return runVendor(rest, { stdout, stderr, env, now: () => clock.wall(), stdin: io.stdin })
  }
  const companion = companions.find(({ name }) => name === first)
  if (companion !== undefined)
    return fail(out, 'usage', `${first} is not written like this.`, `Usage: ${companion.usage}`)
  const found = findVerb(args)
  if (found.kind === 'none') return failUnknownVerb(out, args)
  return runVerb(found.verb, found.rest, io, out)
}

async function runVerb(verb: Verb, words: readonly string[], io: CommandIo, out: Output): Promise<number> {
  const parsed = parseWords(verb, words)
  if (parsed.kind === 'help') {
    io.stdout.write(writeVerbHelp(verb))
    return done
  }
  if (parsed.kind === 'wrong')
    return fail(out, 'usage', parsed.message, `Usage: ${verbUsage(verb)}; leasehold help ${verb.name} says more.`)
  const { given } = parsed
  const agent = await linkAgent(io.env, given.whole('port'))
  return verb.run({ io, given, out, agent })
}

function printHelp(words: readonly string[], io: CommandIo, out: Output): number {
  const names = words.filter((word) => !word.startsWith('-'))
  if (names.length === 0) {
    io.stdout.write(writeHelp())
    return done
  }
  const companion = companions.find(({ name }) => name === names[0])
  if (companion !== undefined) {
    io.stdout.write(`${companion.usage}\n\n${companion.summary}.\n`)
    return done
  }
  const group = verbs.filter(({ name }) => name.startsWith(`${names[0]} `))
  const found = findVerb(names)
  if (names.length === 1 && group.length > 0) io.stdout.write(group.map(writeVerbHelp).join('\n'))
  else if (found.kind === 'verb' && found.rest.length === 0) io.stdout.write(writeVerbHelp(found.verb))
  else return failUnknownVerb(out, names)
  return done
}

function failUnknownVerb(out: Output, words: readonly string[]): number {
  const group = verbs.filter(({ name }) => name.startsWith(`${words[0]} `)).map(({ name }) => name)
  const help = group.length > 0 ? `There are: ${group.join(', ')}.` : 'leasehold help lists the verbs.'
  return fail(out, 'usage', `There is no verb “${words.slice(0, 2).join(' ')}”.`, help)
}
