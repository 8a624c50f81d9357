/**
 * The calls that applications make all the time (open, heartbeat, close) are answered here, before Koa, through the same guards,
 * schemas and handlers; everything else goes on to Koa.
 * Must not import owners.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { checkConnection } from './guards.ts'
import { perform, type Surroundings } from './perform.ts'
import { problemReply } from './problem.ts'
import { type Reply, sendReply } from './reply.ts'
import { viewRequest } from './request-view.ts'
import type { Method, Route } from './route.ts'

const collection = '/api/v1/sessions'
const member = `${collection}/`
const id = /^[A-Za-z0-9_-]{1,128}$/
const noParams = Object.freeze({})

export function createHotHandler(
  routes: readonly Route[],
  surroundings: Surroundings,
  newRequestId: () => string,
  otherwise: RequestListener,
): RequestListener {
  const find = (method: Method, path: string): Route => {
    const route = routes.find((one) => one.method === method && one.path === path)
    if (route === undefined) throw new Error(`there is no route ${method} ${path}`)
    return route
  }
  const open = find('POST', collection)
  const keep = find('PUT', `${member}{id}`)
  const close = find('DELETE', `${member}{id}`)

  const reply = (
    route: Route,
    incoming: IncomingMessage,
    response: ServerResponse,
    params: Readonly<Record<string, string>>,
  ): Promise<Reply | undefined> => {
    const view = viewRequest(incoming)
    const refused = checkConnection(view)
    if (refused !== undefined) return Promise.resolve(problemReply(refused, newRequestId()))
    const asked = { params, search: '', requestId: newRequestId }
    return perform(route, incoming, response, view, asked, surroundings)
  }

  return (incoming, response) => {
    const { method, url = '' } = incoming
    let route: Route | undefined
    let params: Readonly<Record<string, string>> = noParams
    if (method === 'POST') {
      if (url === collection) route = open
    } else if ((method === 'PUT' || method === 'DELETE') && url.startsWith(member)) {
      const last = url.slice(member.length)
      if (id.test(last)) {
        route = method === 'PUT' ? keep : close
        params = { id: last }
      }
    }
    if (route === undefined) {
      otherwise(incoming, response)
      return
    }
    reply(route, incoming, response, params)
      .then((made) => {
        if (made !== undefined) return sendReply(response, made)
        response.destroy()
        return undefined
      })
      .catch((error: unknown) => {
        surroundings.log.error('answer could not be sent', { error })
        response.destroy()
      })
  }
}
