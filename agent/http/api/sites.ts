/**
 * Web sites that hand seats on to their own users: defining them, and what each site calls with its own token.
 * Must not import owners.
 */
import { z } from 'zod'
import { type Refusal, refuse } from '../../errors.ts'
import { isRefusal } from '../problem.ts'
import { created, noContent, ok } from '../reply.ts'
import { type Call, defineRoute, type Route } from '../route.ts'
import { type List, list, pageQuery } from './shapes.ts'
import {
  activityExample,
  dropSiteExample,
  listSitesExample,
  putSiteExample,
  readSiteExample,
  recycleSiteExample,
  signInExample,
  signOutExample,
  siteTokenExample,
  startSiteExample,
  stopSiteExample,
} from './site-examples.ts'
import {
  type ActivityAnswer,
  activity,
  activityWish,
  definedSite,
  placeId,
  type SignIn,
  type SignInWish,
  type Site,
  type SiteStart,
  type SiteWish,
  signIn,
  signInId,
  signInWish,
  site,
  siteStart,
  siteToken,
  siteWish,
} from './site-shapes.ts'

export interface SitesParts {
  list(query: z.infer<typeof pageQuery>): List<Site>
  /** @param isSite the site itself asks, which knows its sign-ins by their ids */
  get(id: string, isSite: boolean): Site | undefined
  define(id: string, wish: SiteWish): Promise<{ readonly kind: 'defined'; readonly token?: string } | Refusal>
  remove(id: string): Promise<{ readonly kind: 'removed' } | Refusal>
  renewToken(id: string): Promise<{ readonly kind: 'renewed'; readonly token: string } | Refusal>
  isToken(id: string, token: string): boolean
  recycle(id: string): Promise<{ readonly kind: 'recycled' } | Refusal>
  start(id: string): Promise<({ readonly kind: 'started' } & SiteStart) | Refusal>
  stop(id: string): Promise<{ readonly kind: 'stopped' } | Refusal>
  /** @param address that the site says nothing of: where the request came from */
  signIn(
    id: string,
    wish: SignInWish,
    address: string,
  ): Promise<{ readonly kind: 'signed-in'; readonly created: boolean; readonly signIn: SignIn } | Refusal>
  signOut(id: string, signIn: string): Promise<{ readonly kind: 'signed-out' } | Refusal>
  noteActivity(id: string, ids: readonly string[]): Promise<({ readonly kind: 'noted' } & ActivityAnswer) | Refusal>
}

type SiteCall = Pick<Call<{ readonly id: string }>, 'params' | 'headers' | 'authority'>

const named = z.strictObject({ id: placeId })
const siteErrors = ['unknown_site', 'not_permitted'] as const

export function siteRoutes(parts: SitesParts): Route[] {
  const find = (id: string, isSite = false) =>
    parts.get(id, isSite) ?? refuse('unknown_site', `There is no site ${id} here.`)
  /** The command line of the service's user may do what the site may. */
  const checkToken = ({ authority, params, headers }: SiteCall): Refusal | undefined => {
    if (authority !== 'nobody') return undefined
    const token = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(headers.authorization ?? '')?.[1]
    if (token === undefined) return refuse('sign_in_needed', `This asks for the token of the site ${params.id}.`)
    if (parts.isToken(params.id, token)) return undefined
    return refuse('not_permitted', `This is not the token of the site ${params.id}.`)
  }
  return [
    defineRoute({
      method: 'GET',
      path: '/api/v1/sites',
      guard: 'read',
      operation: 'listSites',
      summary: 'Web sites that hand seats on to their own users',
      example: listSitesExample,
      query: pageQuery,
      answers: { 200: { description: 'Sites', schema: list(site) } },
      handle: ({ query }) => ok(parts.list(query)),
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/v1/sites/{id}',
      guard: 'administrator',
      operation: 'putSite',
      summary: 'Define a web site',
      description:
        'The answer for a new site has its token, which is shown this once. A change of a site that runs takes effect at once; that of `inactivityMinutes` for seats that are taken from then on.',
      example: putSiteExample,
      params: named,
      body: siteWish,
      answers: {
        200: { description: 'The site, changed', schema: site },
        201: { description: 'The site, new, with its token', schema: definedSite },
      },
      errors: ['unknown_site', 'store_unavailable'],
      handle: async ({ params, body }) => {
        const outcome = await parts.define(params.id, body)
        if (isRefusal(outcome)) return outcome
        const found = find(params.id)
        if (isRefusal(found)) return found
        return outcome.token === undefined ? ok(found) : created({ ...found, token: outcome.token })
      },
    }),
    defineRoute({
      method: 'GET',
      path: '/api/v1/sites/{id}',
      guard: 'site',
      operation: 'readSite',
      summary: 'One web site, with who is signed in there',
      example: readSiteExample,
      params: named,
      answers: { 200: { description: 'The site', schema: site } },
      errors: siteErrors,
      handle: (call) => {
        const denied = checkToken(call)
        if (denied) return denied
        const { params, authority } = call
        const found = find(params.id, authority === 'nobody')
        return isRefusal(found) ? found : ok(found)
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/v1/sites/{id}',
      guard: 'administrator',
      operation: 'dropSite',
      summary: 'Remove a web site',
      description: 'Its users lose their seats now, and everything goes back.',
      example: dropSiteExample,
      params: named,
      answers: { 204: { description: 'It is gone' } },
      errors: ['unknown_site', 'store_unavailable'],
      handle: async ({ params }) => {
        const outcome = await parts.remove(params.id)
        return isRefusal(outcome) ? outcome : noContent
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/sites/{id}/token',
      guard: 'administrator',
      operation: 'renewSiteToken',
      summary: 'Give a web site another token',
      description: 'The one before is good for nothing from now on.',
      example: siteTokenExample,
      params: named,
      answers: { 200: { description: 'The token; shown this once', schema: siteToken } },
      errors: ['unknown_site', 'store_unavailable'],
      handle: async ({ params }) => {
        const outcome = await parts.renewToken(params.id)
        return isRefusal(outcome) ? outcome : ok({ token: outcome.token })
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/sites/{id}/recycle',
      guard: 'administrator',
      operation: 'recycleSite',
      summary: 'Give all client seats back and take them anew, now',
      description:
        'Who is signed in stays so, loses the seat, and gets one again at the next activity. So the seats of closed browsers are free.',
      example: recycleSiteExample,
      params: named,
      answers: { 200: { description: 'The site, after that', schema: site } },
      errors: ['unknown_site', 'site_not_started', 'store_unavailable'],
      handle: async ({ params }) => {
        const outcome = await parts.recycle(params.id)
        if (isRefusal(outcome)) return outcome
        const found = find(params.id)
        return isRefusal(found) ? found : ok(found)
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/sites/{id}/start',
      guard: 'site',
      operation: 'startSite',
      summary: 'Take the seat of the server and those of the clients',
      description:
        'Without the seat of the server the site does not start. Where there are fewer client seats than asked for, it takes what there is and goes on trying. A site that is started stays so when the agent restarts.',
      example: startSiteExample,
      params: named,
      answers: { 200: { description: 'It is started', schema: siteStart } },
      errors: [...siteErrors, 'no_server_license', 'store_unavailable'],
      handle: async (call) => {
        const denied = checkToken(call)
        if (denied) return denied
        const { params } = call
        const outcome = await parts.start(params.id)
        return isRefusal(outcome) ? outcome : ok({ asked: outcome.asked, taken: outcome.taken })
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/sites/{id}/stop',
      guard: 'site',
      operation: 'stopSite',
      summary: 'Sign everybody out and give everything back',
      example: stopSiteExample,
      params: named,
      answers: { 204: { description: 'It is stopped' } },
      errors: [...siteErrors, 'store_unavailable'],
      handle: async (call) => {
        const denied = checkToken(call)
        if (denied) return denied
        const { params } = call
        const outcome = await parts.stop(params.id)
        return isRefusal(outcome) ? outcome : noContent
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/sites/{id}/sign-ins',
      guard: 'site',
      operation: 'signInAtSite',
      summary: 'Somebody signs in and takes a seat of the site',
      description:
        'A seat that the site keeps already; a sign-in never takes one from elsewhere. Administrators take no seat and are let in also when there is none.',
      example: signInExample,
      params: named,
      body: signInWish,
      answers: {
        200: { description: 'It was signed in before', schema: signIn },
        201: { description: 'It is signed in', schema: signIn },
      },
      errors: [
        ...siteErrors,
        'site_not_started',
        'site_reserve_empty',
        'no_server_license',
        'denied_by_rule',
        'store_unavailable',
      ],
      handle: async (call) => {
        const denied = checkToken(call)
        if (denied) return denied
        const { params, body, address } = call
        const outcome = await parts.signIn(params.id, body, address)
        if (isRefusal(outcome)) return outcome
        return outcome.created ? created(outcome.signIn) : ok(outcome.signIn)
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/v1/sites/{id}/sign-ins/{signIn}',
      guard: 'site',
      operation: 'signOutOfSite',
      summary: 'Somebody signs out; the seat goes back to the site',
      example: signOutExample,
      params: z.strictObject({ id: placeId, signIn: signInId }),
      answers: { 204: { description: 'Nobody of that id is signed in' } },
      errors: [...siteErrors, 'store_unavailable'],
      handle: async (call) => {
        const denied = checkToken(call)
        if (denied) return denied
        const { params } = call
        const outcome = await parts.signOut(params.id, params.signIn)
        return isRefusal(outcome) ? outcome : noContent
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/v1/sites/{id}/activity',
      guard: 'site',
      operation: 'noteSiteActivity',
      summary: 'Users of the site did something',
      description:
        'Keeps their seats, and takes one again for who lost it by a recycle or for being idle. To be called before the site answers a request of a user; each is answered by itself.',
      example: activityExample,
      params: named,
      body: activityWish,
      answers: { 200: { description: 'What each has now', schema: activity } },
      errors: [...siteErrors, 'store_unavailable'],
      handle: async (call) => {
        const denied = checkToken(call)
        if (denied) return denied
        const { params, body } = call
        const outcome = await parts.noteActivity(params.id, body.ids)
        return isRefusal(outcome) ? outcome : ok({ items: outcome.items })
      },
    }),
  ]
}
