/**
 * Requests for a seat in their usual form: plain texts, no more members than most applications send. They are taken without
 * the schema, which takes as long as deciding about the seat; whatever looks unusual is left to the schema, which knows the
 * rules. A test holds the two against each other. Pure.
 */
import type { OpenSession } from './shapes.ts'

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] }

/** What the schema would neither refuse nor change. */
const plain = /^[ -~]{0,255}$/
const plainName = /^[!-~]{1,129}$/
const nonce = /^[A-Za-z0-9_-]{16,128}$/
const longestProcess = 4_294_967_295

/** What the schema would make of the value; `undefined` where only the schema can tell. */
export function takeUsualOpen(value: unknown): OpenSession | undefined {
  if (!isObject(value)) return undefined
  const taken: Mutable<OpenSession> = { product: '', seats: 1, activity: 'heartbeat' }
  for (const name in value) {
    const member = value[name]
    switch (name) {
      case 'product':
        if (!isLike(member, plainName)) return undefined
        taken.product = member
        break
      case 'host':
      case 'application':
        if (!isLike(member, plain)) return undefined
        taken[name] = member
        break
      case 'nonce':
        if (!isLike(member, nonce)) return undefined
        taken.nonce = member
        break
      case 'user':
        taken.user = takeUser(member)
        if (taken.user === undefined) return undefined
        break
      case 'process':
        taken.process = takeProcess(member)
        if (taken.process === undefined) return undefined
        break
      default:
        return undefined
    }
  }
  return taken.product === '' ? undefined : taken
}

function takeUser(value: unknown): OpenSession['user'] {
  if (!isObject(value)) return undefined
  const taken: Mutable<NonNullable<OpenSession['user']>> = {}
  for (const name in value) {
    const member = value[name]
    if ((name !== 'account' && name !== 'email' && name !== 'displayName') || !isLike(member, plain)) return undefined
    taken[name] = member
  }
  return taken
}

function takeProcess(value: unknown): OpenSession['process'] {
  if (!isObject(value)) return undefined
  const taken: Mutable<NonNullable<OpenSession['process']>> = {}
  for (const name in value) {
    const member = value[name]
    if (name === 'name' && isLike(member, plain)) taken.name = member
    else if (name === 'id' && isProcessId(member)) taken.id = member
    else return undefined
  }
  return taken
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isLike(value: unknown, form: RegExp): value is string {
  return typeof value === 'string' && form.test(value)
}

function isProcessId(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= longestProcess
}
