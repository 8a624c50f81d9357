/**
 * A link to a manager whose answers and events also tell the directory that what it knows of the manager may be old.
 * Owns nothing.
 */
import type { ManagerLink } from './manager-link.ts'

/** @param onNews seats there may have changed, or it could not be reached */
export function observeLink(link: ManagerLink, onNews: (news: 'counts' | 'lost') => void): ManagerLink {
  const observe = async <Reply extends { readonly kind: string }>(answer: Promise<Reply>): Promise<Reply> => {
    const reply = await answer
    if (reply.kind === 'unreachable') onNews('lost')
    if (reply.kind === 'refused') onNews('counts')
    return reply
  }
  return {
    id: link.id,
    get name() {
      return link.name
    },
    ask: (...all) => observe(link.ask(...all)),
    renew: (...all) => observe(link.renew(...all)),
    release: (...all) => observe(link.release(...all)),
    follow: ({ onEvent, onUp }) =>
      link.follow({
        onEvent: (event) => {
          if (event.kind === 'counts' || event.kind === 'policy') onNews('counts')
          onEvent(event)
        },
        onUp: () => {
          onNews('counts')
          onUp()
        },
      }),
  }
}
