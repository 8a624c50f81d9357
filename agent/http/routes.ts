/**
 * The route table of the interface: the one list that Koa, the hot path and the interface description serve from.
 * Must not import owners.
 */
import { z } from 'zod'
import { describeExample } from './api/agent-examples.ts'
import { type ClockParts, clockRoutes } from './api/clock.ts'
import { type ComputersParts, computerRoutes } from './api/computers.ts'
import { type ConfigurationParts, configurationRoutes } from './api/configuration.ts'
import { type DetachmentsParts, detachmentRoutes } from './api/detachments.ts'
import { type DocumentsParts, documentRoutes } from './api/documents.ts'
import { type EventStreams, eventRoutes } from './api/events.ts'
import { type HealthParts, healthRoutes } from './api/health.ts'
import { type JournalParts, journalRoutes } from './api/journal.ts'
import { type LicensesParts, licenseRoutes } from './api/licenses.ts'
import { type ManagersParts, managerRoutes } from './api/managers.ts'
import { type ProductsParts, productRoutes } from './api/products.ts'
import { type ProxyParts, proxyRoutes } from './api/proxy.ts'
import { type QueueParts, queueRoutes } from './api/queue.ts'
import { type RecentClientsParts, recentClientRoutes } from './api/recent-clients.ts'
import { type RefusalsParts, refusalRoutes } from './api/refusals.ts'
import { type ReservesParts, reserveRoutes } from './api/reserves.ts'
import { type RulesParts, ruleRoutes } from './api/rules.ts'
import { type ServingParts, servingRoutes } from './api/serving.ts'
import { type SessionsParts, sessionRoutes } from './api/sessions.ts'
import { type SignInParts, signInRoutes } from './api/sign-in.ts'
import { type SitesParts, siteRoutes } from './api/sites.ts'
import { describeInterface } from './openapi.ts'
import type { Description } from './openapi-document.ts'
import { ok } from './reply.ts'
import { defineRoute, type Route } from './route.ts'

export interface ApiParts {
  readonly sessions: SessionsParts
  readonly queue: QueueParts
  readonly refusals: RefusalsParts
  readonly computers: ComputersParts
  readonly serving: ServingParts
  readonly licenses: LicensesParts
  readonly documents: DocumentsParts
  readonly products: ProductsParts
  readonly detachments: DetachmentsParts
  readonly clock: ClockParts
  /** Absent: no other agents. */
  readonly managers: ManagersParts
  readonly health: HealthParts
  readonly streams: Pick<EventStreams, 'open'>
  readonly configuration: ConfigurationParts
  readonly journal: JournalParts
  readonly rules: RulesParts
  readonly recentClients: RecentClientsParts
  readonly proxy: ProxyParts
  readonly reserves: ReservesParts
  readonly sites: SitesParts
  readonly signIn: SignInParts & { readonly access: { readonly cookieName: string } }
}

export interface Interface {
  readonly routes: readonly Route[]
  /** Made when first asked for, since the port is known only while the agent listens; then kept. */
  describe(): Description
}

export function buildInterface(parts: ApiParts): Interface {
  const routes: Route[] = [
    ...sessionRoutes(parts.sessions),
    ...queueRoutes(parts.queue),
    ...refusalRoutes(parts.refusals),
    ...computerRoutes(parts.computers),
    ...servingRoutes(parts.serving),
    ...licenseRoutes(parts.licenses),
    ...documentRoutes(parts.documents),
    ...productRoutes(parts.products),
    ...detachmentRoutes(parts.detachments),
    ...managerRoutes(parts.managers),
    ...healthRoutes(parts.health),
    ...clockRoutes(parts.clock),
    ...eventRoutes(parts.streams),
    ...configurationRoutes(parts.configuration),
    ...journalRoutes(parts.journal),
    ...ruleRoutes(parts.rules),
    ...recentClientRoutes(parts.recentClients),
    ...proxyRoutes(parts.proxy),
    ...reserveRoutes(parts.reserves),
    ...siteRoutes(parts.sites),
    ...signInRoutes(parts.signIn),
  ]
  let made: { readonly port: number; readonly description: Description } | undefined
  const describe = (): Description => {
    const { version, port } = parts.health.status()
    const { cookieName } = parts.signIn.access
    if (made?.port !== port) made = { port, description: describeInterface(routes, { version, port, cookieName }) }
    return made.description
  }
  routes.push(
    defineRoute({
      method: 'GET',
      path: '/api/v1/openapi.json',
      guard: 'open',
      operation: 'describeInterface',
      summary: 'This description',
      description: 'Every call, by OpenAPI 3.1. The page Help > HTTP interface shows the same to people.',
      example: describeExample,
      answers: { 200: { description: 'OpenAPI 3.1', schema: z.looseObject({}) } },
      handle: () => ok(describe()),
    }),
  )
  return { routes, describe }
}
