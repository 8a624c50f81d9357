/**
 * The one table of error codes: what a code means, its HTTP status, and what a person can do about it.
 * Everything that refuses or fails names a code from here; pages, API and command line take their words from it.
 * Leaf module: imports nothing of ours.
 */

interface ErrorEntry {
  /** HTTP status of the answer. */
  readonly status: number
  /** What is the matter, as a sentence without a full stop, for people. */
  readonly title: string
  /** What to do about it, as a whole sentence. */
  readonly help: string
}

export const errorTable = {
  // requests
  malformed_request: {
    status: 400,
    title: 'The request can not be read',
    help: 'Send what the interface description at /api/v1/openapi.json asks for.',
  },
  invalid_request: {
    status: 422,
    title: 'Some fields have values that can not be used',
    help: 'Each wrong field is listed with what is wanted.',
  },
  idempotency_key_needed: {
    status: 400,
    title: 'An Idempotency-Key header of 16 to 128 characters is needed',
    help: 'Send a fresh random value, such as a UUID, for every new seat, and the same value again when you repeat a request.',
  },
  not_found: { status: 404, title: 'There is nothing at this address', help: 'Check the address.' },
  method_not_allowed: {
    status: 405,
    title: 'This address does not take this method',
    help: 'The Allow header lists the methods that it takes.',
  },
  unsupported_media_type: {
    status: 415,
    title: 'The body has a type that is not taken here',
    help: 'The API takes application/json; pages take forms.',
  },
  body_too_large: { status: 413, title: 'The body is too large', help: 'Bodies are at most 64 KB, documents 256 KB.' },
  too_many_requests: {
    status: 429,
    title: 'Too many attempts',
    help: 'Wait for the time in the Retry-After header and try again.',
  },
  request_timeout: { status: 408, title: 'The request came too slowly', help: 'Send the whole request at once.' },
  headers_too_large: { status: 431, title: 'The headers are too large', help: 'Headers are at most 16 KB together.' },
  internal_error: {
    status: 500,
    title: 'Something went wrong in the agent',
    help: 'The log of the agent has the details under the request id.',
  },
  // guards
  host_not_allowed: {
    status: 421,
    title: 'This agent does not answer to that host name',
    help: 'Open http://localhost:1947 on this machine.',
  },
  cross_origin: {
    status: 403,
    title: 'Requests from other web pages are refused',
    help: 'Use the pages of the agent itself, or a program that is not a browser.',
  },
  proxy_refused: {
    status: 403,
    title: 'Requests that came through a proxy are refused here',
    help: 'Let the proxy connect to the TLS port or to network.proxyListen.',
  },
  sign_in_needed: { status: 401, title: 'Sign in to do this', help: 'Sign in with the administrator password.' },
  wrong_password: {
    status: 401,
    title: 'The password is not right',
    help: 'Try again, or reset it with: leasehold password',
  },
  not_permitted: {
    status: 403,
    title: 'This token does not permit that',
    help: 'Use a token with the scope that the call needs.',
  },
  password_needed: {
    status: 409,
    title: 'Set an administrator password first',
    help: 'Set one under Configuration > Basic Settings.',
  },
  // seats
  unknown_product: {
    status: 404,
    title: 'No license for this product is known',
    help: 'Add a license, or check the name of the product.',
  },
  unknown_feature: {
    status: 404,
    title: 'The product has no such feature',
    help: 'The Features page lists the features.',
  },
  ambiguous_product: {
    status: 409,
    title: 'Several vendors have a product of this name',
    help: 'Name the product as vendor/product.',
  },
  no_seats: {
    status: 409,
    title: 'All seats are in use',
    help: 'Wait for a seat to come back, or ask one of the holders.',
  },
  queue_full: { status: 409, title: 'The waiting line is full', help: 'Try again later.' },
  id_conflict: {
    status: 422,
    title: 'This Idempotency-Key was used for another request',
    help: 'Use a fresh key for a new seat; repeat a request with the same body.',
  },
  license_not_active: { status: 409, title: 'The license is not activated', help: 'Activate it on the Licenses page.' },
  license_not_yet_valid: {
    status: 409,
    title: 'The license is not valid yet',
    help: 'It begins on the date shown on the Licenses page.',
  },
  license_expired: { status: 410, title: 'The license has expired', help: 'Ask the vendor for a renewal.' },
  license_blocked: {
    status: 409,
    title: 'The license is blocked because the hardware differs',
    help: 'Activate it anew on the Licenses page.',
  },
  clock_set_back: { status: 409, title: 'The clock of this machine is behind', help: 'Set the clock right.' },
  denied_by_rule: { status: 403, title: 'A rule refuses this', help: 'The explanation names the rule.' },
  user_not_listed: {
    status: 403,
    title: 'Only listed users may use this',
    help: 'Ask the administrator to add the user.',
  },
  user_disabled: { status: 403, title: 'This user is switched off', help: 'Ask the administrator.' },
  product_not_allowed: { status: 403, title: 'This user may not use the product', help: 'Ask the administrator.' },
  approval_pending: {
    status: 403,
    title: 'This machine waits for approval',
    help: 'Ask the administrator of the manager to approve it.',
  },
  serving_stopped: { status: 503, title: 'The license server is stopped', help: 'Start serving on the Service page.' },
  handing_out_disabled: {
    status: 503,
    title: 'The license server is disabled',
    help: 'Enable it on the Service page.',
  },
  remote_access_off: {
    status: 503,
    title: 'Access from other machines is switched off',
    help: 'It is set under Access from Remote Clients.',
  },
  manager_unreachable: {
    status: 503,
    title: 'No license manager can be reached',
    help: 'Check the network; Managers shows what was tried.',
  },
  store_unavailable: {
    status: 503,
    title: 'The store can not be written at the moment',
    help: 'Ask again with the same id. The Overview says what is the matter.',
  },
  wrong_key: {
    status: 401,
    title: 'The session key is not right',
    help: 'Send the key from the answer that opened the session as Session-Key.',
  },
  unknown_session: { status: 404, title: 'No such session is known', help: 'Open a new one.' },
  session_ended: { status: 410, title: 'The session has ended', help: 'Open a new one with a fresh Idempotency-Key.' },
  lease_too_short: {
    status: 409,
    title: 'The seat could not be promised for long enough',
    help: 'Try again in a moment.',
  },
  agent_limit_reached: {
    status: 409,
    title: 'This machine has as many seats as one machine may hold',
    help: 'Give a seat back, or raise “Seats per Agent” on the manager.',
  },
  unknown_instance: {
    status: 404,
    title: 'There is no license server of this id here',
    help: 'Compare the id with the one that the license server shows.',
  },
  // licenses and documents
  unknown_license: {
    status: 404,
    title: 'No such license is installed',
    help: 'The Licenses page lists what is installed.',
  },
  not_a_document: {
    status: 422,
    title: 'No license or other block was found in this text',
    help: 'Paste the whole block, from BEGIN LEASEHOLD to END LEASEHOLD.',
  },
  bad_signature: {
    status: 422,
    title: 'The signature does not fit',
    help: 'Ask the sender for the block again, as an attachment.',
  },
  document_altered: {
    status: 422,
    title: 'The block was damaged or changed on its way',
    help: 'Ask the sender for the block again, as an attachment.',
  },
  wrong_recipient: {
    status: 422,
    title: 'This block is made for another machine',
    help: 'Apply it on the machine that it names.',
  },
  document_expired: { status: 422, title: 'The block is past its date', help: 'Ask for a new one.' },
  already_applied: { status: 422, title: 'This block is already applied', help: 'Nothing needs to be done.' },
  already_returned: { status: 422, title: 'This was already given back', help: 'Nothing needs to be done.' },
  untrusted_vendor: {
    status: 409,
    title: 'This vendor is not trusted yet',
    help: 'Compare the fingerprint with the one the vendor publishes, then trust it.',
  },
  vendor_name_taken: {
    status: 409,
    title: 'Another vendor key already has this short name',
    help: 'Ask the vendor: a license of that name came with a different key before.',
  },
  license_in_use: {
    status: 409,
    title: 'Seats of this license are still in use',
    help: 'Wait for them to end, or confirm the overlap.',
  },
  seats_detached: {
    status: 409,
    title: 'Seats of this license are detached',
    help: 'Have them returned first, or confirm the overlap.',
  },
  overlap_forbidden: {
    status: 409,
    title: 'The license does not allow an overlap',
    help: 'Wait until the seats are free.',
  },
  document_invalid: {
    status: 422,
    title: 'The block is signed but says something that can not be',
    help: 'Ask the sender for a corrected block.',
  },
  document_too_new: {
    status: 422,
    title: 'The block was made for a newer version of Leasehold',
    help: 'Update Leasehold on this machine.',
  },
  document_superseded: {
    status: 422,
    title: 'A later block has taken the place of this one',
    help: 'Use the latest block.',
  },
  unknown_request: {
    status: 422,
    title: 'The block answers a request that was not made here',
    help: 'Make a new activation request and send that one.',
  },
  hardware_unreadable: {
    status: 409,
    title: 'Too little of the hardware can be read to bind a license to it',
    help: 'Let the agent run as the service user, and outside of a container that hides the machine id.',
  },
  activated_elsewhere: {
    status: 409,
    title: 'The license is activated for another agent',
    help: 'Bring the deactivation receipt of that agent.',
  },
  // seats that are taken along
  detach_disabled: {
    status: 409,
    title: 'Detaching is switched off',
    help: 'Switch on “Enable Detaching of Licenses” on the machine that is named.',
  },
  not_detachable: {
    status: 409,
    title: 'These seats can not be detached',
    help: 'The license does not allow it. Ask its vendor.',
  },
  too_many_seats: {
    status: 409,
    title: 'Not so many seats can be detached now',
    help: 'Take fewer along, or wait until some come back.',
  },
  date_in_past: { status: 422, title: 'The date has passed', help: 'Name a later one.' },
  beyond_maximum: {
    status: 422,
    title: 'That is longer than a detachment may last',
    help: 'Name a date up to the one that is shown, or have “Max. Detach Duration” raised.',
  },
  beyond_license_end: {
    status: 422,
    title: 'The license ends before that',
    help: 'Name a date up to the one that is shown.',
  },
  early_return_forbidden: {
    status: 409,
    title: 'It does not come back in this way before its date',
    help: 'It ends by itself on its date.',
  },
  clocks_differ: {
    status: 409,
    title: 'The clocks of the two machines differ too much',
    help: 'Set both clocks right; then make a fresh recipient block, or ask again.',
  },
  unknown_detachment: { status: 404, title: 'No such detachment is known here', help: 'Detached lists what is known.' },
  detachment_over: { status: 410, title: 'The detachment is over', help: 'Detach again where seats are still needed.' },
  detachment_in_use: {
    status: 409,
    title: 'Its seats are in use',
    help: 'Close the applications that use them first.',
  },
  // configuration
  read_only_setting: {
    status: 409,
    title: 'This setting is fixed by the environment',
    help: 'Change the environment variable and restart.',
  },
  loopback_only: {
    status: 403,
    title: 'This can be done at the machine itself only',
    help: 'Open http://localhost:1947 there, or use the command line.',
  },
  // between agents
  stale: {
    status: 401,
    title: 'The request was signed for another moment',
    help: 'Sign it anew with the time and the start id of this answer.',
  },
  replayed: { status: 401, title: 'The same signed request was here before', help: 'Sign it anew with a fresh nonce.' },
  peer_signature_wrong: {
    status: 401,
    title: 'The signature of the request does not fit',
    help: 'Agents sign every request with their key; programs use the API.',
  },
  wrong_agent: {
    status: 421,
    title: 'The request is meant for another agent',
    help: 'Ask /peer/v1/hello which agent this is.',
  },
  peer_denied: {
    status: 403,
    title: 'This agent is not let in',
    help: 'Its administrator can approve the machine under Managers.',
  },
  peer_key_changed: {
    status: 403,
    title: 'This name is known with another key',
    help: 'Forget the old machine under Managers if it was set up anew, or give one of the two another name.',
  },
  peer_forked: {
    status: 409,
    title: 'Two copies of this agent ask for seats',
    help: 'Stop one of them, then approve the machine under Managers.',
  },
  unknown_peer: { status: 404, title: 'No such agent is known', help: 'Managers lists the agents that are known.' },
  loop_detected: {
    status: 508,
    title: 'The request has been here before',
    help: 'Two managers ask each other for the same seats; let one of them have its own.',
  },
  tls_needed: {
    status: 403,
    title: 'Agents speak to each other over TLS only',
    help: 'Connect to the same port with TLS.',
  },
  proxy_not_configured: {
    status: 409,
    title: 'No outgoing proxy is set',
    help: 'Set one under Configuration > Network, or name an address that is to be reached without.',
  },
  // reserves and sites
  unknown_reserve: { status: 404, title: 'There is no such reserve', help: 'The Sites page lists the reserves.' },
  unknown_site: { status: 404, title: 'There is no such web site', help: 'Configuration > Sites lists the web sites.' },
  no_server_license: { status: 409, title: 'The web site has no server license', help: 'See who was asked for one.' },
  site_reserve_empty: { status: 409, title: 'The web site has no free seat', help: 'Wait until somebody signs out.' },
  site_not_started: { status: 409, title: 'The web site is not started', help: 'It starts itself with its token.' },
} as const satisfies Record<string, ErrorEntry>

export type ErrorCode = keyof typeof errorTable

/** Reasons for which a session ends; the `reason` of `session_ended`. */
export const endReasons = [
  'released',
  'expired',
  'idle',
  'process_gone',
  'disconnected',
  'serving_stopped',
  'license_removed',
  'user_disabled',
  'lease_lost',
  'detachment_ended',
  'recycled',
] as const
export type EndReason = (typeof endReasons)[number]

/** An expected outcome that says no: a value, never thrown. `facts` become members of the problem document. */
export interface Refusal {
  readonly kind: 'refused'
  readonly code: ErrorCode
  /** What exactly, for this request; a sentence. */
  readonly detail: string
  readonly facts?: Readonly<Record<string, unknown>>
}

export function refuse(code: ErrorCode, detail: string, facts?: Readonly<Record<string, unknown>>): Refusal {
  return facts === undefined ? { kind: 'refused', code, detail } : { kind: 'refused', code, detail, facts }
}

/** Something that should not happen, with a stable code. Edges turn it into a problem document. */
export class LeaseholdError extends Error {
  readonly code: ErrorCode
  readonly facts: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, detail: string, facts: Readonly<Record<string, unknown>> = {}, cause?: unknown) {
    super(detail, cause === undefined ? undefined : { cause })
    this.name = 'LeaseholdError'
    this.code = code
    this.facts = facts
  }
}
