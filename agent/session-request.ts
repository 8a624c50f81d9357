/**
 * What an application asks for when it wants a seat, and what it becomes for the lessor. Owns nothing.
 */
import { hash } from 'node:crypto'
import type { Who } from './domain/grant.ts'

/** What an application asks for; the shape of the call, with what the transport knows. */
export interface OpenRequest {
  readonly idempotencyKey: string
  readonly address: string
  readonly product: string
  readonly feature?: string | undefined
  readonly seats: number
  readonly user?:
    | {
        readonly account?: string | undefined
        readonly email?: string | undefined
        readonly displayName?: string | undefined
      }
    | undefined
  readonly host?: string | undefined
  readonly process?: { readonly id?: number | undefined; readonly name?: string | undefined } | undefined
  readonly application?: string | undefined
  readonly nonce?: string | undefined
  readonly vendorKey?: string | undefined
  /** Seconds. */
  readonly wait?: number | undefined
  readonly activity: 'heartbeat' | 'reported'
  /** Nobody listens for the answer any more. */
  readonly signal?: AbortSignal | undefined
}

/** Who asks, as it is kept and shown. */
export function whoOf(request: OpenRequest): Who {
  const { user, host, application, process, address } = request
  const who: { -readonly [Name in keyof Who]: Who[Name] } = { address }
  if (user?.account) who.account = user.account
  if (user?.email) who.email = user.email
  if (user?.displayName) who.displayName = user.displayName
  if (host) who.host = host
  if (process?.id !== undefined) who.processId = process.id
  if (process?.name) who.processName = process.name
  if (application) who.application = application
  return who
}

/** Whether the request came from this machine, so that its process can be seen here. */
export function isLocal({ address }: Pick<OpenRequest, 'address'>): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address)
}

/** What makes a request the same request: everything but how long it waits and the nonce (R15). */
export function bodyHash(request: OpenRequest): string {
  const { product, feature, seats, user, host, process, application, vendorKey, activity } = request
  const body = [
    product,
    feature ?? null,
    seats,
    [user?.account ?? null, user?.email ?? null, user?.displayName ?? null],
    host ?? null,
    [process?.id ?? null, process?.name ?? null],
    application ?? null,
    vendorKey ?? null,
    activity,
  ]
  return hash('sha256', JSON.stringify(body), 'base64url').slice(0, 22)
}
