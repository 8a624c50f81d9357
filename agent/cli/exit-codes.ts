/**
 * The exit codes of the command line: one per kind of refusal, in one table. docs/command-line.md is written from it.
 * A code once given keeps its meaning. `vendor …` uses the same codes for the same errors.
 * Imports the error table only.
 */
import type { ErrorCode } from '../errors.ts'

/** What the command line says no to by itself. */
export const ownCodes = {
  usage: 'The command is not written as it has to be',
  unreadable_file: 'A file can not be read or written',
  agent_not_running: 'No agent answers',
  no_answer: 'The agent did not answer',
  not_an_agent: 'Another program has the port of the agent',
  seats_still_out: 'Seats are still in use',
  journal_broken: 'The journal is damaged or was changed',
  not_confirmed: 'Nothing was done, since it was not confirmed',
} as const
export type OwnCode = keyof typeof ownCodes

export interface ExitKind {
  readonly exit: number
  readonly meaning: string
  readonly codes: readonly (ErrorCode | OwnCode)[]
}

export const done = 0

export const exitKinds: readonly ExitKind[] = [
  {
    exit: 1,
    meaning: 'failed; the message says how',
    codes: [
      'internal_error',
      'method_not_allowed',
      'request_timeout',
      'host_not_allowed',
      'cross_origin',
      'proxy_refused',
      'stale',
      'replayed',
      'peer_signature_wrong',
      'wrong_agent',
      'tls_needed',
    ],
  },
  {
    exit: 2,
    meaning: 'the command or a value in it is not as it has to be',
    codes: [
      'usage',
      'malformed_request',
      'invalid_request',
      'idempotency_key_needed',
      'unsupported_media_type',
      'headers_too_large',
    ],
  },
  { exit: 4, meaning: 'a file can not be read or written', codes: ['unreadable_file'] },
  { exit: 5, meaning: 'no agent answers', codes: ['agent_not_running', 'no_answer', 'not_an_agent'] },
  {
    exit: 6,
    meaning: 'needs the administrator',
    codes: [
      'sign_in_needed',
      'wrong_password',
      'not_permitted',
      'password_needed',
      'loopback_only',
      'too_many_requests',
      'wrong_key',
    ],
  },
  {
    exit: 7,
    meaning: 'there is no such thing',
    codes: ['not_found', 'unknown_session', 'unknown_peer', 'unknown_detachment', 'unknown_reserve', 'unknown_site'],
  },
  {
    exit: 8,
    meaning: 'seats are still in use, so not now',
    codes: ['license_in_use', 'seats_detached', 'overlap_forbidden', 'seats_still_out'],
  },
  {
    exit: 9,
    meaning: 'does not go with what is there already',
    codes: [
      'id_conflict',
      'session_ended',
      'detachment_over',
      'read_only_setting',
      'proxy_not_configured',
      'not_confirmed',
      'peer_forked',
      'site_not_started',
    ],
  },
  { exit: 10, meaning: 'no block was found in the text', codes: ['not_a_document'] },
  { exit: 11, meaning: 'the block was damaged or changed', codes: ['document_altered'] },
  { exit: 12, meaning: 'the signature of the block does not fit', codes: ['bad_signature'] },
  { exit: 13, meaning: 'the block says something that can not be', codes: ['document_invalid'] },
  { exit: 14, meaning: 'the block is for a newer version', codes: ['document_too_new'] },
  { exit: 15, meaning: 'the text is too large', codes: ['body_too_large'] },
  { exit: 16, meaning: 'the block is for another machine', codes: ['wrong_recipient'] },
  { exit: 17, meaning: 'no such license is installed', codes: ['unknown_license'] },
  { exit: 18, meaning: 'the license is activated for another agent', codes: ['activated_elsewhere'] },
  { exit: 19, meaning: 'a later block took the place of this one', codes: ['document_superseded'] },
  { exit: 20, meaning: 'it was given back already', codes: ['already_returned'] },
  { exit: 21, meaning: 'the license has expired', codes: ['license_expired'] },
  { exit: 22, meaning: 'the block is past its date', codes: ['document_expired'] },
  { exit: 23, meaning: 'the block is applied already', codes: ['already_applied'] },
  { exit: 24, meaning: 'the block answers no request of this agent', codes: ['unknown_request'] },
  {
    exit: 25,
    meaning: 'the vendor is not trusted; the message has the fingerprint',
    codes: ['untrusted_vendor', 'vendor_name_taken'],
  },
  {
    exit: 30,
    meaning: 'all seats are in use',
    codes: [
      'no_seats',
      'queue_full',
      'lease_too_short',
      'agent_limit_reached',
      'no_server_license',
      'site_reserve_empty',
    ],
  },
  {
    exit: 31,
    meaning: 'no such product or feature, or several of that name',
    codes: ['unknown_product', 'unknown_feature', 'ambiguous_product'],
  },
  {
    exit: 32,
    meaning: 'a rule refuses it',
    codes: [
      'denied_by_rule',
      'peer_denied',
      'user_not_listed',
      'user_disabled',
      'product_not_allowed',
      'approval_pending',
      'peer_key_changed',
    ],
  },
  {
    exit: 33,
    meaning: 'the license gives out no seats now',
    codes: ['license_not_active', 'license_not_yet_valid', 'license_blocked', 'clock_set_back', 'hardware_unreadable'],
  },
  {
    exit: 34,
    meaning: 'nobody gives out seats now',
    codes: [
      'serving_stopped',
      'handing_out_disabled',
      'remote_access_off',
      'manager_unreachable',
      'unknown_instance',
      'loop_detected',
    ],
  },
  {
    exit: 37,
    meaning: 'these seats can not be detached',
    codes: ['detach_disabled', 'not_detachable', 'too_many_seats'],
  },
  {
    exit: 38,
    meaning: 'not until that date; the message has the one that is allowed',
    codes: ['date_in_past', 'beyond_maximum', 'beyond_license_end'],
  },
  {
    exit: 39,
    meaning: 'it does not come back in this way, or not now',
    codes: ['early_return_forbidden', 'detachment_in_use'],
  },
  { exit: 40, meaning: 'the clocks of the two machines differ too much', codes: ['clocks_differ'] },
  { exit: 35, meaning: 'the store can not be written at the moment', codes: ['store_unavailable'] },
  { exit: 36, meaning: 'the journal is damaged or was changed', codes: ['journal_broken'] },
]

/** Exit codes of `run` that are not about the seat, as shells have them. */
export const runExits = { notExecutable: 126, notFound: 127, signal: 128 } as const

/** Ctrl-C at a question. */
export const interrupted = runExits.signal + 2

const exits = new Map<string, number>(
  exitKinds.flatMap(({ exit, codes }) => codes.map((code) => [code, exit] as const)),
)

/** Codes of a newer agent that are not known here count as failed. */
export function exitCodeOf(code: string): number {
  return exits.get(code) ?? 1
}
