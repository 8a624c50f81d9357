/**
 * What can be detached, from this agent and from managers that it knows, as the interface tells it. Part of the composition root; owns
 * nothing.
 */
import type { Clock } from './clock.ts'
import type { Configuration } from './config/configuration.ts'
import type { DetachmentMaking } from './detachment-making.ts'
import { type ProductName, productName } from './domain/product-name.ts'
import type { DetachableProduct } from './http/api/detachment-shapes.ts'
import type { Lessor } from './lessor.ts'
import type { Directory } from './peers/directory.ts'
import type { Offer } from './peers/wire.ts'
import type { AgentName } from './session-view.ts'

export interface DetachableParts {
  readonly lessor: Pick<Lessor, 'view'>
  readonly making: Pick<DetachmentMaking, 'figures'>
  readonly directory: Pick<Directory, 'agents'>
  readonly configuration: Pick<Configuration, 'get' | 'forProduct'>
  readonly clock: Clock
  readonly self: () => AgentName
}

const day = 86_400_000

export function detachableProducts(parts: DetachableParts): DetachableProduct[] {
  const found = [...ownProducts(parts), ...offeredProducts(parts)]
  return found.sort((a, b) => (a.product < b.product ? -1 : a.product > b.product ? 1 : b.detachable - a.detachable))
}

function ownProducts({ lessor, making, clock, self }: DetachableParts): DetachableProduct[] {
  const products = new Map<ProductName, DetachableProduct>()
  for (const supply of lessor.view.supplies()) {
    if (supply.kind === 'lease' || supply.local || supply.product === undefined) continue
    const name = productName(supply.vendor, supply.product)
    const figures = making.figures(name)
    const before = products.get(name)
    const title = before?.title ?? supply.title
    products.set(name, {
      product: name,
      ...(title === undefined ? {} : { title }),
      features: [...new Set([...(before?.features ?? []), ...Object.keys(supply.features)])].sort(),
      manager: self(),
      local: true,
      seats: (before?.seats ?? 0) + supply.seats,
      used: (before?.used ?? 0) + lessor.view.used(supply.id),
      ...figures,
      ...latestOf(figures.maxDays, undefined, clock),
      refused: {
        code: 'not_detachable',
        detail: `Its seats are of ${self().name}, which needs none along. Name another machine as the recipient.`,
      },
    })
  }
  return [...products.values()]
}

function offeredProducts({ directory, configuration, clock, self }: DetachableParts): DetachableProduct[] {
  if (!configuration.get('remote.allow')) return []
  const products: DetachableProduct[] = []
  for (const agent of directory.agents) {
    if (agent.condition.state !== 'reachable') continue
    for (const offer of agent.offers) {
      if (offer.product.endsWith('/*')) continue
      const refused = refusedOf(offer, agent.name, configuration.forProduct(offer.product).detachEnabled, self().name)
      const ends = offer.licenses.map(({ endsAt }) => endsAt)
      const endsAt = ends.includes(undefined) ? undefined : [...ends].sort().at(-1)
      products.push({
        product: offer.product,
        ...(offer.title === undefined ? {} : { title: offer.title }),
        features: offer.features.map(({ name }) => name).sort(),
        manager: { id: agent.id, name: agent.name },
        local: false,
        seats: offer.seats + offer.anySeats,
        used: offer.used + offer.anyUsed,
        detached: offer.detached,
        detachable: offer.detachable,
        maxDays: offer.maxDetachDays,
        ...latestOf(offer.maxDetachDays, endsAt, clock),
        ...(refused === undefined ? {} : { refused }),
      })
    }
  }
  return products
}

function refusedOf(offer: Offer, manager: string, isEnabled: boolean, self: string): DetachableProduct['refused'] {
  if (!isEnabled) return { code: 'detach_disabled', detail: `Detaching is switched off on ${self}.` }
  if (offer.maxDetachDays === 0)
    return {
      code: 'detach_disabled',
      detail: `Detaching is switched off on ${manager}, or its license does not allow it.`,
    }
  if (offer.detachable === 0) return { code: 'too_many_seats', detail: 'None can be detached now.' }
  return undefined
}

function latestOf(
  maxDays: number,
  endsAt: string | undefined,
  clock: Clock,
): Pick<DetachableProduct, 'latest' | 'endsAt'> {
  if (maxDays === 0) return {}
  const maximum = clock.wall() + maxDays * day
  const end = endsAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(endsAt)
  const latest = new Date(Math.floor(Math.min(maximum, end) / 1000) * 1000).toISOString()
  return end < maximum && endsAt !== undefined ? { latest, endsAt } : { latest }
}
