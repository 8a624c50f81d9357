/**
 * Signing in and out, and the password of the administrator.
 * Must not import owners but the types of the administrator.
 */
import type { Administrator } from '../../people/administrator.ts'
import type { CookieAccess } from '../access.ts'
import { noContent, ok } from '../reply.ts'
import { defineRoute, type Route } from '../route.ts'
import { changePassword, signedIn, signIn } from './agent-shapes.ts'

export interface SignInParts {
  readonly administrator: Pick<Administrator, 'signIn' | 'signOut' | 'changePassword'>
  readonly access: Pick<CookieAccess, 'readToken' | 'writeCookie'>
}

export function signInRoutes({ administrator, access }: SignInParts): Route[] {
  const welcome = ({ token, endsAt, idleSeconds }: { token: string; endsAt: number; idleSeconds: number }) =>
    ok({ expiresAt: new Date(endsAt).toISOString(), idleSeconds }, { 'Set-Cookie': access.writeCookie(token) })
  return [
    defineRoute({
      method: 'POST',
      path: '/api/v1/sign-in',
      guard: 'open',
      summary: 'Sign in as the administrator; the answer sets a cookie',
      body: signIn,
      answers: { 200: { description: 'Signed in', schema: signedIn } },
      errors: ['wrong_password', 'password_needed', 'too_many_requests', 'store_unavailable'],
      async handle({ body, headers, address }) {
        const before = access.readToken(headers.cookie ?? '')
        const outcome = await administrator.signIn(body.password, address, before)
        return outcome.kind === 'refused' ? outcome : welcome(outcome)
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/v1/sign-in',
      guard: 'open',
      summary: 'Sign out',
      answers: { 204: { description: 'Signed out' } },
      errors: ['store_unavailable'],
      async handle({ headers }) {
        const token = access.readToken(headers.cookie ?? '')
        if (token !== undefined) await administrator.signOut(token)
        return { ...noContent, headers: { 'Set-Cookie': access.writeCookie(undefined) } }
      },
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/v1/password',
      guard: 'open',
      summary: 'Set or change the password; all sign-ins end, and the answer is a new one',
      body: changePassword,
      answers: { 200: { description: 'Changed, and signed in anew', schema: signedIn } },
      errors: ['wrong_password', 'too_many_requests', 'store_unavailable'],
      async handle({ body, address, authority }) {
        const outcome = await administrator.changePassword({ ...body, reset: authority === 'cli' }, address)
        return outcome.kind === 'refused' ? outcome : welcome(outcome)
      },
    }),
  ]
}
