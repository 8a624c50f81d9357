/**
 * How a command says no: the sentence, the help, the code on standard error, the exit code, and with --json the problem
 * document. Owns nothing.
 */
import type { z } from 'zod'
import type { Problem } from '../client/answers.ts'
import type { AgentCall, AgentReply } from '../client/call-agent.ts'
import { type ErrorCode, errorTable } from '../errors.ts'
import { exitCodeOf, type OwnCode, ownCodes } from './exit-codes.ts'
import { explain } from './explain.ts'
import type { Output } from './output.ts'
import type { AgentLink } from './verb.ts'

/** Prints a problem of the command line itself. @returns the exit code */
export function fail(out: Output, code: OwnCode, detail: string, help = ''): number {
  if (out.json)
    out.raw(JSON.stringify({ type: `urn:leasehold:problem:${code}`, title: ownCodes[code], code, detail, help }))
  sayProblem(out, { code, detail, help })
  return exitCodeOf(code)
}

/** Prints what the agent refused. @param text the document as it came */
export function failRefused(out: Output, problem: Problem, text: string): number {
  if (out.json) out.raw(text)
  sayProblem(out, problem)
  return exitCodeOf(problem.code)
}

function sayProblem(out: Output, problem: Problem): void {
  out.note(`leasehold: ${problem.detail}`)
  for (const { field, message } of problem.fields ?? []) out.note(`  ${field}: ${message}`)
  for (const line of explain(problem)) out.note(line)
  if (problem.fingerprint !== undefined) out.note(`  Fingerprint: ${problem.fingerprint}`)
  const help = helpFor(problem)
  if (help !== '') out.note(help)
  out.note(`(${problem.code})`)
}

/** What pages are told to a person who looks at one is not what helps at a command line. */
const ownHelp: Readonly<Record<string, string>> = {
  sign_in_needed:
    'Run the command as the user of the service or as root, who can read cli.key in the data folder, or put a token into LEASEHOLD_TOKEN.',
  invalid_request: '',
  untrusted_vendor:
    'Compare it with the fingerprint that the vendor publishes, then: leasehold licenses add FILE --trust FINGERPRINT',
  password_needed: 'Set one with: leasehold password',
  license_not_active: 'Activate it with: leasehold licenses activate ID',
  unknown_license: 'Installed licenses: leasehold licenses',
  unknown_product: 'Products that are known here: leasehold products',
}

/** What can be done about a refusal at a command line. */
export function helpFor({ code, help }: Pick<Problem, 'code' | 'help'>): string {
  return ownHelp[code] ?? help ?? (code in errorTable ? errorTable[code as ErrorCode].help : '')
}

export type Unanswered = Exclude<AgentReply, { kind: 'answered' }>

/** Prints why there is no answer to use. */
export function failUnanswered(out: Output, link: AgentLink, reply: Unanswered): number {
  switch (reply.kind) {
    case 'refused':
      return failRefused(out, reply.problem, reply.text)
    case 'no-agent':
      return fail(
        out,
        'agent_not_running',
        `No agent answers on port ${link.port} of this machine.`,
        'Start it with: npx leasehold serve, or where it is installed as a service: systemctl start leasehold. If it has another port: --port, or LEASEHOLD_NETWORK_PORT.',
      )
    case 'foreign':
      return fail(
        out,
        'not_an_agent',
        `What answers on port ${link.port} of this machine is no Leasehold agent: ${reply.detail}.`,
        'If the agent has another port: --port, or LEASEHOLD_NETWORK_PORT.',
      )
    case 'no-answer':
      return fail(
        out,
        'no_answer',
        `The agent on port ${link.port} did not answer: ${reply.detail}.`,
        'It may be starting or ending; its log says more. What was asked for may have been done.',
      )
    case 'stopped':
      return fail(out, 'no_answer', 'The command was stopped.')
  }
}

export type Asked<Answer> =
  | { readonly kind: 'answer'; readonly value: Answer; readonly text: string; readonly status: number }
  | Unanswered

/** Calls the agent and reads the answer by the schema. */
export async function ask<Answer>(link: AgentLink, call: AgentCall, schema: z.ZodType<Answer>): Promise<Asked<Answer>> {
  const reply = await link.call(call)
  if (reply.kind !== 'answered') return reply
  const read = schema.safeParse(reply.value)
  if (read.success) return { kind: 'answer', value: read.data, text: reply.text, status: reply.status }
  const [issue] = read.error.issues
  return { kind: 'foreign', detail: `its answer to ${call.path} lacks ${issue?.path.join('.') || 'everything'}` }
}
