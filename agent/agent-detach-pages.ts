/**
 * Connects the pages about seats that are taken along to what the interface does. Part of the composition root; only
 * `agent-pages.ts` imports it.
 */
import { randomUUID } from 'node:crypto'
import type { Owners } from './agent-api.ts'
import type { DetachingPart, DetachWish } from './http/ui/detaching-parts.ts'

/** More than there ever are. */
const limit = 100_000

export function connectDetaching({ configuration, detaching }: Owners): DetachingPart {
  const { detachments, clock } = detaching
  const request = (wish: DetachWish) => ({ ...wish, preview: false })
  return {
    enabled: (product) =>
      product === '' ? configuration.get('detach.enabled') : configuration.forProduct(product).detachEnabled,
    list: () => detachments.list({ limit, over: 'with' }).items,
    get: (id) => detachments.get(id),
    offers: () => detachments.detachable({ limit }).items,
    recipient: () => detachments.recipient(),
    clock: () => clock.read(),
    acceptClock: async () => {
      await clock.confirm()
      return { kind: 'accepted' }
    },
    plan: (wish) => detachments.plan(request(wish)),
    order: () => randomUUID(),
    detach: (wish, order) => detachments.detach(request(wish), order),
    extend: (id, until) => detachments.extend(id, until === undefined ? {} : { until }),
    giveBack: (id) => detachments.giveBack(id),
    makeReceipt: (id) => detachments.makeReceipt(id),
    block: (id) => detachments.block(id),
    declareLost: (id, note) => detachments.declareLost(id, note === undefined ? {} : { note }),
  }
}
