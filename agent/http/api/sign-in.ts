/**
 * Signing in and out, and the password of the administrator.
 * Must not import owners but the types of the administrator.
 */
import type { Administrator, Signed } from '../../people/administrator.ts'
import type { CookieAccess } from '../access.ts'
import { noContent, ok } from '../reply.ts'
import type { Channel } from '../request-view.ts'
import { defineRoute, type Route } from '../route.ts'
import { changePasswordExample, signInExample, signOutExample } from './agent-examples.ts'
import { changePassword, signedIn, signIn } from './agent-shapes.ts'

const cookie = { 'Set-Cookie': 'the sign-in, or nothing in its place' }

export interface SignInParts {
  readonly administrator: Pick<Administrator, 'signIn' | 'signOut' | 'changePassword'>
  readonly access: Pick<CookieAccess, 'readToken' | 'writeCookie'>
}

export function signInRoutes({ administrator, access }: SignInParts): Route[] {
  const welcome = ({ token, endsAt, idleSeconds }: Signed, channel: Channel) =>
    ok({ expiresAt: new Date(endsAt).toISOString(), idleSeconds }, { 'Set-Cookie': access.writeCookie(token, channel) })
  return [
    defineRoute({
      method: 'POST',
      path: '/api/v1/sign-in',
      guard: 'entry',
      operation: 'signIn',
      summary: 'Sign in as the administrator; the answer sets a cookie',
      description:
        'Needed only once a password is set, and by the protection setting. Ten failed attempts in 15 minutes are answered with 429.',
      example: signInExample,
      body: signIn,
      answers: { 200: { description: 'Signed in', schema: signedIn, headers: cookie } },
      errors: ['wrong_password', 'password_needed', 'too_many_requests', 'store_unavailable'],
      async handle({ body, headers, address, channel }) {
        const before = access.readToken(headers.cookie ?? '')
        const outcome = await administrator.signIn(body.password, address, before)
        return outcome.kind === 'refused' ? outcome : welcome(outcome, channel)
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/v1/sign-in',
      guard: 'entry',
      operation: 'signOut',
      summary: 'Sign out',
      example: signOutExample,
      answers: { 204: { description: 'Signed out', headers: cookie } },
      errors: ['store_unavailable'],
      async handle({ headers, channel }) {
        const token = access.readToken(headers.cookie ?? '')
        if (token !== undefined) await administrator.signOut(token)
        return { ...noContent, headers: { 'Set-Cookie': access.writeCookie(undefined, channel) } }
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/v1/password',
      guard: 'open',
      operation: 'changePassword',
      summary: 'Set or change the password; all sign-ins end, and the answer is a new one',
      example: changePasswordExample,
      body: changePassword,
      answers: { 200: { description: 'Changed, and signed in anew', schema: signedIn, headers: cookie } },
      errors: ['wrong_password', 'too_many_requests', 'store_unavailable'],
      async handle({ body, address, authority, channel }) {
        const outcome = await administrator.changePassword({ ...body, reset: authority === 'cli' }, address)
        return outcome.kind === 'refused' ? outcome : welcome(outcome, channel)
      },
    }),
  ]
}
